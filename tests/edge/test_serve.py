"""The edge as a process: killed, stopped, out of disk, doubled, given new keys, put behind a proxy."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from resonanz.journal import JournalReader
from resonanz.model import HitKind
from resonanz.tokens import Token, TokenKind, load_keys, mint, save_keys
from tests.kit.disks import fill, make_read_only, small_disk
from tests.kit.edges import Edge, Reply, running_edge
from tests.kit.ports import free_range
from tests.kit.waiting import wait_for

ONE_CLICK = b"List-Unsubscribe=One-Click"


@dataclass
class Load:
    """Clients that click on a new link each, without pause, and note which clicks were answered."""

    edge: Edge
    clients: int = 20
    answered: list[UUID] = field(default_factory=list)
    odd: list[bytes] = field(default_factory=list)
    number: int = 0

    async def run(self, until: asyncio.Event) -> None:
        """Click until the edge is gone or `until` is set."""
        await asyncio.gather(*(self._client(until) for _ in range(self.clients)))

    async def _client(self, until: asyncio.Event) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.edge.port)
        except OSError:
            return
        try:
            while not until.is_set():
                self.number += 1
                id = UUID(int=(hash(self.edge.folder) & 0xFFFFFFFF) << 64 | self.number)
                path = self.edge.path(TokenKind.CLICK, id=id, destination="https://example.org/")
                writer.write(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
                head = await reader.readuntil(b"\r\n\r\n")
                (length,) = [line for line in head.split(b"\r\n") if line.startswith(b"content-length")]
                await reader.readexactly(int(length.split(b":")[1]))
                if head.startswith(b"HTTP/1.1 302"):
                    self.answered.append(id)
                else:
                    self.odd.append(head)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def click_until(load: Load, enough: int, signal_number: signal.Signals) -> int:
    """Load the edge, send it the signal after `enough` answers, and return its exit code."""

    async def run() -> None:
        process = load.edge.process
        assert process is not None
        stopped = asyncio.Event()
        clicking = asyncio.create_task(load.run(stopped))
        target = len(load.answered) + enough
        deadline = time.monotonic() + 60
        while len(load.answered) < target:
            assert time.monotonic() < deadline, load.edge.log()
            await asyncio.sleep(0)
        process.send_signal(signal_number)
        await asyncio.wait_for(clicking, 30)

    asyncio.run(run())
    assert load.edge.process is not None
    return load.edge.process.wait(30)


def test_kill_loses_no_answered_click(tmp_path: Path) -> None:
    """Killed at random moments under load and started again, an edge has every answered click, and each once."""
    with running_edge(tmp_path) as edge:
        load = Load(edge)
        for round in range(6):
            if round:
                edge.start()
            click_until(load, random.randint(1, 400), signal.SIGKILL)
        recorded = [hit.id for hit in edge.hits()]
        assert load.odd == []
        assert len(recorded) == len(set(recorded))
        assert set(load.answered) <= set(recorded)


def test_sigterm_answers_what_is_in_flight(tmp_path: Path) -> None:
    """Stopped under load the edge answers what it took, stores it, and exits with 0."""
    with running_edge(tmp_path) as edge:
        load = Load(edge)
        assert click_until(load, 200, signal.SIGTERM) == 0
        recorded = [hit.id for hit in edge.hits()]
        assert load.odd == []
        assert len(recorded) == len(set(recorded))
        assert set(load.answered) <= set(recorded)
        assert "edge.stopped" in edge.log()


def test_sigterm_ends_even_with_a_connection_that_says_nothing(tmp_path: Path) -> None:
    """Idle and half-written connections do not keep the edge from stopping."""
    with (
        running_edge(tmp_path) as edge,
        socket.create_connection(("127.0.0.1", edge.port)) as silent,
        socket.create_connection(("127.0.0.1", edge.port)) as halfway,
    ):
        halfway.sendall(f"POST {edge.path(TokenKind.UNSUBSCRIBE)} HTTP/1.1\r\nHost: t\r\n".encode())
        halfway.sendall(b"Content-Length: 26\r\n\r\nList")
        assert edge.ask("GET", "/healthz").status == 200
        assert edge.stop() == 0
        silent.close()


def test_on_a_full_disk_readers_are_redirected(tmp_path: Path) -> None:
    """With no room for the journal every click and pixel is answered, what would change something is refused.

    So it stays when the edge is killed and started on the full disk. It is loud in log, health and metrics; with room
    again all works, and everything that was said to be stored is there once.
    """
    with small_disk(tmp_path / "disk", megabytes=4) as disk:
        ops_port = free_range(1)
        with running_edge(tmp_path, journal=str(disk / "journal"), ops_port=ops_port) as edge:
            ops = Edge(tmp_path, port=ops_port)
            wishes = Wishes(edge)
            assert wishes.post() == (200, 200)
            assert ops.ask("GET", "/healthz").status == 200
            ballast = fill(disk)
            for _ in range(10_000):  # until the room the WAL had is used up
                assert redirects(edge)
                if ops.ask("GET", "/healthz").status == 503:
                    break
            else:
                pytest.fail("the disk never filled up")
            for killed in (False, True):
                if killed:
                    edge.stop(signal.SIGKILL)
                    edge.start()
                for _ in range(20):
                    assert redirects(edge)
                    assert edge.ask("GET", edge.path(TokenKind.OPEN), LONG).status == 200
                assert wishes.post() == (503, 503)
                assert edge.ask("GET", edge.path(TokenKind.PREFERENCES)).status == 200
                assert edge.ask("GET", "/healthz").status == 200
                assert ops.ask("GET", "/healthz").status == 503
                metrics = ops.ask("GET", "/metrics").body.decode()
                assert "resonanz_journal_available 0.0" in metrics
                assert 'outcome="unrecorded"' in metrics
                assert edge.log().count("journal.cannot_be_written") == 1 + killed
            ballast.unlink()
            assert wishes.post() == (200, 200)
            assert ops.ask("GET", "/healthz").status == 200
            wishes.check()


def test_with_a_read_only_journal_readers_are_redirected(tmp_path: Path) -> None:
    """On a disk that went read-only it is the same: redirects, refused POSTs, loud; and it recovers by itself."""
    with small_disk(tmp_path / "disk", megabytes=4) as disk:
        ops_port = free_range(1)
        with running_edge(tmp_path, journal=str(disk / "journal"), ops_port=ops_port) as edge:
            ops = Edge(tmp_path, port=ops_port)
            wishes = Wishes(edge)
            assert wishes.post() == (200, 200)
            edge.stop()
            make_read_only(disk)
            edge.start()
            assert redirects(edge)
            assert edge.ask("GET", edge.path(TokenKind.OPEN), LONG).status == 200
            assert wishes.post() == (503, 503)
            assert ops.ask("GET", "/healthz").status == 503
            assert "journal.cannot_be_written" in edge.log()
            make_read_only(disk, read_only=False)
            assert wishes.post() == (200, 200)
            assert ops.ask("GET", "/healthz").status == 200
            wishes.check()


LONG = {"User-Agent": "x" * 500, "Accept": "y" * 500}  # so that a small disk is soon full


def redirects(edge: Edge) -> bool:
    """Whether a fresh click gets where it should."""
    reply = edge.ask("GET", edge.path(TokenKind.CLICK, destination="https://a.example/"), LONG)
    return (reply.status, reply.header("location")) == (302, "https://a.example/")


class Wishes:
    """POSTs that change something, each with an id of its own, and what was answered to it."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._answered: dict[UUID, int] = {}

    def post(self) -> tuple[int, int]:
        """Unsubscribe one and switch tracking off for another; the statuses."""
        return (
            self._post(TokenKind.UNSUBSCRIBE, ONE_CLICK),
            self._post(TokenKind.PREFERENCES, b"tracking=off"),
        )

    def _post(self, kind: TokenKind, body: bytes) -> int:
        id = uuid4()
        reply = self._edge.ask("POST", self._edge.path(kind, id=id), LONG, body)
        self._answered[id] = reply.status
        assert reply.status == 200 or reply.header("retry-after") == "60"
        return reply.status

    def check(self) -> None:
        """What was taken is in the journal once; what was refused is not."""
        kept = [hit.id for hit in self._edge.hits() if hit.kind in (HitKind.UNSUBSCRIBE, HitKind.PREFERENCES)]
        assert sorted(kept) == sorted(id for id, status in self._answered.items() if status == 200)


