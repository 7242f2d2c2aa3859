"""Header blocks as bytes: where each field lies, what it says, and its parameters (RFC 5322, RFC 2045, RFC 2231)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from urllib.parse import unquote_to_bytes

from resonanz.mail.charset import decode_leniently
from resonanz.mail.words import decode_words
from resonanz.model import value

MAX_FIELDS = 5_000

_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_FOLD = re.compile(r"[\r\n]+(?=[ \t])|[\r\n]+$")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+"?|\([^()]*+\)?|[^"(;]++|;', re.DOTALL)
_is_one_word = re.compile(r"[A-Za-z0-9/+_-]*").fullmatch  # as most transfer encodings are
_CONTINUED = re.compile(r"([^*]+)\*(\d{1,3})(\*?)$")


@value
class Header:
    """One field of a header block. `raw` is the value as it stands, folds included; `start` and `end` are the offsets
    of the whole field in the message, its line ending included."""

    name: str
    raw: bytes
    start: int
    end: int

    @property
    def text(self) -> str:
        """The value unfolded, encoded words as they stand. Bytes outside ASCII are read as UTF-8 or Windows-1252."""
        bare = decode_leniently(self.raw, "").strip()
        return _FOLD.sub("", bare).strip() if "\n" in bare or "\r" in bare else bare

    @property
    def decoded(self) -> str:
        """The value unfolded and its encoded words decoded (RFC 2047)."""
        return decode_words(self.text)


@value
class Block:
    """A header block: its fields, where the body begins, and whether lines that are no fields stood among them."""

    fields: tuple[Header, ...]
    body_start: int
    has_junk: bool
    # One mail's fields are asked for some thirty times.
    _by_name: dict[str, list[Header]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for found in self.fields:
            self._by_name.setdefault(found.name.lower(), []).append(found)

    def first(self, name: str) -> Header | None:
        """Return the first field of this name, in whatever case."""
        found = self._by_name.get(name.lower())
        return found[0] if found else None

    def all(self, name: str) -> list[Header]:
        """Return every field of this name, in whatever case, in order."""
        return list(self._by_name.get(name.lower(), ()))


def read_block(message: bytes, start: int, end: int, eol: bytes, is_delimiter: Callable[[bytes], bool]) -> Block:
    """Read the header block that begins at `start`: up to the first empty line, a part's delimiter, or `end`."""
    fields: list[Header] = []
    folds: list[bytes] = []  # lines that continue the last field, joined once: a hostile mail has a million of them
    position, folded_to, has_junk = start, start, False
    while position < end:
        line_end = _line_end(message, position, end, eol)
        line = message[position:line_end]
        bare = line.rstrip(b"\r\n")
        if not bare:
            position = line_end
            break
        if bare.startswith(b"--") and is_delimiter(bare):
            break
        if bare[:1] in (b" ", b"\t"):
            if fields:
                folds.append(line)
                folded_to = line_end
            else:
                has_junk = has_junk or bool(bare.strip())
        else:
            match = _FIELD.match(bare)
            if match and len(fields) < MAX_FIELDS:
                _add_folds(fields, folds, folded_to)
                fields.append(Header(match.group(1).decode("ascii"), line[match.end() :], position, line_end))
            elif not (position == start and bare.startswith(b"From ")):  # the separator line of an mbox file
                has_junk = True
        position = line_end
    _add_folds(fields, folds, folded_to)
    return Block(tuple(fields), position, has_junk)


def read_message_block(message: bytes) -> Block:
    """Read the header block of a whole message, and nothing else of it."""
    return read_block(message, 0, len(message), b"\n", lambda _line: False)


def _add_folds(fields: list[Header], folds: list[bytes], end: int) -> None:
    if folds:
        last = fields[-1]
        fields[-1] = Header(last.name, last.raw + b"".join(folds), last.start, end)
        folds.clear()


def _line_end(message: bytes, position: int, end: int, eol: bytes) -> int:
    found = message.find(eol, position, end)
    return end if found < 0 else found + len(eol)


def read_parameters(text: str) -> tuple[str, dict[str, str], bool]:
    """Split a structured value into its first word (lower case), its parameters, and whether two of them contradict.

    Comments are dropped, quotes taken off, RFC 2231 continuations joined and percent-decoded.
    """
    if _is_one_word(text):
        return text.lower(), {}, False
    pieces: list[list[str]] = [[]]
    for piece in _PIECE.findall(text):
        if piece == ";":
            pieces.append([])
        elif piece[0] != "(":
            pieces[-1].append(piece)
    parts = ["".join(part).strip() for part in pieces]
    plain: dict[str, str] = {}
    continued: dict[str, dict[int, tuple[str, bool]]] = {}
    contradicts = False
    for part in parts[1:]:
        name, equals, value = part.partition("=")
        name, value = name.strip().lower(), _unquoted(value.strip())
        if not equals or not name:
            continue
        match = _CONTINUED.match(name)
        if match:
            continued.setdefault(match.group(1), {})[int(match.group(2))] = (value, bool(match.group(3)))
        elif name.endswith("*"):
            continued.setdefault(name[:-1], {}).setdefault(0, (value, True))
        elif name in plain:
            contradicts = contradicts or plain[name] != value
        else:
            plain[name] = value
    plain.update({name: _joined(pieces) for name, pieces in continued.items()})
    return parts[0].lower(), plain, contradicts


def _unquoted(value: str) -> str:
    if value[:1] != '"':
        return value
    closed = value[1:-1] if len(value) > 1 and value[-1] == '"' else value[1:]
    return re.sub(r"\\(.)", r"\1", closed, flags=re.DOTALL)


def _joined(pieces: Mapping[int, tuple[str, bool]]) -> str:
    label, raw = "", b""
    for number in sorted(pieces):
        value, is_extended = pieces[number]
        if is_extended and number == 0 and value.count("'") >= 2:
            label, _, value = value.split("'", 2)
        raw += unquote_to_bytes(value) if is_extended else value.encode("utf-8", "surrogateescape")
    return decode_leniently(raw, label)
