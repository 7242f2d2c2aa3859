"""An SMTP server that keeps what it gets and answers as told: what a mail server is to us, seen from outside."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

EXTENSIONS = ("SIZE 50000000", "8BITMIME", "SMTPUTF8", "DSN", "PIPELINING")


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail that was answered 250: the parameters of its envelope as they stood, and its bytes."""

    sender: str
    recipients: tuple[str, ...]
    message: bytes


@dataclass
class Sink:
    """What came in. `answers` maps a verb (`CONNECT`, `MAIL`, `RCPT`, `DATA`, `.` for the end of the mail) to a reply;
    a callable is given the command line. None lets the command through; an empty reply closes the connection."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    answers: dict[str, str | Callable[[str], str | None]] = field(default_factory=dict)
    bearers: set[str] = field(default_factory=set)
    """What AUTH XOAUTH2 may carry, encoded as it is sent."""
    stall: float = 0.0
    """Seconds between taking a mail and saying so."""

    def verbs(self) -> list[str]:
        """The verbs that came in, in order."""
        return [command.split(" ", 1)[0].upper() for command in self.commands]


@contextmanager
def running_sink(
    *,
    extensions: Sequence[str] = EXTENSIONS,
    context: ssl.SSLContext | None = None,
    implicit_tls: bool = False,
    login: tuple[str, str] | None = None,
) -> Iterator[Sink]:
    """Serve on a free port until the block ends. With `context` STARTTLS is offered, or TLS from the first byte."""
    sink = Sink()
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop: asyncio.Event = asyncio.Event()

    async def serve() -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            session = _Session(sink, reader, writer, list(extensions), None if implicit_tls else context, login)
            try:
                await session.run()
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        listener = await asyncio.start_server(
            greet, "127.0.0.1", 0, ssl=context if implicit_tls else None, limit=60_000_000
        )
        sink.port = listener.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        listener.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(20)
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@dataclass
class _Session:
    sink: Sink
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    extensions: list[str]
    context: ssl.SSLContext | None
    login: tuple[str, str] | None
    sender: str = ""
    recipients: list[str] = field(default_factory=list)

    async def run(self) -> None:
        self.sink.connections += 1
        greeting = self._told("CONNECT", "")
        if not await self._say("220 sink ESMTP" if greeting is None else greeting):
            return
        while True:
            line = (await self.reader.readuntil(b"\r\n"))[:-2].decode("utf-8", "surrogateescape")
            self.sink.commands.append(line)
            verb = line.split(" ", 1)[0].upper()
            told = self._told(verb, line)
            if not await self._say(await self._answer(verb, line) if told is None else told) or verb == "QUIT":
                return

    async def _answer(self, verb: str, line: str) -> str:
        match verb:
            case "EHLO":
                offered = [*self.extensions, *(["STARTTLS"] if self.context else []), "AUTH PLAIN LOGIN XOAUTH2"]
                return "\r\n".join(["250-sink", *(f"250-{name}" for name in offered[:-1]), f"250 {offered[-1]}"])
            case "STARTTLS" if self.context:
                await self._say("220 go ahead")
                await self.writer.start_tls(self.context)
                self.context = None
                line = (await self.reader.readuntil(b"\r\n"))[:-2].decode()
                self.sink.commands.append(line)
                return await self._answer(line.split(" ", 1)[0].upper(), line)
            case "AUTH" if line.split(" ")[1].upper() == "XOAUTH2":
                if line.split(" ")[-1] in self.sink.bearers:
                    return "235 2.7.0 ok"
                await self._say("334 eyJzdGF0dXMiOiI0MDEifQ==")  # an error in JSON; the client answers with nothing
                await self.reader.readuntil(b"\r\n")
                return "535 5.7.8 the token is not accepted"
            case "AUTH":
                given = base64.b64decode(line.split(" ")[-1]).decode().split("\0")[1:]
                return "235 ok" if self.login and tuple(given) == self.login else "535 5.7.8 wrong"
            case "MAIL":
                self.sender, self.recipients = line[len("MAIL FROM:") :], []
            case "RCPT":
                self.recipients.append(line[len("RCPT TO:") :])
            case "DATA":
                return await self._take()
        return "250 2.0.0 ok"

    async def _take(self) -> str:
        await self._say("354 go on")
        data = (await self.reader.readuntil(b"\r\n.\r\n"))[:-3]
        message = data[1:] if data.startswith(b"..") else data
        told = self._told(".", "")
        if told is not None:
            return told
        self.sink.taken.append(Taken(self.sender, tuple(self.recipients), message.replace(b"\r\n..", b"\r\n.")))
        if self.sink.stall:
            await asyncio.sleep(self.sink.stall)
        return f"250 2.0.0 taken as {len(self.sink.taken)}"

    def _told(self, verb: str, line: str) -> str | None:
        told = self.sink.answers.get(verb)
        return told(line) if callable(told) else told

    async def _say(self, reply: str) -> bool:
        if not reply:
            return False
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()
        return True
