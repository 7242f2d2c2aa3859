"""Transfer encodings: reading a body, and changing some of its decoded bytes while the rest stays as it was encoded.

Every body knows how to turn edits of its decoded bytes into splices of the encoded ones. Identity maps one to one;
quoted-printable is re-encoded only where it changes, with no line over 76 characters (RFC 2045 section 6.7); base64 is
re-encoded from the first changed line on, in the line length it had (section 6.8).
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

MAX_ENCODED_LINE = 76

_SAFE = re.compile(rb"(?:[ -<>-~]*[!-<>-~])?")
_UNSAFE = re.compile(rb"[^!-<>-~]")
# What stands for one byte, and the soft break, which stands for none. `==` is what some old encoders made of `=`.
_ESCAPED = re.compile(rb"=(?:([0-9A-Fa-f]{2}|=)|\r?\n)")
_PLAINLY_MARKUP = re.compile(rb"<(?:html|body|a|p|div|table|br|span)[\t\n\r />]", re.IGNORECASE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/\s]")
_CHUNK = 700


class DamagedEncoding(Exception):
    """The body is not what its transfer encoding says, so programs will read it in different ways."""


class Edit(NamedTuple):
    """Replace the decoded bytes from `start` to `end` by `new`."""

    start: int
    end: int
    new: bytes


class Splice(NamedTuple):
    """Replace the bytes from `start` to `end` of the input, which are `original`, by `replacement`."""

    start: int
    end: int
    original: bytes
    replacement: bytes


class Body(Protocol):
    """An encoded body. `decoded` is what it says."""

    decoded: bytes

    def splices(self, edits: Sequence[Edit]) -> list[Splice]:
        """Turn edits, sorted and apart from each other, into splices of the encoded bytes."""


def open_body(encoded: bytes, encoding: str, eol: bytes) -> Body:
    """Open a body by its transfer encoding. Raises DamagedEncoding.

    An encoding nobody knows (`text/html`, `plain`: programs write such things) is no encoding, as mail programs take
    it, if the body is plainly markup; else it is damage, and the body may be compressed or worse.
    """
    if encoding == "quoted-printable":
        return QuotedPrintable(encoded, eol)
    if encoding == "base64":
        return _Base64(encoded, eol)
    if encoding in ("7bit", "8bit", "binary") or _is_plainly_markup(encoded):
        return _Identity(encoded)
    raise DamagedEncoding(f"unknown transfer encoding {encoding[:40]!r}")


def _is_plainly_markup(encoded: bytes) -> bool:
    return _PLAINLY_MARKUP.search(encoded) is not None and b"=3D" not in encoded and b"=3d" not in encoded


def decode_body(encoded: bytes, encoding: str) -> bytes:
    """Decode a whole body by another way than `Body` does, for holding a result against it. Raises DamagedEncoding."""
    if encoding == "quoted-printable":
        return binascii.a2b_qp(encoded)
    if encoding == "base64":
        try:
            return base64.b64decode(encoded)
        except binascii.Error as error:
            raise DamagedEncoding(str(error)) from error
    return encoded


def apply(data: bytes, splices: Sequence[Splice]) -> bytes:
    """Apply splices, which are sorted and apart from each other."""
    pieces: list[bytes] = []
    position = 0
    for start, end, _, replacement in splices:
        pieces += (data[position:start], replacement)
        position = end
    return b"".join((*pieces, data[position:]))


def undo(message: bytes, splices: Sequence[Splice]) -> bytes:
    """Take splices back: `undo(result.message, result.splices)` is the input, byte for byte."""
    pieces: list[bytes] = []
    position = shift = 0
    for start, _, original, replacement in splices:
        begin = start + shift
        pieces += (message[position:begin], original)
        position = begin + len(replacement)
        shift += len(replacement) - len(original)
    return b"".join((*pieces, message[position:]))


class _Identity:
    def __init__(self, encoded: bytes) -> None:
        self.decoded = encoded

    def splices(self, edits: Sequence[Edit]) -> list[Splice]:
        return [Splice(start, end, self.decoded[start:end], new) for start, end, new in edits]


def _has_torn_soft_break(encoded: bytes) -> bool:
    returns = encoded.count(b"\r")  # counting one byte is fast, and mostly it settles the question
    return 0 < returns != encoded.count(b"\r\n") and encoded.count(b"=\r") != encoded.count(b"=\r\n")


# ── Quoted-printable ────────────────────────────────────────────────────────────────────────────────────────────────


class QuotedPrintable:
    """A quoted-printable body; places in it are found without a map of the whole."""

    def __init__(self, encoded: bytes, eol: bytes) -> None:
        if eol == b"\r" or _has_torn_soft_break(encoded):
            raise DamagedEncoding("a soft line break without LF")
        self.encoded, self.eol = encoded, eol
        self.starts, pieces = _decode_chunks(encoded)
        self.decoded = b"".join(pieces)
        self.offsets = [0, *accumulate(map(len, pieces))]
        self._known = (0, 0)  # the last place that was asked for, encoded and decoded: the next one is often near

    def splices(self, edits: Sequence[Edit]) -> list[Splice]:
        spans = [self.span(start, end) for start, end, _ in edits]
        splices: list[Splice] = []
        column, last_end = 0, -1
        for index, (start, end) in enumerate(spans):
            newline = self.encoded.rfind(b"\n", max(last_end, 0), start)
            if last_end < 0 or newline >= 0:
                line_start = newline if newline >= 0 else self.encoded.rfind(b"\n", 0, start)
                column = start - line_start - 1
            else:
                column += start - last_end
            line_end = self._line_end(end)
            next_start = spans[index + 1][0] if index + 1 < len(spans) else len(self.encoded) + 1
            is_shared = next_start < line_end
            tail = min(line_end, next_start) - end
            begin, before, column = self._lead_in(start, column, last_end)
            new, column = wrap_quoted_printable(edits[index].new, column, self.eol)
            new = before + new
            if column + tail + is_shared > MAX_ENCODED_LINE and column:
                new += b"=" + self.eol
                column = 0
            splices.append(Splice(begin, end, self.encoded[begin:end], new))
            last_end = end
        return splices

    def _lead_in(self, start: int, column: int, last_end: int) -> tuple[int, bytes, int]:
        """Return where the splice begins, what it writes first, and the column after that.

        A bare `=` before the place would swallow the `=` of a soft break, so it is written as an escape; a full line
        has no room for a soft break, so its last character moves to the next line.
        """
        bare = self._bare_before(start, last_end)
        if bare:
            if column - bare + 3 < MAX_ENCODED_LINE:
                return start - bare, b"=3D", column - bare + 3
            return start - bare, b"=" + self.eol + b"=3D", 3
        unit = 3 if self.encoded[start - 3 : start - 2] == b"=" else 1
        if column < MAX_ENCODED_LINE or start - unit < last_end:
            return start, b"", column
        moved = self.encoded[start - unit : start]
        bare = self._bare_before(start - unit, last_end)
        if bare:
            return start - unit - bare, b"=" + self.eol + b"=3D" + moved, 3 + unit
        return start - unit, b"=" + self.eol + moved, unit

    def _bare_before(self, place: int, last_end: int) -> int:
        """Return how many bytes before a place are an `=` that is no escape."""
        if self.encoded[place - 1 : place] != b"=" or place <= last_end:
            return 0
        return 2 if self.encoded[place - 2 : place] == b"==" and place - 1 > last_end else 1

    def _line_end(self, position: int) -> int:
        found = self.encoded.find(b"\n", position)
        if found < 0:
            return len(self.encoded)
        return found - 1 if found > position and self.encoded[found - 1 : found] == b"\r" else found

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the encoded range of a decoded one, soft breaks around it left out."""
        if start >= len(self.decoded):
            return len(self.encoded), len(self.encoded)
        chunk = bisect_right(self.offsets, start) - 1
        near = self._known if self.offsets[chunk] <= self._known[1] <= start else None
        begin = self._walk(*(near or (self.starts[chunk], self.offsets[chunk])), start)
        self._known = begin, start
        if end == start:
            return begin, begin
        last = self._walk(begin, start, end - 1)
        escape = _ESCAPED.match(self.encoded, last) if self.encoded[last : last + 1] == b"=" else None
        return begin, escape.end() if escape else last + 1

    def _walk(self, encoded: int, decoded: int, position: int) -> int:
        """Go on from a place known in both to where the encoding of the decoded byte at `position` begins."""
        for match in _ESCAPED.finditer(self.encoded, encoded):
            after = decoded + match.start() - encoded + (match.group(1) is not None)
            if after > position:
                break
            encoded, decoded = match.end(), after
        return encoded + position - decoded


