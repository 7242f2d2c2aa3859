"""What the operations page is told: counted at the roles, seen in the journals, and never guessed for who is away."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from resonanz import model
from resonanz.app.settings import Settings
from resonanz.app.watch import Watch
from resonanz.dashboard.operations import Operations
from resonanz.ingest import take_journals
from resonanz.journal import JournalReader
from resonanz.model import new_id
from resonanz.store import open_database
from resonanz.tokens import Token, TokenKind, load_keys, mint
from tests.kit.disks import fill, small_disk
from tests.kit.edges import Edge
from tests.kit.roles import Roles
from tests.kit.waiting import wait_for


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The settings of an instance, as its own processes read them."""

    def read(roles: Roles) -> Settings:
        for name, value in roles.environment.items():
            if name.startswith("RESONANZ_"):
                monkeypatch.setenv(name, value)
        return Settings()

    return read


def test_an_edge_alone(tmp_path: Path, settings_of) -> None:  # type: ignore[no-untyped-def]
    """With one role running: its hits a second by kind, what waits and since when; the others are not reachable. Taken
    over, nothing waits any more."""
    with Roles(tmp_path, ["edge"]) as roles:
        settings = settings_of(roles)
        edge = Edge(tmp_path, port=settings.edge_port)
        keys = load_keys(roles.data / "keys.json")
        with closing(open_database(settings.database_url.get_secret_value())) as database:
            watch = Watch(settings, database)
            assert watch.operations.at is None
            watch.look()
            for _ in range(3):
                assert edge.ask("GET", f"/o/{mint(keys, Token(TokenKind.OPEN, new_id()))}.gif").status == 200
            edge.ask("GET", f"/c/{mint(keys, Token(TokenKind.CLICK, new_id(), destination='https://a.example/'))}")
            seen = watch.look()
            assert [(role.name, role.reachable, role.well) for role in seen.roles] == [
                ("edge", True, True),
                ("app", False, False),
                ("worker", False, False),
                ("relay", False, False),
            ]
            assert seen.roles[0].note == "there is no snapshot yet"
            assert seen.rates["open"] == pytest.approx(3 * seen.rates["click"])
            assert seen.history == (seen.rate,)
            (journal,) = seen.journals
            assert (journal.name, journal.edge, journal.waiting, journal.given_up) == ("edge-00", "edge", 4, 0)
            assert 0 < journal.lag_seconds < 60
            assert (seen.waiting, seen.lag_seconds) == (4, journal.lag_seconds)
            assert (seen.drops, seen.queue, seen.snapshot_age, seen.alarms) == (None, 0, None, ())

            take_journals(database, JournalReader(settings.journal_dir), now=model.now)
            seen = watch.look()
            assert (seen.waiting, seen.lag_seconds) == (0, 0.0)
            assert seen.rates == {}


def test_a_journal_that_cannot_be_written_is_an_alarm(tmp_path: Path, settings_of) -> None:  # type: ignore[no-untyped-def]
    """On a full disk the alarm says what, where and what to do; it ends when there is room again."""
    with small_disk(tmp_path / "data" / "journal", megabytes=4) as disk, Roles(tmp_path, ["edge"]) as roles:
        settings = settings_of(roles)
        edge = Edge(tmp_path, port=settings.edge_port)
        keys = load_keys(roles.data / "keys.json")
        with closing(open_database(settings.database_url.get_secret_value())) as database:
            watch = Watch(settings, database)

            def look_after_a_click() -> Operations:
                click = mint(keys, Token(TokenKind.CLICK, new_id(), destination="https://a.example/" + "x" * 9000))
                assert edge.ask("GET", f"/c/{click}").status == 302
                return watch.look()

            ballast = fill(disk)
            (alarm,) = wait_for(lambda: look_after_a_click().alarms, "the alarm")
            assert alarm.what == "the journal cannot be written: database or disk is full"
            assert alarm.where == f"edge: {disk}/edge-00.sqlite"
            assert "Free space" in alarm.remedy
            assert watch.look().unrecorded > 0
            ballast.unlink()
            wait_for(lambda: not look_after_a_click().alarms, "the end of the alarm")


def test_without_listeners_nobody_is_asked(tmp_path: Path, settings_of) -> None:  # type: ignore[no-untyped-def]
    """Port 0 turns them off: the page is told so, instead of that all roles are away."""
    with Roles(tmp_path, [], {"RESONANZ_OPS_PORT": "0"}) as roles:
        settings = settings_of(roles)
        with closing(open_database(settings.database_url.get_secret_value())) as database:
            seen = Watch(settings, database).look()
    assert (seen.watched, seen.roles, seen.drops) == (False, (), None)
