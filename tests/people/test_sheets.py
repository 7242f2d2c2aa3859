"""CSV files: told apart, read record by record from anywhere, and written so that no spreadsheet runs them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.model import InvalidInput
from resonanz.people.sheets import DELIMITERS, ENCODINGS, Form, csv_line, guess_form, read

ROWS = [
    ["E-Mail", "Name", "Ort"],
    ["jörg@example.org", "Jörg; der Große", "Köln, am Rhein"],
    ["b@example.org", "B", ""],
]


def written(rows: list[list[str]], encoding: str, delimiter: str, ending: str = "\r\n", bom: bytes = b"") -> bytes:
    """Return a file as a spreadsheet writes it."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=ending).writerows(rows)
    return bom + out.getvalue().encode(encoding)


def pieces(file: bytes, size: int = 7) -> list[bytes]:
    """Cut a file anywhere."""
    return [file[start : start + size] for start in range(0, len(file), size)]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize(
    ("encoding", "bom"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("windows-1252", b""),
    ],
)
def test_every_way_of_writing_is_told(encoding: str, bom: bytes, delimiter: str) -> None:
    """Encoding, byte order mark, delimiter and heading are found out, and every cell comes out as it was put in."""
    file = written(ROWS, encoding, delimiter, bom=bom)
    form = guess_form(pieces(file))
    assert (form.encoding, form.delimiter, form.has_header, form.start) == (encoding, delimiter, True, len(bom))
    assert [list(record.cells) for record in read(iter(pieces(file)), form)] == ROWS


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read(ending: str) -> None:
    """Files of every system are read, with lines inside of cells, and each record knows the line it begins at."""
    rows = [["a@example.org", "two\nlines"], ["b@example.org", "one"]]
    file = written(rows, "utf-8", ",", "\n").replace(b"\n", ending.encode())
    form = guess_form([file])
    assert not form.has_header
    found = list(read(iter([file]), form))
    assert [[" ".join(cell.split()) for cell in record.cells] for record in found] == [
        ["a@example.org", "two lines"],
        ["b@example.org", "one"],
    ]
    assert [record.line for record in found] == [1, 3]


def test_what_is_chosen_is_believed() -> None:
    """Somebody who knows better than the guess is followed; what is not offered is refused."""
    file = "a|b;c\n1|2;3\n".encode("windows-1252")
    assert guess_form([file], delimiter=";", encoding="windows-1252").delimiter == ";"
    assert guess_form([b"\xef\xbb\xbfa,b\n"], encoding="windows-1252").start == 0
    for wrong in ({"delimiter": "x"}, {"encoding": "utf-7"}):
        with pytest.raises(InvalidInput):
            guess_form([file], **wrong)
    with pytest.raises(InvalidInput, match="is no text file"):
        guess_form([b"PK\3\4\0\0abcdefghijklmnop"])


def test_a_broken_record_costs_itself_and_no_other() -> None:
    """A quote that is never closed, bytes of another encoding and quotes out of place are told with their line; all
    records around them are read."""
    lines = [b"x@example.org,X", b'a@example.org,"open', b"b@example.org,B", b"c@example.org,\xe9", b"d@example.org,D"]
    file = b"\n".join([*lines, *[b"%d@example.org,N" % number for number in range(60)], b'z@example.org,"A"b']) + b"\n"
    found = list(read(iter(pieces(file)), Form(delimiter=",")))
    assert [record.line for record in found] == list(range(1, 67))
    assert [record.line for record in found if record.problem] == [2, 4, 66]
    assert "quote" in found[1].problem
    assert found[3].problem == "cannot be read as UTF-8"


def test_a_line_without_end_is_bounded() -> None:
    """A file that is one endless line is refused in parts, none of them large."""
    found = list(read(iter([b"x" * 65536] * 20), Form()))
    assert found
    assert all(record.problem for record in found)
    assert all(len(record.cells[0]) <= 2_000 for record in found)


@given(st.binary(max_size=300), st.sampled_from(sorted(ENCODINGS)), st.integers(1, 40))
def test_reading_goes_on_from_every_record(file: bytes, encoding: str, size: int) -> None:
    """Whatever a file holds and however it is cut, reading never fails, ends at its end, and going on behind any record
    gives the same rest."""
    form = Form(encoding, ";")
    found = list(read(iter(pieces(file, size)), form))
    for number, record in enumerate(found):
        rest = list(read(iter([file[record.end :]]), form, position=record.end, line=record.end_line))
        assert rest == found[number + 1 :]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=9), min_size=1))
def test_what_is_written_is_harmless_and_read_again(cells: list[str]) -> None:
    """No cell begins as a formula does, and a file of ours comes back as it was."""
    line = csv_line(cells)
    for cell in next(csv.reader(io.StringIO(line, newline=""))):
        assert cell[:1] not in ("=", "+", "-", "@", "\t")
    records = list(read(iter([line.encode()]), Form()))
    assert [list(record.cells) for record in records] == ([cells] if any(cell.strip() for cell in cells) else [])