def test_starts_and_redirects_without_a_usable_folder(tmp_path: Path) -> None:
    """An edge whose journal folder cannot be made starts and redirects all the same."""
    obstacle = tmp_path / "obstacle"
    obstacle.write_text("no folder")
    with running_edge(tmp_path / "edge", journal=str(obstacle)) as edge:
        assert edge.ask("GET", edge.path(TokenKind.CLICK, destination="https://a.example/")).status == 302
        assert edge.ask("POST", edge.path(TokenKind.UNSUBSCRIBE), body=ONE_CLICK).status == 503


def test_a_missing_key_file_stops_with_a_remedy(tmp_path: Path) -> None:
    """Without keys no token can be told from another: the edge does not start, and says what to do."""
    edge = Edge(tmp_path)
    (tmp_path / "keys.json").unlink()
    assert edge.launch().wait(30) == 1
    assert "resonanz setup" in edge.log()


def test_a_taken_port_stops_with_a_remedy(tmp_path: Path) -> None:
    """A port that another program holds is named, with what to do, and the edge ends instead of answering nobody."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        edge = Edge(tmp_path, port=other.getsockname()[1])
        assert edge.launch().wait(30) == 1
        assert f"127.0.0.1:{edge.port}: cannot listen: Address already in use (choose another port)" in edge.log()


def test_rotated_keys_are_taken_up_while_running(tmp_path: Path) -> None:
    """After a rotation new tokens work without a restart, old ones go on working; a damaged file changes nothing."""
    with running_edge(tmp_path) as edge:
        old = edge.path(TokenKind.CLICK, destination="https://old.example/")
        save_keys(tmp_path / "keys.json", edge.keys.rotated())
        edge.keys = load_keys(tmp_path / "keys.json")
        new = edge.path(TokenKind.CLICK, destination="https://new.example/")
        wait_for(lambda: edge.ask("GET", new).status == 302, "the new key was never taken up")
        assert edge.ask("GET", old).header("location") == "https://old.example/"
        (tmp_path / "keys.json").write_text("rubbish")
        wait_for(lambda: "edge.keys_not_readable" in edge.log(), "nothing was logged")
        assert edge.ask("GET", old).status == edge.ask("GET", new).status == 302


def test_two_processes_share_a_port(tmp_path: Path) -> None:
    """A second edge on the same port and folder takes a share of the load, with a journal of its own."""
    with running_edge(tmp_path) as one, running_edge(tmp_path, port=one.port) as two:
        asked = 0

        def both_have_hits() -> bool:
            nonlocal asked
            assert one.ask("GET", one.path(TokenKind.OPEN)).status == 200
            asked += 1
            reader = JournalReader(one.journal_folder)
            depths = [reader.depth(journal) for journal in reader.journals()]
            reader.close()
            return len(depths) == 2 and all(depths)

        wait_for(both_have_hits, "one of them never got a connection")
        assert len(one.hits()) == asked
        assert two.stop() == 0
        wait_for(lambda: one.ask("GET", "/healthz").status == 200, "the first one is gone too")


@pytest.mark.parametrize(
    ("arguments", "headers", "address"),
    [
        ({}, {"X-Forwarded-For": "198.51.100.7"}, "127.0.0.1"),
        ({"trusted_proxies": ["127.0.0.1"]}, {"X-Forwarded-For": "1.2.3.4, 198.51.100.7"}, "198.51.100.7"),
        ({"trusted_proxies": ["127.0.0.1"]}, {"Forwarded": "for=1.2.3.4"}, "127.0.0.1"),
        (
            {"trusted_proxies": ["127.0.0.1"], "proxy_header": "forwarded"},
            {"Forwarded": 'for="[2001:db8::7]:1"', "X-Forwarded-For": "1.2.3.4"},
            "2001:db8::7",
        ),
    ],
)
def test_addresses_behind_proxies(
    tmp_path: Path, arguments: dict[str, object], headers: dict[str, str], address: str
) -> None:
    """A trusted proxy's header gives the client's address; anybody else's, or the other header, says nothing."""
    with running_edge(tmp_path, **arguments) as edge:
        edge.ask("GET", edge.path(TokenKind.OPEN), headers)
        assert [hit.address for hit in edge.hits()] == [address]


