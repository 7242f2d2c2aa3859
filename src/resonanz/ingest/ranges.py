"""Tables from address ranges to words, small on disk and quick to ask: which country, which provider, which network.

A table is two sorted columns of starts, one for IPv4 and one for IPv6, with a word for what begins at each. IPv6 is
told apart by its upper 64 bits: nobody allocates less, and such a column is searched as quickly as one of 32 bits.

On disk: one line of JSON (`source`, `as_of`, `licence`, `words`, `starts`: how many of each), then xz over the columns,
starts as the distance from the one before. Little-endian whatever the machine.
"""

from __future__ import annotations

import json
import lzma
import socket
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from itertools import accumulate
from pathlib import Path

from resonanz.model import InvalidInput

Network = IPv4Network | IPv6Network
Span = tuple[int, int, str]  # first, last (both included), word

_BITS = (32, 64)
_MAPPED = b"\0" * 10 + b"\xff\xff"  # RFC 4291 section 2.5.5.2: an IPv4 address in IPv6 clothes
_MAX_HEAD_BYTES = 1_000_000
_MAX_FILE_BYTES = 200_000_000  # unpacked; a table of the whole Internet has under 10 MB


@dataclass(frozen=True, slots=True)
class Ranges:
    """A table. The first word is empty: nothing is known there. `starts` and `indexes`: IPv4, then IPv6."""

    words: tuple[str, ...]
    starts: tuple[Sequence[int], Sequence[int]]
    indexes: tuple[Sequence[int], Sequence[int]]
    source: str = ""
    as_of: str = ""
    licence: str = field(default="", compare=False)

    def find(self, address: str) -> str:
        """Return the word for an address, empty when nothing is known or the text is no address."""
        number = number_of(address)
        return "" if number is None else self.at(number)

    def at(self, number: tuple[int, int]) -> str:
        """Return the word for an address as `number_of` tells it: who asks several tables reads it once."""
        family, value = number
        return self.words[self.indexes[family][bisect_right(self.starts[family], value) - 1]]

    def __len__(self) -> int:
        """How many ranges have a word."""
        return sum(1 for indexes in self.indexes for index in indexes if index)


def number_of(address: str) -> tuple[int, int] | None:
    """Return an address as (0, 32 bits) for IPv4 or (1, upper 64 bits) for IPv6, or None when it is none."""
    try:
        if ":" not in address:
            return 0, int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big")
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):  # ValueError: a NUL, or letters beyond ASCII
        return None
    if packed.startswith(_MAPPED):
        return 0, int.from_bytes(packed[12:], "big")
    return 1, int.from_bytes(packed[:8], "big")


def span_of(network: Network, word: str) -> tuple[int, Span]:
    """Return a network as (family, span); an IPv6 network smaller than a /64 stands for its whole /64."""
    first, last = int(network.network_address), int(network.broadcast_address)
    if isinstance(network, IPv4Network):
        return 0, (first, last, word)
    return 1, (first >> 64, last >> 64, word)


def of_networks(pairs: Iterable[tuple[Network, str]], *, source: str = "", as_of: str = "") -> Ranges:
    """Make a table of networks and their words; where they lie in each other, the narrower one counts."""
    spans: tuple[list[Span], list[Span]] = ([], [])
    for network, word in pairs:
        family, span = span_of(network, word)
        spans[family].append(span)
    return of_spans(*spans, source=source, as_of=as_of)


def of_spans(
    ipv4: Iterable[Span], ipv6: Iterable[Span], *, source: str = "", as_of: str = "", licence: str = ""
) -> Ranges:
    """Make a table of spans; where they overlap, the one that begins later (or, together, ends sooner) counts."""
    painted = [_paint(spans, 1 << bits) for spans, bits in zip((ipv4, ipv6), _BITS, strict=True)]
    words = ("", *sorted({word for _, row in painted for word in row} - {""}))
    place = {word: index for index, word in enumerate(words)}
    columns = [array("H", map(place.__getitem__, row)) for _, row in painted]
    starts = array("I", painted[0][0]), array("Q", painted[1][0])
    return Ranges(words, starts, (columns[0], columns[1]), source, as_of, licence)


