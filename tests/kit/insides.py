"""A stand-in for the app behind an edge: it answers what a test tells it to, or nothing at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class StandIn:
    """Listens on a port of its own. `answer` is what it sends; None takes the request and never answers."""

    def __init__(self) -> None:
        self.answer: bytes | None = b""
        self.asked: list[str] = []  # the heads of the requests
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def answers(self, body: bytes, status: str = "200 OK", more: str = "") -> None:
        """Answer with this from now on."""
        self.answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode("latin-1") + body

    def close(self) -> None:
        """Listen no more, and let go of whoever was left waiting."""
        self._listener.close()
        for connection in self._held:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.asked.append(connection.recv(65536).decode("latin-1"))
            if self.answer is None:
                self._held.append(connection)
            else:
                with connection:
                    connection.sendall(self.answer)


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """A stand-in for as long as the block lasts."""
    app = StandIn()
    try:
        yield app
    finally:
        app.close()
