"""A journal that nobody takes over: at its limit the oldest pixel hits go, are counted, and nothing else ever does."""

from __future__ import annotations

from pathlib import Path

from resonanz.journal import JournalReader
from resonanz.model import HitKind, new_id
from resonanz.tokens import TokenKind
from tests.kit.edges import Edge, running_edge
from tests.kit.ports import free_range
from tests.kit.waiting import wait_for

LIMIT = 400_000
LONG = {"User-Agent": "x" * 500, "Accept": "y" * 500}


def test_at_the_limit_the_oldest_pixels_are_given_up(tmp_path: Path) -> None:
    """Asked for more than the journal may hold: every click and unsubscribe is there, the newest pixels are, and each
    pixel that is not was counted, in the metrics and in the journal itself."""
    ops_port = free_range(1)
    with running_edge(tmp_path, journal_limit=LIMIT, ops_port=ops_port) as edge:
        pixels = [new_id() for _ in range(600)]
        clicks, leavers = [], []
        for number, pixel in enumerate(pixels):
            assert edge.ask("GET", edge.path(TokenKind.OPEN, id=pixel), LONG).status == 200
            if number % 10 == 0:
                clicks.append(new_id())
                click = edge.path(TokenKind.CLICK, id=clicks[-1], destination="https://a.example/")
                assert edge.ask("GET", click, LONG).status == 302
            if number % 50 == 0:
                leavers.append(new_id())
                leave = edge.path(TokenKind.UNSUBSCRIBE, id=leavers[-1])
                assert edge.ask("POST", leave, LONG, b"List-Unsubscribe=One-Click").status == 200
        hits = edge.hits()
        metrics = Edge(tmp_path, port=ops_port).ask("GET", "/metrics").body.decode()
        assert edge.stop() == 0
    kept = [hit.id for hit in hits if hit.kind is HitKind.OPEN]
    lost = len(pixels) - len(kept)
    assert lost > 0
    assert kept == pixels[lost:]
    assert [hit.id for hit in hits if hit.kind is HitKind.CLICK] == clicks
    assert [hit.id for hit in hits if hit.kind is HitKind.UNSUBSCRIBE] == leavers
    assert f"resonanz_journal_given_up_hits_total {lost}.0" in metrics
    assert "journal.pixels_given_up" in edge.log()
    reader = JournalReader(edge.journal_folder)
    assert [reader.given_up(journal) for journal in reader.journals()] == [lost]
    reader.close()


def test_clicks_beyond_the_limit_are_kept_and_told_of(tmp_path: Path) -> None:
    """With nothing but clicks and wishes the journal grows on: each is answered and kept, and the operators' listener
    says so, once in the log, until somebody has taken them over."""
    ops_port = free_range(1)
    with running_edge(tmp_path, journal_limit=100_000, ops_port=ops_port) as edge:
        ops = Edge(tmp_path, port=ops_port)
        wanted = []
        while b"over its limit" not in ops.ask("GET", "/healthz").body:
            wanted += [new_id(), new_id()]
            click = edge.path(TokenKind.CLICK, id=wanted[-2], destination="https://a.example/")
            assert edge.ask("GET", click, LONG).status == 302
            leave = edge.path(TokenKind.UNSUBSCRIBE, id=wanted[-1])
            assert edge.ask("POST", leave, LONG, b"List-Unsubscribe=One-Click").status == 200
            assert len(wanted) < 1000, "it is never told"
        assert b"resonanz_journal_over_limit 1.0" in ops.ask("GET", "/metrics").body
        assert [hit.id for hit in edge.hits()] == wanted
        for _ in range(5):
            assert edge.ask("GET", edge.path(TokenKind.CLICK, destination="https://a.example/"), LONG).status == 302
        assert edge.log().count("journal.over_limit") == 1
        reader = JournalReader(edge.journal_folder)
        for journal in reader.journals():
            reader.trim(journal, 10_000)
        reader.close()

        def is_told() -> bool:
            edge.ask("GET", edge.path(TokenKind.CLICK, destination="https://a.example/"))
            return b"over its limit" in ops.ask("GET", "/healthz").body

        wait_for(lambda: not is_told(), "the limit is kept again")
        assert b"resonanz_journal_over_limit 0.0" in ops.ask("GET", "/metrics").body