def _paint(spans: Iterable[Span], end: int) -> tuple[list[int], list[str]]:
    """Return where a word begins and which, over all numbers from 0 to `end`."""
    starts, words = [0], [""]

    def mark(at: int, word: str) -> None:
        if starts[-1] == at:
            words[-1] = word
            if len(words) > 1 and words[-2] == word:
                starts.pop()
                words.pop()
        elif words[-1] != word and at < end:
            starts.append(at)
            words.append(word)

    open_spans: list[tuple[int, str]] = []

    def close_before(at: int) -> None:
        while open_spans and open_spans[-1][0] < at:
            last = open_spans.pop()[0]
            while open_spans and open_spans[-1][0] <= last:
                open_spans.pop()
            mark(last + 1, open_spans[-1][1] if open_spans else "")

    for first, last, word in sorted(spans, key=lambda span: (span[0], -span[1])):
        close_before(first)
        mark(first, word)
        open_spans.append((last, word))
    close_before(end + 1)
    return starts, words


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_ranges(path: Path, ranges: Ranges) -> None:
    """Write a table, put in place at once: a reader sees the old file or the new one."""
    head = {
        "source": ranges.source,
        "as_of": ranges.as_of,
        "licence": ranges.licence,
        "words": ranges.words,
        "starts": [len(starts) for starts in ranges.starts],
    }
    body = b""
    for starts, indexes, form in zip(ranges.starts, ranges.indexes, "IQ", strict=True):
        steps = [after - before for before, after in zip([0, *starts], starts, strict=False)]
        body += _bytes(array(form, steps)) + _bytes(array("H", indexes))
    packed = lzma.compress(body)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(json.dumps(head, ensure_ascii=True).encode() + b"\n" + packed)
    fresh.replace(path)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table comes from, and the day it is of (ISO 8601)."""

    source: str
    as_of: str


def read_origin(path: Path) -> Origin:
    """Read where a table comes from, without reading the table. Raises InvalidInput for a file that is none."""
    try:
        with path.open("rb") as file:
            head = json.loads(file.readline(_MAX_HEAD_BYTES))
        return Origin(str(head["source"]), str(head["as_of"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"not a table of ranges: {error}", where=str(path)) from error


def read_ranges(path: Path) -> Ranges:
    """Read a table. Raises InvalidInput for a file that is none."""
    try:
        head_line, _, packed = path.read_bytes().partition(b"\n")
        head = json.loads(head_line)
        unpacker = lzma.LZMADecompressor()
        body = unpacker.decompress(packed, _MAX_FILE_BYTES)
        columns: list[array[int]] = []
        position = 0
        for count, form in zip(head["starts"], "IQ", strict=True):
            for kind in (form, "H"):
                column = array(kind)
                size = count * column.itemsize
                column.frombytes(body[position : position + size])
                position += size
                if sys.byteorder == "big":
                    column.byteswap()
                columns.append(column)
        words = tuple(map(str, head["words"]))
        starts = array("I", accumulate(columns[0])), array("Q", accumulate(columns[2]))
        fits = unpacker.eof and position == len(body) and all(starts)
        if not fits or max(map(max, (columns[1], columns[3]))) >= len(words):
            raise ValueError("its columns do not fit each other")
        return Ranges(
            words, starts, (columns[1], columns[3]), str(head["source"]), str(head["as_of"]), str(head["licence"])
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, OverflowError, lzma.LZMAError) as error:
        raise InvalidInput(
            f"not a table of ranges: {error}", where=str(path), remedy="delete it, and fetch or build it anew"
        ) from error


def _bytes(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