def test_every_hit_is_counted(tmp_path: Path) -> None:
    """The operators' listener has the requests by kind and outcome and the journal's work."""
    ops_port = free_range(1)
    with running_edge(tmp_path, ops_port=ops_port) as edge:
        edge.ask("GET", edge.path(TokenKind.OPEN))
        edge.ask("GET", "/o/x.gif")
        edge.ask("GET", edge.path(TokenKind.CLICK, destination="https://a.example/"))
        edge.ask("POST", edge.path(TokenKind.CLICK, destination="https://a.example/"))
        edge.ask("POST", edge.path(TokenKind.UNSUBSCRIBE), body=ONE_CLICK)
        edge.ask("GET", edge.path(TokenKind.PREFERENCES))
        edge.ask("POST", edge.path(TokenKind.PREFERENCES), body=b"tracking=off")
        edge.ask("POST", edge.path(TokenKind.PREFERENCES), body=b"tracking=perhaps")
        metrics: Reply = Edge(tmp_path, port=ops_port).ask("GET", "/metrics")
        lines = metrics.body.decode().splitlines()
        for line in (
            'resonanz_edge_requests_total{kind="open",outcome="recorded"} 1.0',
            'resonanz_edge_requests_total{kind="open",outcome="unknown"} 1.0',
            'resonanz_edge_requests_total{kind="click",outcome="recorded"} 1.0',
            'resonanz_edge_requests_total{kind="click",outcome="refused"} 1.0',
            'resonanz_edge_requests_total{kind="unsubscribe",outcome="recorded"} 1.0',
            'resonanz_edge_requests_total{kind="preferences",outcome="shown"} 1.0',
            'resonanz_edge_requests_total{kind="preferences",outcome="recorded"} 1.0',
            'resonanz_edge_requests_total{kind="preferences",outcome="refused"} 1.0',
            "resonanz_journal_group_hits_sum 4.0",
            "resonanz_journal_available 1.0",
        ):
            assert line in lines


def test_token_of_a_removed_key_is_unknown(tmp_path: Path) -> None:
    """A token signed by a key that is not in the file leads nowhere."""
    with running_edge(tmp_path) as edge:
        stranger = mint(edge.keys.rotated(), Token(TokenKind.CLICK, UUID(int=1), destination="https://a.example/"))
        assert edge.ask("GET", f"/c/{stranger}").status == 404
