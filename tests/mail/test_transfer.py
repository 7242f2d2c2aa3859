"""Transfer encodings: changed bodies decode to what was meant, with every other byte as it was."""

from __future__ import annotations

import base64
import binascii
import quopri

from hypothesis import given, settings
from hypothesis import strategies as st

from resonanz.mail import undo
from resonanz.mail.transfer import Edit, apply, decode_body, encode_quoted_printable, open_body

TEXT = st.text(alphabet="ab =.-<>\"'ü€\t\n0Df", max_size=300).map(lambda text: text.replace("\n", "\r\n").encode())


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, list[Edit]]:
    """A body and edits of it, sorted and apart."""
    data = draw(TEXT)
    places = [place for place in range(len(data) + 1) if data[place - 1 : place + 1] != b"\r\n"]
    cuts = sorted(draw(st.lists(st.sampled_from(places), max_size=8)))
    new = st.text(alphabet='https://t.example/c/AZaz09-_ ="<>', max_size=120).map(str.encode)
    return data, [Edit(start, end, draw(new)) for start, end in zip(cuts[::2], cuts[1::2], strict=False)]


def expected(data: bytes, edits: list[Edit]) -> bytes:
    for start, end, new in reversed(edits):
        data = data[:start] + new + data[end:]
    return data


def apart(edits: list[Edit]) -> list[Edit]:
    """Leave out edits that touch the one before, which the letter never makes."""
    kept: list[Edit] = []
    for edit in edits:
        if not kept or edit.start > kept[-1].end:
            kept.append(edit)
    return kept


@settings(max_examples=400, deadline=None)
@given(edited())
def test_quoted_printable_stays_legal_and_says_what_was_meant(case: tuple[bytes, list[Edit]]) -> None:
    """Any edits: the new body decodes to the edited text, no line is over 76, undoing gives the old body."""
    data, edits = case[0], apart(case[1])
    encoded = encode_quoted_printable(data)
    body = open_body(encoded, "quoted-printable", b"\r\n")
    assert body.decoded == data
    splices = body.splices(edits)
    new = apply(encoded, splices)
    assert quopri.decodestring(new) == expected(data, edits)
    assert max(map(len, new.split(b"\r\n"))) <= 76
    assert undo(new, splices) == encoded


@settings(max_examples=200, deadline=None)
@given(edited(), st.sampled_from([4, 60, 72, 76]), st.sampled_from([b"\r\n", b"\n"]))
def test_base64_stays_in_its_lines_and_says_what_was_meant(
    case: tuple[bytes, list[Edit]], width: int, eol: bytes
) -> None:
    """Any edits, any line length: the new body decodes to the edited text, undoing gives the old body."""
    data, edits = case[0], apart(case[1])
    letters = base64.b64encode(data)
    encoded = eol.join(letters[i : i + width] for i in range(0, len(letters), width)) + eol
    body = open_body(encoded, "base64", eol)
    splices = body.splices(edits)
    new = apply(encoded, splices)
    assert binascii.a2b_base64(new) == expected(data, edits)
    assert undo(new, splices) == encoded
    assert max(map(len, new.split(eol))) <= 76


@given(st.binary(max_size=300))
def test_any_bytes_can_be_opened_as_quoted_printable(encoded: bytes) -> None:
    """Junk decodes the way the other decoder decodes it, so that both see the same text."""
    if b"\r" not in encoded:
        assert open_body(encoded, "quoted-printable", b"\n").decoded == decode_body(encoded, "quoted-printable")


@given(TEXT)
def test_encoding_text_keeps_every_character(data: bytes) -> None:
    """What we encode ourselves decodes to itself, and no line begins with a dot or a dash."""
    encoded = encode_quoted_printable(data)
    assert quopri.decodestring(encoded) == data
    assert not any(line.startswith((b".", b"-")) for line in encoded.split(b"\r\n"))
