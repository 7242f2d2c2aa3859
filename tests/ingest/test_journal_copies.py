"""Copies of a journal: a data folder that was cloned, or put back from a backup, hides no hit and doubles none."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from resonanz.ingest import take_journals
from resonanz.journal import JournalReader, SqliteJournal
from resonanz.journal.gauge import gauges
from resonanz.model import HitKind
from resonanz.store import Database, cursors, events
from tests.kit.cast import NOON, Cast, hit


class World:
    """One message whose links are followed, each click at a second of its own, and what became of the clicks."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as tx:
            self.message = Cast.enter(tx).mail(tx)
        self.clicked = 0

    def click(self, journal: SqliteJournal, times: int) -> None:
        """Follow links, so many times."""

        async def append() -> None:
            for _ in range(times):
                self.clicked += 1
                await journal.append(hit(self.message, HitKind.CLICK, at=NOON + timedelta(minutes=self.clicked)))

        asyncio.run(append())

    def take(self, *folders: Path) -> None:
        """Take over whatever lies in these folders, as the worker of each would."""
        for folder in folders:
            with closing(JournalReader(folder)) as reader:
                take_journals(self.database, reader, now=lambda: NOON)

    def facts(self) -> int:
        """How many clicks are facts."""
        with self.database.read() as tx:
            return len([event for event in events.after(tx, 0, limit=1000) if event.source == "edge"])


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.mark.parametrize("taken_before", [0, 3])
def test_two_edges_with_copies_of_a_journal_keep_their_hits_apart(
    world: World, tmp_path: Path, taken_before: int
) -> None:
    """A folder copied while its edge goes on: what both write afterwards counts, and what was copied counts once."""
    one, two = tmp_path / "one", tmp_path / "two"
    journal = SqliteJournal.open(one)
    world.click(journal, taken_before)
    world.take(one)
    world.click(journal, 2)
    journal.close()
    shutil.copytree(one, two)
    with closing(SqliteJournal.open(one)) as first, closing(SqliteJournal.open(two)) as second:
        world.click(first, 4)
        world.click(second, 5)
        world.take(two, one, two)
        world.click(first, 1)
        world.click(second, 1)
        world.take(one, two)
    assert world.facts() == world.clicked
    for folder in (one, two):
        with closing(JournalReader(folder)) as reader:
            assert [reader.depth(name) for name in reader.journals()] == [0], "what is safe has left the file"


def test_a_copy_taken_from_a_running_edge_hides_nothing(world: World, tmp_path: Path) -> None:
    """The first edge is not even started again: its journal stays what it was, the copy's is another."""
    one, two = tmp_path / "one", tmp_path / "two"
    with closing(SqliteJournal.open(one)) as first:
        world.click(first, 3)
        shutil.copytree(one, two)
        with closing(SqliteJournal.open(two)) as second:
            assert second.id != first.id
            world.click(first, 2)
            world.click(second, 2)
            world.take(one, two)
    assert world.facts() == world.clicked


def test_a_journal_put_back_from_a_backup_loses_nothing_new(world: World, tmp_path: Path) -> None:
    """The database remembers further than the journal put back: hits that follow are not taken for old ones."""
    folder, backup = tmp_path / "journal", tmp_path / "backup"
    with closing(SqliteJournal.open(folder)) as journal:
        world.click(journal, 2)
    shutil.copytree(folder, backup)
    with closing(SqliteJournal.open(folder)) as journal:
        world.click(journal, 5)
        world.take(folder)
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    with closing(SqliteJournal.open(folder)) as journal:
        world.click(journal, 3)
        world.take(folder)
    assert world.facts() == world.clicked


def test_hits_of_several_starts_wait_and_are_taken_in_order(world: World, tmp_path: Path) -> None:
    """An edge that was started again and again while nobody took its hits over: all wait, are seen to wait, and count
    once, however small the batches."""
    for times in (2, 0, 3, 0, 0, 1):
        with closing(SqliteJournal.open(tmp_path)) as journal:
            world.click(journal, times)
    with closing(SqliteJournal.open(tmp_path)) as journal, closing(JournalReader(tmp_path)) as reader:
        assert [reader.depth(name) for name in reader.journals()] == [2, 3, 1, 0]
        assert reader.journals()[-1] == journal.id
        assert [gauge.waiting for gauge in gauges(tmp_path, {reader.journals()[0]: 1})] == [5]
        world.click(journal, 2)
        assert take_journals(world.database, reader, now=lambda: NOON, batch=1) == 8
        assert reader.journals() == [journal.id]
        assert [gauge.waiting for gauge in gauges(tmp_path, {journal.id: 8})] == [0]
    assert world.facts() == world.clicked


def test_what_was_taken_leaves_the_file_after_a_crash_before_that(world: World, tmp_path: Path) -> None:
    """Taken over but not trimmed when the worker died, and the edge begun anew: the rest is cleared away, not kept."""
    with closing(SqliteJournal.open(tmp_path)) as journal:
        world.click(journal, 3)
    with closing(JournalReader(tmp_path)) as reader:
        (name,) = reader.journals()
        with world.database.write() as tx:
            cursors.lock_cursor(tx, name, NOON)
            cursors.move_cursor(tx, name, 3, NOON)
        with closing(SqliteJournal.open(tmp_path)) as journal:
            assert reader.journals() == [name, journal.id]
            take_journals(world.database, reader, now=lambda: NOON)
            assert reader.journals() == [journal.id]
    assert world.facts() == 0