def _decode_chunks(encoded: bytes) -> tuple[list[int], list[bytes]]:
    """Decode in chunks cut after line ends, so that a place can be found without a map of the whole body."""
    starts, pieces = [0], []
    start, size = 0, len(encoded)
    while start < size:
        newline = encoded.find(b"\n", start + _CHUNK)
        end = size if newline < 0 else newline + 1
        pieces.append(binascii.a2b_qp(encoded[start:end]))
        starts.append(end)
        start = end
    return starts, pieces


def wrap_quoted_printable(data: bytes, column: int, eol: bytes) -> tuple[bytes, int]:
    """Encode bytes that begin at a column, line breaks and all as escapes; return them and the column they end at.

    A soft break leaves room for its own `=`. No line begins with a dot or a dash, which SMTP and boundaries read.
    """
    encoded = data if _SAFE.fullmatch(data) else _UNSAFE.sub(_escaped, data)
    lines: list[bytes] = []
    start, room = 0, MAX_ENCODED_LINE - 1 - column
    while len(encoded) - start > room:
        cut = _cut(encoded, start, start + max(room, 0))
        lines.append(encoded[start:cut])
        start, room = cut, MAX_ENCODED_LINE - 1
        if encoded[cut : cut + 1] in (b".", b"-"):
            encoded = encoded[:cut] + b"=%02X" % encoded[cut] + encoded[cut + 1 :]
    last = encoded[start:]
    if not lines:
        return last, column + len(last)
    return (b"=" + eol).join((*lines, last)), len(last)


