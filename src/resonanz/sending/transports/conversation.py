"""Commands and replies over a connection that aiosmtplib has opened, secured and logged in.

It takes the connection over because several commands may be on the line at once (RFC 2920), which the library does not
offer, and because one mail costs a third of the processor's time this way.
"""

from __future__ import annotations

import asyncio
import re
from typing import NamedTuple

import aiosmtplib

MAX_REPLY_BYTES = 65_536
_ENDINGS = re.compile(rb"\r\n|\r|\n")
_INJECTION = re.compile(rb"[\x00-\x1f\x7f]").search


class Reply(NamedTuple):
    """A server's answer: its code, and its text with a line feed between lines."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Lost(Exception):
    """The connection has ended, or what came over it is no SMTP."""


class Conversation(asyncio.Protocol):
    """One connection. One coroutine at a time may `ask`."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        transport = client.transport
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._replies: list[Reply] = []
        self._expected = 0
        self._waiter: asyncio.Future[None] | None = None
        self._lost = ""
        self.extensions = {name: client.supports_extension(name) for name in _EXTENSIONS}
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether the connection can be used, as far as is known."""
        return not self._lost and not self._transport.is_closing()

    async def ask(self, commands: bytes, replies: int, seconds: float) -> list[Reply]:
        """Send commands and return that many replies. Raises Lost."""
        if not self.is_open:
            raise Lost(self._lost or "the connection was closed")
        self._expected = replies
        self._replies = []
        self._waiter = self._loop.create_future()
        clock = self._loop.call_later(seconds, self._end, "no answer in time")
        self._transport.write(commands)
        try:
            await self._waiter
            return self._replies
        finally:
            self._waiter, self._expected = None, 0
            clock.cancel()

    async def quit(self, seconds: float) -> None:
        """Say goodbye, and close."""
        try:
            await self.ask(b"QUIT\r\n", 1, seconds)
        except Lost:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close at once."""
        self._transport.close()

    # ── What the connection tells ───────────────────────────────────────────────────────────────────────────────────

    def data_received(self, data: bytes) -> None:
        """Take in bytes, and hand the replies over when they are complete."""
        self._buffer += data
        if self._waiter is None or len(self._buffer) > MAX_REPLY_BYTES:
            self._end("it said something that nobody had asked for")  # most often 421, before it closes
            return
        end = self._buffer.rfind(b"\n") + 1
        start = begin = 0
        while start < end:
            stop = self._buffer.index(b"\n", start) + 1
            if self._buffer[start + 3 : start + 4] != b"-":
                self._take(bytes(self._buffer[begin:stop]))
                begin = stop
            start = stop
        del self._buffer[:begin]
        if len(self._replies) >= self._expected and not self._waiter.done():
            self._waiter.set_result(None)

    def eof_received(self) -> None:
        """The other side has ended it."""
        self._end("the connection was closed by the server")

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self._end(f"the connection was lost: {error}" if error else "the connection was closed")

    def _take(self, reply: bytes) -> None:
        lines = reply.decode("utf-8", "replace").splitlines()
        try:
            code = int(lines[-1][:3])
        except (ValueError, IndexError):
            self._end("it answered something that is no SMTP")
            return
        self._replies.append(Reply(code, "\n".join(line[4:] for line in lines)))

    def _end(self, why: str) -> None:
        self._lost = self._lost or why
        self._transport.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(Lost(why))


_EXTENSIONS = ("size", "8bitmime", "smtputf8", "dsn", "pipelining")


def command(verb: str, address: str, options: list[str], encoding: str) -> bytes:
    """Return a line for MAIL or RCPT. What would end it early is a defect of the caller's: ValueError."""
    line = " ".join([f"{verb}:<{address}>", *options]).encode(encoding)
    if _INJECTION(line):
        raise ValueError("a command with a control character")
    return line + b"\r\n"


def as_data(message: bytes) -> bytes:
    """Return a mail as it goes over the line: CRLF at each end of line, dots doubled, a dot at the end."""
    pairs = message.count(b"\r\n")
    if not pairs == message.count(b"\n") == message.count(b"\r"):
        message = _ENDINGS.sub(b"\r\n", message)
    if b"\r\n." in message:
        message = message.replace(b"\r\n.", b"\r\n..")
    end = b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n"
    return (b"." if message.startswith(b".") else b"") + message + end
