"""Somebody who is told by webhooks: a real HTTP server that checks signatures by itself and answers as it is told to.

It verifies with nothing but the standard library and the specification, so that it is no mirror of what is tested.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from resonanz.notify.webhooks.reach import Reach, reach_of


@dataclass(frozen=True)
class Told:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def type(self) -> str:
        return str(self.payload["type"])

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = self.payload["data"]
        return found

    def is_signed_by(self, secret: str) -> bool:
        """Whether one of the signatures was made with this secret."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return expected in self.headers["webhook-signature"].split(" ")


@dataclass
class Answer:
    """What the listener says."""

    status: int = 200
    headers: dict[str, str] | None = None
    body: bytes = b""
    before: Callable[[], object] = lambda: None  # what it does first


class Listener:
    """A server on a free port. `told` is what came, in order; `answer` says what to answer to a request."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.answer: Callable[[Told], Answer] = lambda _told: Answer()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                told = Told(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                listener.told.append(told)
                answer = listener.answer(told)
                answer.before()
                self.send_response(answer.status)
                for name, value in (answer.headers or {}).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Be quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Callers that hang up are what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/told"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def reach(self) -> Reach:
        """The reach of an instance whose operator named this server."""
        return reach_of([self.host])

    def always(self, status: int, **headers: str) -> None:
        """Answer so from now on."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = lambda _told: Answer(status, named, b"<b>as told</b>")

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener of this test's own."""
    one = Listener()
    yield one
    one.close()
