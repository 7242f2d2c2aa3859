"""Real edge processes for tests, and a client that shows every byte they answer."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from resonanz.journal import JournalReader
from resonanz.model import Hit
from resonanz.tokens import Keys, Token, TokenKind, create_keys, mint
from tests.kit.ports import free_range
from tests.kit.waiting import wait_for

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Reply:
    """One HTTP answer: status, headers in order (lower-case names, without Date and Server), body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that stands at most once."""
        (value,) = [value for known, value in self.headers if known == name] or [None]
        return value


class Edge:
    """An edge process on a port of its own; its data in `folder`."""

    def __init__(self, folder: Path, **arguments: object) -> None:
        self.folder = folder
        self.port = int(str(arguments.pop("port", 0))) or free_range(1)
        self.documents_folder = folder / "documents"
        self._open_files = int(str(arguments.pop("open_files", 0)))  # the most it may have; 0: as many as we may
        self.journal_folder = Path(str(arguments.get("journal", folder / "journal")))
        self.keys: Keys = create_keys(folder / "keys.json")
        self._arguments = {"folder": str(folder), "port": self.port, **arguments}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.launch()
        wait_for(lambda: self._alive() and self.ask("GET", "/healthz").status == 200, "the edge never answered")

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the process and return it without waiting."""
        program = [sys.executable, "-m", "tests.kit.edge_program", json.dumps(self._arguments)]
        if self._open_files:
            program = ["sh", "-c", f'ulimit -n {self._open_files} && exec "$@"', "sh", *program]
        log = (self.folder / "edge.log").open("ab")
        self.process = subprocess.Popen(
            program,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        log.close()
        return self.process

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Reply:
        """Send one request on a connection of its own."""
        lines = [f"{method} {path} HTTP/1.1", "Host: t.example.org", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        reply = self.exchange("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        assert reply is not None, self.log()
        return reply

    def exchange(self, raw: bytes, patience: float = 20) -> Reply | None:
        """Send bytes and return the answer; None when none came before the end or within `patience` seconds."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as connection:
            received = bytearray()
            try:
                connection.sendall(raw)
                while chunk := connection.recv(65536):
                    received += chunk
            except (ConnectionResetError, BrokenPipeError, TimeoutError):
                pass
            return parse_reply(bytes(received))

    def hits(self) -> list[Hit]:
        """What is in this edge's journals, oldest first."""
        reader = JournalReader(self.journal_folder)
        entries = [entry for journal in reader.journals() for entry in reader.read(journal, 0, 1_000_000)]
        reader.close()
        return [entry.hit for entry in entries]

    def path(self, kind: TokenKind, **token: object) -> str:
        """A fresh signed path: `path(TokenKind.CLICK, destination="https://…")`."""
        door, ending = {
            TokenKind.OPEN: ("o", ".gif"),
            TokenKind.CLICK: ("c", ""),
            TokenKind.FILE: ("f", ""),
            TokenKind.UNSUBSCRIBE: ("u", ""),
            TokenKind.PREFERENCES: ("p", ""),
            TokenKind.VIEW: ("v", ""),
        }[kind]
        id = token.pop("id", None) or uuid4()
        assert isinstance(id, UUID)
        return f"/{door}/{mint(self.keys, Token(kind, id, **token))}{ending}"  # type: ignore[arg-type]

    def log(self) -> str:
        """What the process has logged."""
        return (self.folder / "edge.log").read_text("utf-8", "replace")

    def _alive(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def running_edge(folder: Path, **arguments: object) -> Iterator[Edge]:
    """A started edge, killed at the end if it still runs."""
    folder.mkdir(parents=True, exist_ok=True)
    edge = Edge(folder, **arguments)
    try:
        edge.start()
        yield edge
    finally:
        if edge.process is not None and edge.process.poll() is None:
            edge.process.kill()
            edge.process.wait()


def parse_reply(received: bytes) -> Reply | None:
    """Split the bytes of one answer."""
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return None
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Reply(
        int(status.split(" ")[1]),
        tuple(header for header in headers if header[0] not in ("date", "server", "connection")),
        body,
    )
