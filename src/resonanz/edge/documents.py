"""Stored documents as answers: found by their key, sent in pieces, whole or from where a download broke off.

Ranges follow RFC 9110 section 14, the file's name RFC 6266 and RFC 8187. A document is a stranger's file on our own
host: it is offered for saving, never shown; its type is one of a few that no browser runs; and should one show it all
the same, it runs no script and belongs to no origin.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog

from resonanz.edge.answers import NOTHING, HeaderList, Send
from resonanz.edge.forms import Receive
from resonanz.edge.outgoing import AHEAD_BYTES, PIECE_BYTES
from resonanz.mail.documents import safe_name
from resonanz.model import document_place, is_document_key

_log = structlog.get_logger("resonanz.edge")

# What a browser or a program opens by itself without harm; what could hold a script goes out as plain bytes.
_UNNAMED_TYPE = "application/octet-stream"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
_TYPES = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "epub": "application/epub+zip",
    "gif": "image/gif",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "odp": f"{_OPEN}.presentation",
    "ods": f"{_OPEN}.spreadsheet",
    "odt": f"{_OPEN}.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "txt": "text/plain",
    "webp": "image/webp",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "zip": "application/zip",
}
_SAFE: HeaderList = [
    (b"cache-control", b"private, no-store"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"accept-ranges", b"bytes"),
]
_ATTR_CHARS = "!#$&+-.^_`|~"  # beside letters and digits (RFC 8187 section 3.2.1)
_NOT_QUOTABLE = re.compile(r'[^ -~]|["\\%]')
_RANGE = re.compile(rb"bytes[ \t]*=[ \t]*([0-9]*)[ \t]*-[ \t]*([0-9]*)[ \t]*", re.IGNORECASE).fullmatch
_DIGITS = 18  # of a position that counts; longer ones lie behind the end of every file


@dataclass(frozen=True, slots=True)
class Piece:
    """The octets of a document that are asked for, from `start` to before `end`; `is_whole` when no range was."""

    start: int
    end: int
    is_whole: bool

    def ahead(self, method: str) -> int:
        """Return how much of it may be in memory at a time while it is sent."""
        return 0 if method == "HEAD" else min(self.end - self.start, AHEAD_BYTES)


class Stored:
    """One document, open for reading."""

    def __init__(self, key: str, file: FileIO, size: int) -> None:
        self.size = size
        self.etag = f'"{key}"'.encode("ascii")  # strong: the key is the digest of the content
        self._file = file

    def __enter__(self) -> Stored:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def piece(self, method: str, headers: HeaderList) -> Piece | None:
        """Return what a request asks for, or None when it asks for what is not there (RFC 9110 section 14.2)."""
        whole = Piece(0, self.size, is_whole=True)
        ranges = [value for name, value in headers if name == b"range"]
        conditions = [value.strip() for name, value in headers if name == b"if-range"]
        if method != "GET" or len(ranges) != 1 or any(value != self.etag for value in conditions):
            return whole
        found = _RANGE(ranges[0].strip())
        # What is no single range of bytes is as if it was not there: the whole is the answer to everything.
        if found is None or not (found[1] or found[2]):
            return whole
        if not found[1]:
            return self._last(_position(found[2]), whole)
        start, end = _position(found[1]), _position(found[2]) + 1 if found[2] else self.size
        if start >= end and found[2]:
            return whole
        return Piece(start, min(end, self.size), is_whole=False) if start < self.size else None

    def _last(self, octets: int, whole: Piece) -> Piece | None:
        """A suffix of a document; all of it when it is shorter. No Content-Range can tell of an empty one."""
        if not octets:
            return None
        return Piece(max(self.size - octets, 0), self.size, is_whole=False) if self.size else whole

    async def send(self, receive: Receive, send: Send, piece: Piece, name: str) -> None:
        """Answer with a piece. Read as the reader takes it, so that no more than one portion is in memory, and no
        further than the reader stays."""
        await send(self._start(piece, name))
        leaving = asyncio.create_task(_gone(receive))
        position = piece.start
        try:
            while position < piece.end and not leaving.done():
                octets = await asyncio.to_thread(self._read, position, min(PIECE_BYTES, piece.end - position))
                position += len(octets)
                if not octets:
                    break  # damaged: the connection ends short of its length, so that nobody takes it for whole
                await send({"type": "http.response.body", "body": octets, "more_body": position < piece.end})
        finally:
            leaving.cancel()
        if position < piece.end or piece.start == piece.end:
            await send(NOTHING)

    async def send_head(self, send: Send, piece: Piece, name: str) -> None:
        """Answer HEAD: the headers that GET would get, and nothing else (RFC 9110 section 9.3.2)."""
        await send(self._start(piece, name))
        await send(NOTHING)

    async def refuse(self, send: Send) -> None:
        """Answer that there is nothing in the range that was asked for."""
        headers = [*_SAFE, (b"content-range", b"bytes */%d" % self.size), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 416, "headers": headers})
        await send(NOTHING)

    def _start(self, piece: Piece, name: str) -> dict[str, Any]:
        headers = [
            (b"content-type", type_of(name).encode("ascii")),
            (b"content-length", b"%d" % (piece.end - piece.start)),
            (b"content-disposition", disposition(name)),
            (b"etag", self.etag),
            *_SAFE,
        ]
        if not piece.is_whole:
            headers.append((b"content-range", b"bytes %d-%d/%d" % (piece.start, piece.end - 1, self.size)))
        return {"type": "http.response.start", "status": 200 if piece.is_whole else 206, "headers": headers}

    def _read(self, position: int, octets: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), octets, position)
        except OSError as error:
            _log.error("edge.document_not_readable", document=self.etag.decode("ascii"), error=error.strerror)
            return b""


class Documents:
    """The folder that the worker fills."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def open(self, key: str) -> Stored | None:
        """Return a document, or None when there is none of this key. Raises OSError when it cannot be told."""
        # In a thread: however slow the disk is, those who follow links do not wait for it.
        return await asyncio.to_thread(self._open, key) if is_document_key(key) else None

    def _open(self, key: str) -> Stored | None:
        try:
            file = FileIO(self._folder / document_place(key), opener=_opener)
        except FileNotFoundError:
            return None
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            file.close()
            return None
        return Stored(key, file, state.st_size)


async def _gone(receive: Receive) -> None:
    """Return when the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _position(digits: bytes) -> int:
    return int(digits) if len(digits) <= _DIGITS else 10**_DIGITS


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def name_in(path: str) -> str:
    """Return the harmless name of a file that a path ends with; anybody may have written it there."""
    return safe_name(path) or "document"


def type_of(name: str) -> str:
    """Return the media type of a file's name."""
    return _TYPES.get(name.rpartition(".")[2].lower(), _UNNAMED_TYPE)


def disposition(name: str) -> bytes:
    """Return the Content-Disposition for a harmless name, with a plain one for programs that know no other."""
    plain = _NOT_QUOTABLE.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}".encode("ascii")
