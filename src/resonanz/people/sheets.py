"""CSV as spreadsheets write and read it: told apart when it comes in, harmless when it goes out.

Record by record, from any place in the file, without holding it: an import goes on where it stopped.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from resonanz.model import InvalidInput

ENCODINGS = {"utf-8": "UTF-8", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE", "windows-1252": "Windows-1252"}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_LINES = 50  # of one record: what is longer has a quote that was never closed
MAX_LINE_BYTES = 128 * 1024

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SAMPLE_RECORDS = 30
_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")  # xlsx and ods, xls, PDF, gzip
# What a spreadsheet takes for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written. `start` is where its first record begins, behind a byte order mark; `ending` is what ends
    its lines, a line feed or (from an old Mac) a carriage return."""

    encoding: str = "utf-8"
    delimiter: str = ","
    has_header: bool = True
    start: int = 0
    ending: str = "\n"

    @property
    def line_end(self) -> bytes:
        """What ends a line, as bytes of the file."""
        return self.ending.encode(self.encoding)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file: the line it begins at (from 1), its cells, and where the next one begins. With a `problem`
    it cannot be read, and the cells are what there is of it."""

    line: int
    cells: tuple[str, ...]
    end: int
    end_line: int
    problem: str = ""


# ── Telling how a file is written ───────────────────────────────────────────────────────────────────────────────────


def guess_form(pieces: Iterable[bytes], *, encoding: str = "", delimiter: str = "") -> Form:
    """Tell how a file is written, reading it once; what is given is believed. Raises InvalidInput for what is no text
    and for an encoding or delimiter that is not offered."""
    if encoding and encoding not in ENCODINGS:
        raise InvalidInput("is not an encoding we read", where="encoding", remedy=f"use {', '.join(ENCODINGS)}")
    if delimiter and delimiter not in DELIMITERS:
        raise InvalidInput("is not a delimiter we read", where="delimiter", remedy="use , ; | or a tab")
    head, is_utf8 = _look(pieces)
    if head.startswith(_NO_TEXT):
        raise InvalidInput("is no text file", where="file", remedy="in the spreadsheet, choose Save as, CSV UTF-8")
    found, start = _encoding(head, is_utf8=is_utf8)
    chosen = encoding or found
    if chosen != found and start:
        start = 0 if not any(mark == head[: len(mark)] and name == chosen for mark, name in _BOMS) else start
    text = head[start:].decode(chosen, "replace")
    if not encoding and chosen in ("utf-8", "windows-1252") and "\0" in text:
        raise InvalidInput("is no text file", where="file", remedy="save it as CSV")
    form = Form(chosen, delimiter or _delimiter(text), start=start, ending="\n" if "\n" in text else "\r")
    first = next(iter(read(iter([head]), form)), None)
    return Form(
        form.encoding,
        form.delimiter,
        has_header=first is None or not any("@" in cell for cell in first.cells),
        start=form.start,
        ending=form.ending,
    )


def _look(pieces: Iterable[bytes]) -> tuple[bytes, bool]:
    """Return the beginning of a file, and whether all of it is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    head, is_utf8 = b"", True
    for piece in pieces:
        if len(head) < MAX_LINE_BYTES:
            head += piece[: MAX_LINE_BYTES - len(head)]
        if is_utf8:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                is_utf8 = False
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    return head, is_utf8


def _encoding(head: bytes, *, is_utf8: bool) -> tuple[str, int]:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    sample = head[:4096]
    if sample.count(0) > len(sample) // 4:  # every other byte of Latin text in UTF-16
        return ("utf-16-le" if sample[1::2].count(0) >= sample[0::2].count(0) else "utf-16-be"), 0
    return ("utf-8" if is_utf8 else "windows-1252"), 0


