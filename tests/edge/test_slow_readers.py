"""Readers who take slowly or nothing of what they asked for: what they cost, and whom."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

from resonanz.edge.outgoing import AHEAD_BYTES, PIECE_BYTES
from resonanz.model import HitKind
from resonanz.store.documents import keep
from resonanz.tokens import TokenKind
from tests.kit.edges import Edge, running_edge
from tests.kit.insides import standing_in
from tests.kit.ports import free_range
from tests.kit.waiting import wait_for

CONTENT = bytes(range(256)) * 32_000  # more than any buffer on the way
READERS = 150


def document(edge: Edge, content: bytes = CONTENT, **token: object) -> str:
    """The path of a stored document."""
    key = blake2b(content, digest_size=32).hexdigest()
    keep(edge.documents_folder, key, content)
    return f"{edge.path(TokenKind.FILE, destination=key, link=0, **token)}/report.pdf"


@contextmanager
def takes_nothing(edge: Edge, path: str) -> Iterator[socket.socket]:
    """A reader who asks, takes the first octets of the answer, and no more."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", edge.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
        yield connection


def memory(edge: Edge) -> int:
    """The most memory that the edge has had, in bytes."""
    assert edge.process is not None
    status = Path(f"/proc/{edge.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]


def descriptors(edge: Edge) -> int:
    assert edge.process is not None
    return len(list(Path(f"/proc/{edge.process.pid}/fd").iterdir()))


def test_who_takes_nothing_holds_little_and_not_for_long(tmp_path: Path) -> None:
    """Each such reader of a large document costs no more memory than is reckoned with, others are served meanwhile, and
    when nothing was taken for a while the connection and the document are let go."""
    with running_edge(tmp_path, taking_seconds=2) as edge:
        path = document(edge)
        wait_for(lambda: edge.ask("GET", path).body == CONTENT, "the document arrives whole")
        before, open_before = memory(edge), descriptors(edge)
        with ExitStack() as readers:
            for _ in range(READERS):
                readers.enter_context(takes_nothing(edge, path))
            assert edge.ask("GET", edge.path(TokenKind.OPEN)).status == 200
            wait_for(lambda: descriptors(edge) <= open_before, "those who take nothing are let go")
        assert memory(edge) - before < READERS * (AHEAD_BYTES + 100_000)
        wait_for(lambda: edge.ask("GET", path).body == CONTENT, "the document arrives whole")


def test_who_asks_without_end_and_takes_nothing_is_let_go(tmp_path: Path) -> None:
    """The same with thousands of small answers on one connection."""
    with running_edge(tmp_path, taking_seconds=2) as edge:
        assert edge.ask("GET", "/").status == 200
        open_before = descriptors(edge)
        with takes_nothing(edge, "/") as reader:
            reader.setblocking(False)
            with suppress(BlockingIOError, ConnectionError):
                while True:
                    reader.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n" * 2000)
            wait_for(lambda: descriptors(edge) <= open_before, "the connection is ended")


def test_with_the_room_taken_others_are_told_to_come_again(tmp_path: Path) -> None:
    """While slow readers hold all there is room for, a further download is refused with 503 and not recorded; small
    documents, HEAD and clicks go on; when one leaves, the next is served."""
    ops_port = free_range(1)
    with running_edge(tmp_path, room=2 * AHEAD_BYTES, ops_port=ops_port) as edge:
        id = uuid4()
        path, small = document(edge, id=id), document(edge, b"")
        with takes_nothing(edge, path):
            with takes_nothing(edge, path):
                refused = edge.ask("GET", path)
                assert (refused.status, refused.header("retry-after")) == (503, "60")
                assert edge.ask("HEAD", path).status == 200
                assert edge.ask("GET", small).status == 200
                assert edge.ask("GET", edge.path(TokenKind.CLICK, destination="https://a.example/")).status == 302
            wait_for(lambda: edge.ask("GET", path).body == CONTENT, "there is room again")
        found = re.search(
            rb'kind="file",outcome="busy"} (\d+)', Edge(tmp_path, port=ops_port).ask("GET", "/metrics").body
        )
        assert found is not None
        recorded = [hit for hit in edge.hits() if hit.id == id]
        assert [hit.method for hit in recorded] == ["GET", "GET", "HEAD", "GET"]
        assert int(found[1]) >= 1


def test_large_pages_are_sent_as_they_are_taken(tmp_path: Path) -> None:
    """A mail's page arrives whole whatever its size; while slow readers hold the room the next is told to come again,
    and is not recorded."""
    with standing_in() as app, running_edge(tmp_path, app_url=app.url, room=3_000_000) as edge:
        for size in (0, 1, PIECE_BYTES, PIECE_BYTES + 1, 1_000_000):
            app.answers(CONTENT[:size])
            reply = edge.ask("GET", edge.path(TokenKind.VIEW))
            assert (reply.status, reply.header("content-length"), reply.body) == (200, str(size), CONTENT[:size])
        app.answers(CONTENT[:2_900_000])
        id = uuid4()
        with takes_nothing(edge, edge.path(TokenKind.VIEW)):
            assert edge.ask("GET", edge.path(TokenKind.VIEW, id=id)).status == 503
        wait_for(lambda: edge.ask("GET", edge.path(TokenKind.VIEW, id=id)).status == 200, "there is room again")
        assert [hit.kind for hit in edge.hits() if hit.id == id] == [HitKind.VIEW]
