"""The same callable under uvicorn: the way out, should granian ever fail us."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import uvicorn

from resonanz.edge.app import build
from resonanz.journal import SqliteJournal
from resonanz.model import HitKind
from resonanz.tokens import TokenKind
from tests.kit.edges import Edge
from tests.kit.waiting import wait_for

ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    """The edge under uvicorn, in a thread of this process."""
    edge = Edge(tmp_path)
    journal = SqliteJournal.open(edge.journal_folder)
    server = uvicorn.Server(
        uvicorn.Config(build(edge.keys, journal), host="127.0.0.1", port=edge.port, log_level="error", lifespan="on")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started, "uvicorn never started")
    yield edge
    server.should_exit = True
    thread.join()
    journal.close()


def test_everything_works_under_uvicorn(edge: Edge) -> None:
    """Pixels, HEAD, clicks and one-click unsubscribing answer and are recorded as under granian."""
    id = uuid4()
    pixel = edge.path(TokenKind.OPEN, id=id)
    click = edge.path(TokenKind.CLICK, id=id, destination="https://example.org/ü")
    assert edge.ask("GET", pixel).header("content-length") == "43"
    assert edge.ask("HEAD", pixel).body == b""
    assert edge.ask("GET", click).header("location") == "https://example.org/%C3%BC"
    assert edge.ask("POST", edge.path(TokenKind.UNSUBSCRIBE, id=id), body=ONE_CLICK).status == 200
    assert edge.ask("POST", click).status == 405
    assert edge.ask("GET", "/c/x").status == 404
    assert [(hit.kind, hit.method) for hit in edge.hits()] == [
        (HitKind.OPEN, "GET"),
        (HitKind.OPEN, "HEAD"),
        (HitKind.CLICK, "GET"),
        (HitKind.UNSUBSCRIBE, "POST"),
    ]


def test_slow_bodies_are_not_waited_for(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come within the time a form may take is answered with 408."""
    monkeypatch.setattr("resonanz.edge.forms.FORM_SECONDS", 0.05)
    head = f"POST {edge.path(TokenKind.UNSUBSCRIBE)} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 26\r\n"
    reply = edge.exchange(head.encode() + b"\r\nList")
    assert reply is not None
    assert reply.status == 408
    assert edge.hits() == []


def test_a_mistake_of_ours_asks_to_try_again(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should something inside fail in a way nobody foresaw, the answer is 503 with a page, never 500."""

    def fail(destination: str) -> bytes:
        raise RuntimeError(destination)

    monkeypatch.setattr("resonanz.edge.app.location", fail)
    reply = edge.ask("GET", edge.path(TokenKind.CLICK, destination="https://example.org/secret"))
    assert (reply.status, reply.header("retry-after")) == (503, "60")
    assert b"secret" not in reply.body