def _delimiter(text: str) -> str:
    """The delimiter that cuts the first records into most cells, and into as many each."""

    def score(delimiter: str) -> tuple[float, int]:
        widths: list[int] = []
        try:
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
                if cells:
                    widths.append(len(cells))
                if len(widths) == _SAMPLE_RECORDS:
                    break
        except csv.Error:
            pass
        if not widths or widths[0] == 1:
            return (0.0, 0)
        return (widths.count(widths[0]) / len(widths), widths[0])

    return max(DELIMITERS, key=score)


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(pieces: Iterator[bytes], form: Form, *, position: int | None = None, line: int = 1) -> Iterator[Record]:
    """Yield the records of a file whose bytes `pieces` give from its beginning, or from `position` (a record's `end`)
    with its `line`. Blank lines are left out. Never raises for what is in the file."""
    start = form.start if position is None else position
    if position is None:
        pieces = _without(pieces, form.start)
    feed = _Feed(_lines(pieces, form.line_end), form, start, line)
    while True:
        feed.begin()
        begun = feed.line
        try:
            cells = next(csv.reader(feed, delimiter=form.delimiter, strict=True))
        except StopIteration:
            return
        except (csv.Error, UnicodeDecodeError, _TooLong) as error:
            problem = _problem(error, form, lines=feed.line - begun)
            text = feed.give_up()
            yield Record(begun, (text,), feed.position, feed.line, problem)
            continue
        if any(cell.strip() for cell in cells):
            yield Record(begun, tuple(_unguarded(cell) for cell in cells), feed.position, feed.line)


class _TooLong(Exception):
    """A record goes on and on."""


class _Feed:
    """Lines for one record at a time: knows how far it has read, and gives back what a broken record took too much."""

    def __init__(self, lines: Iterator[bytes], form: Form, position: int, line: int) -> None:
        self._lines = lines
        self._form = form
        self._given_back: deque[bytes] = deque()
        self._taken: list[bytes] = []
        self.position = position
        self.line = line

    def begin(self) -> None:
        self._taken = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        raw = self._given_back.popleft() if self._given_back else next(self._lines)
        self._taken.append(raw)
        self.position += len(raw)
        self.line += 1
        if len(self._taken) > MAX_LINES or len(raw) > MAX_LINE_BYTES:
            raise _TooLong
        text = raw.decode(self._form.encoding)
        return text if self._form.ending == "\n" else text.replace("\r", "\n")

    def give_up(self) -> str:
        """Let the record be its first line alone, and return what can be read of that."""
        first, *others = self._taken
        self.position -= sum(map(len, others))
        self.line -= len(others)
        self._given_back.extendleft(reversed(others))
        return first[:2_000].decode(self._form.encoding, "replace").rstrip("\r\n")


def _problem(error: Exception, form: Form, *, lines: int) -> str:
    if isinstance(error, UnicodeDecodeError) and lines == 1:
        return f"cannot be read as {ENCODINGS[form.encoding]}"
    return "has a quote that is not closed, or one where none can be"


def _without(pieces: Iterator[bytes], amount: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[amount:]
        amount = max(0, amount - len(piece))


def _lines(pieces: Iterator[bytes], end: bytes) -> Iterator[bytes]:
    """Cut bytes behind each line's end. In UTF-16 an end counts only where a character begins. What never ends is cut
    where it is too long to be a line."""
    width, kept = len(end), b""
    for piece in pieces:
        kept += piece
        start = 0
        while (found := kept.find(end, start)) >= 0:
            if found % width:
                start = found + 1
                continue
            yield kept[: found + width]
            kept, start = kept[found + width :], 0
        while len(kept) > 2 * MAX_LINE_BYTES:
            yield kept[: 2 * MAX_LINE_BYTES]
            kept = kept[2 * MAX_LINE_BYTES :]
    if kept:
        yield kept


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def csv_line(cells: Sequence[object]) -> str:
    """Return one line of CSV (RFC 4180), no cell of which a spreadsheet takes for a formula."""
    out = io.StringIO(newline="")
    csv.writer(out).writerow([_guarded(cell) for cell in cells])
    return out.getvalue()


def _guarded(cell: object) -> object:
    """Put an apostrophe before text that a spreadsheet would run; numbers are what they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip("'").startswith(_FORMULA) else cell


def _unguarded(cell: str) -> str:
    """Take away the apostrophe that we put there: a file of ours can be handed in again."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
