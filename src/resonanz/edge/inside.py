"""Asking the app for a page that needs the database: one plain GET, bounded in time, size and number.

The address comes from a setting, the path from a token that was verified; no answer can send us elsewhere, because
nothing but 200 and 404 is understood. The edge carries no HTTP library: this is the whole of what it asks of anyone.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from urllib.parse import urlsplit

import structlog

from resonanz.tokens import Keys, sign_inside

SECONDS = 3.0  # for the whole of it, waiting for a turn included
AT_ONCE = 4
WAITING = 64  # asking and waiting together; more are told to come back
MAX_BYTES = 8_000_000  # of a page; times AT_ONCE is what this can take of the edge's memory
_HEAD_BYTES = 16_384
_TELL_SECONDS = 60.0

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})[ \r]").match
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE).search

_log = structlog.get_logger("resonanz.edge")


class Away(Exception):
    """The app does not answer, not in time, or not as it should."""


class Inside:
    """The app, as far as an edge asks it. With an empty `url` it is always away."""

    def __init__(self, url: str = "") -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._named = parts.netloc
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asking = 0
        self._told_at = -_TELL_SECONDS

    async def ask(self, keys: Keys, path: str) -> bytes | None:
        """Return the page at a path of the app, None when it has none there. Raises Away."""
        if not self._host or self._asking >= WAITING:
            raise Away("nobody to ask" if not self._host else "too many ask")
        self._asking += 1
        try:
            async with asyncio.timeout(SECONDS), self._turns:
                return await self._exchange(keys, path)
        except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError, Away) as error:
            self._tell(error)
            raise Away(str(error)) from None
        finally:
            self._asking -= 1

    async def _exchange(self, keys: Keys, path: str) -> bytes | None:
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=_HEAD_BYTES)
        try:
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: {self._named}\r\nConnection: close\r\n"
                f"X-Resonanz-Edge: {sign_inside(keys, path)}\r\n\r\n".encode("ascii")
            )
            head = await reader.readuntil(b"\r\n\r\n")
            status, length = _STATUS(head), _LENGTH(head)
            if status is not None and status[1] == b"404":
                return None
            if status is None or status[1] != b"200" or length is None or int(length[1]) > MAX_BYTES:
                raise Away("an answer that is no page")
            return await reader.readexactly(int(length[1]))
        finally:
            writer.transport.abort()

    def _tell(self, error: Exception) -> None:
        """Log it, but not again within a minute: every reader who asks would fill the log."""
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            self._told_at = time.monotonic()
            _log.warning(
                "edge.app_away",
                app=self._named,
                error=str(error) or type(error).__name__,
                remedy="see whether `resonanz app` runs, and RESONANZ_APP_URL",
            )