def _cut(encoded: bytes, start: int, cut: int) -> int:
    """Move a cut before the escape it would tear."""
    escape = encoded.rfind(b"=", max(cut - 2, start), cut)
    return escape if escape >= 0 else cut


def _escaped(match: re.Match[bytes]) -> bytes:
    return b"=%02X" % match.group()[0]


# Within one line: what is not plain, white space at its end, and the dot or dash it begins with.
_TO_ESCAPE = re.compile(rb"[^\t -<>-~]|[\t ]\Z|\A[.\-]")


def encode_quoted_printable(data: bytes) -> bytes:
    """Encode text with CRLF line endings; line breaks stay line breaks, lines stay within 76 characters."""
    return b"\r\n".join(_encode_line(line) for line in data.split(b"\r\n"))


def _encode_line(line: bytes) -> bytes:
    escaped = _TO_ESCAPE.sub(_escaped, line)
    if len(escaped) <= MAX_ENCODED_LINE:
        return escaped
    pieces: list[bytes] = []
    start = 0
    while len(escaped) - start > MAX_ENCODED_LINE:
        cut = _cut(escaped, start, start + MAX_ENCODED_LINE - 1)
        pieces.append(escaped[start:cut])
        start = cut
        if escaped[cut : cut + 1] in (b".", b"-"):
            escaped = escaped[:cut] + b"=%02X" % escaped[cut] + escaped[cut + 1 :]
    return b"=\r\n".join((*pieces, escaped[start:]))


# ── Base64 ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Base64:
    def __init__(self, encoded: bytes, eol: bytes) -> None:
        self.encoded, self.eol = encoded, eol
        stripped = encoded.rstrip()
        self.data_end = len(stripped)
        unpadded = stripped.rstrip(b"=")
        if len(stripped) - len(unpadded) > 2 or _NOT_BASE64.search(unpadded):
            raise DamagedEncoding("characters that are not base64")
        self.letters = b"".join(encoded.split())
        if len(self.letters) % 4:
            raise DamagedEncoding("base64 that ends in the middle of a group")
        self.decoded = binascii.a2b_base64(self.letters)

    def splices(self, edits: Sequence[Edit]) -> list[Splice]:
        if not edits:
            return []
        width = self._width()
        line = edits[0].start // 3 * 4 // width
        start = self._line_start(line, width)
        first = line * width // 4 * 3 if start else 0
        pieces: list[bytes] = []
        position = first
        for begin, end, new in edits:
            pieces += (self.decoded[position:begin], new)
            position = end
        letters = binascii.b2a_base64(b"".join((*pieces, self.decoded[position:])), newline=False)
        lines = self.eol.join(letters[i : i + width] for i in range(0, len(letters), width))
        if start > self.data_end:  # the last line is full, and what is added begins a new one
            start, lines = self.data_end, self.eol + lines if lines else b""
        return [Splice(start, self.data_end, self.encoded[start : self.data_end], lines)]

    def _width(self) -> int:
        width = len(self.encoded.lstrip().split(None, 1)[0]) if self.encoded.strip() else 0
        return width if 4 <= width <= MAX_ENCODED_LINE and width % 4 == 0 else MAX_ENCODED_LINE

    def _line_start(self, line: int, width: int) -> int:
        """Return where a line begins if the lines before it are all of one width, else 0."""
        start = line * (width + len(self.eol))
        return start if b"".join(self.encoded[:start].split()) == self.letters[: line * width] else 0
