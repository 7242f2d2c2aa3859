"""Reading a mail behind DATA: in the pieces in which it arrives, not line by line as aiosmtpd does.

A mail of 30 KB has some 500 lines, and each of them cost as much as all that is done here.
"""

from __future__ import annotations

import asyncio

END = b"\r\n.\r\n"  # RFC 5321 section 4.1.1.4: nothing else ends a mail
_KEPT = len(END) - 1


class TooMuchData(Exception):
    """The mail is larger than it may be. It was read to its end."""


class LineTooLong(Exception):
    """A line of the mail is longer than it may be. It was read to its end."""


async def read_data(reader: asyncio.StreamReader, most: int, longest_line: int) -> bytes:
    """Read up to the end of a mail and return it, its CRLF at the end included and the dots of transparency taken out
    (RFC 5321 section 4.5.2). What follows stays in the reader.

    Raises TooMuchData for more than `most` octets, and LineTooLong when one of its lines has more than `longest_line`,
    CRLF included; both only when the end has come, so that the client reads its answer. IncompleteReadError when the
    connection ends before that.
    """
    pieces: list[bytes] = []
    size, tail = 0, b"\r\n"  # as if a line had ended just now: the first one may be the end already
    while (seen := _overlap(tail)) < len(END):
        piece = await _read_piece(reader, len(END) - seen)
        tail = (tail + piece)[-len(END) :]
        size += len(piece)
        if size <= most + len(END):
            pieces.append(piece)
        else:
            pieces.clear()
    if size - len(END) + 2 > most:
        raise TooMuchData
    content = b"".join(pieces)[: -len(b".\r\n")]
    if len(content) > longest_line and max(map(len, content.split(b"\r\n"))) + 2 > longest_line:
        raise LineTooLong
    if content.startswith(b"."):
        content = content[1:]
    return content.replace(b"\r\n.", b"\r\n")


async def _read_piece(reader: asyncio.StreamReader, missing: int) -> bytes:
    """Read what is surely still of the mail: as far as its end, or as there is; at least `missing` octets are."""
    if missing < len(END):
        return await reader.readexactly(missing)
    try:
        return await reader.readuntil(END)
    except asyncio.LimitOverrunError as overrun:
        return await reader.readexactly(overrun.consumed)


def _overlap(tail: bytes) -> int:
    """How many octets of the end of a mail are the last ones that were read."""
    return next(length for length in range(len(END), -1, -1) if tail.endswith(END[:length]))
