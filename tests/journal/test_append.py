"""What the writing side of the journal promises, held against real files, full disks and kill -9."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from resonanz.journal import JournalReader, JournalUnavailable, SqliteJournal
from resonanz.journal.writer import Writer
from resonanz.model import Hit, HitKind
from tests.kit.disks import fill, small_disk
from tests.kit.waiting import DEADLINE

PROGRAM = Path(__file__).with_name("append_until_killed.py")


def click(number: int = 1, *, body: str = "") -> Hit:
    return Hit(HitKind.CLICK, UUID(int=number), number, link=1, destination="https://example.org/", body=body)


def pixel(number: int = 1) -> Hit:
    return Hit(HitKind.OPEN, UUID(int=number), number, address="192.0.2.1", user_agent="x" * 200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(folder: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal.open(folder)
    yield journal
    journal.close()


def append_until_refused(journal: SqliteJournal, after: int) -> int:
    """Append clicks numbered from `after` + 1 until one is refused; return the last number that was not."""
    for number in range(after + 1, after + 2000):  # what the WAL has room for still succeeds
        try:
            asyncio.run(journal.append(click(number, body="x" * 4000)))
        except JournalUnavailable:
            return number - 1
    raise AssertionError("a full disk refused nothing")


class Counts:
    """An observer that adds up."""

    def __init__(self) -> None:
        self.hits = self.groups = self.lost = self.dropped = 0

    def appended(self, hits: int, seconds: float) -> None:
        self.hits += hits
        self.groups += 1
        assert seconds > 0

    def failed(self, hits: int) -> None:
        self.lost += hits

    def given_up(self, hits: int) -> None:
        self.dropped += hits


def test_positions_are_never_used_twice(folder: Path) -> None:
    """Positions go on after everything was trimmed and the process started anew."""
    for expected in (1, 2, 3):
        journal = SqliteJournal.open(folder)
        assert asyncio.run(journal.append(click())) == expected
        journal.close()
        JournalReader(folder).trim(journal.id, expected)


def test_hits_that_wait_together_share_one_commit(folder: Path) -> None:
    """A thousand concurrent appends need far fewer commits, and each gets a position of its own."""
    counts = Counts()
    journal = SqliteJournal.open(folder, observer=counts)

    async def append_many() -> list[int]:
        return await asyncio.gather(*(journal.append(click(n) if n % 2 else pixel(n)) for n in range(1000)))

    positions = asyncio.run(append_many())
    journal.close()
    assert sorted(positions) == list(range(1, 1001))
    assert counts.hits == 1000
    assert counts.groups < 100
    stored = {entry.position: entry.hit.occurred_us for entry in JournalReader(folder).read(journal.id, 0, 2000)}
    assert stored == {position: number for number, position in enumerate(positions)}


def test_each_process_has_a_file_of_its_own(folder: Path) -> None:
    """Journals open at once have different files and ids; a closed one's file is taken up again, under an id of its
    own."""
    one, two = SqliteJournal.open(folder), SqliteJournal.open(folder)
    assert one.id != two.id
    one.close()
    again = SqliteJournal.open(folder)
    assert again.place == one.place
    assert again.id not in (one.id, two.id)
    again.close()
    two.close()
    assert sorted(JournalReader(folder).journals()) == sorted([again.id, two.id])


def test_kill_loses_nothing_acknowledged(folder: Path) -> None:
    """After kill -9 at random moments every acknowledged position is in the journal, once, with its hit."""
    acknowledged: dict[int, int] = {}
    first = 1
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder), str(first)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        kill_after = random.randint(1, 3000)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if len(lines) == kill_after:
                process.send_signal(signal.SIGKILL)
        process.wait()
        for line in lines:
            if line.endswith("\n"):
                position, number = map(int, line.split())
                assert position not in acknowledged
                acknowledged[position] = number
        first += 1_000_000
    reader = JournalReader(folder)
    entries = [entry for journal in reader.journals() for entry in reader.read(journal, 0, 1_000_000)]
    stored = {entry.position: entry.hit.id.int for entry in entries}
    assert len(stored) == len(entries)
    assert acknowledged.items() <= stored.items()


def test_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    """On a full disk appends raise JournalUnavailable; once there is room again they succeed, and nothing is lost."""
    with small_disk(tmp_path / "disk", megabytes=4) as disk:
        counts = Counts()
        journal = SqliteJournal.open(disk / "journal", observer=counts)
        asyncio.run(journal.append(click(1)))
        ballast = fill(disk)
        acknowledged = append_until_refused(journal, after=1)
        assert not journal.available
        assert counts.lost == 1
        ballast.unlink()
        assert asyncio.run(journal.append(click(acknowledged + 1))) == acknowledged + 1
        assert journal.available
        journal.close()
        stored = [entry.hit.id.int for entry in JournalReader(disk / "journal").read(journal.id, 0, 1000)]
        assert stored == list(range(1, acknowledged + 2))


def test_opens_on_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """Where no folder can be made, the journal opens all the same, refuses hits, and works once there is one."""
    obstacle = tmp_path / "journal"
    obstacle.write_text("a file where the folder should be")
    journal = SqliteJournal.open(obstacle)
    with pytest.raises(JournalUnavailable):
        asyncio.run(journal.append(click()))
    obstacle.unlink()
    assert asyncio.run(journal.append(click())) == 1
    journal.close()


@pytest.mark.parametrize(
    "damage", [b"", b"no database at all" * 500, b"SQLite format 3\x00" + bytes(5000)], ids=["empty", "text", "header"]
)
def test_damaged_file_is_set_aside(folder: Path, damage: bytes) -> None:
    """A file that is no journal is kept under another name and a fresh one begun; an empty one is simply begun."""
    folder.mkdir()
    (folder / "edge-00.sqlite").write_bytes(damage)
    journal = SqliteJournal.open(folder)
    assert asyncio.run(journal.append(click())) == 1
    journal.close()
    assert JournalReader(folder).depth(journal.id) == 1
    kept = [path.read_bytes() for path in folder.glob("edge-00.sqlite.damaged-*") if path.suffix != ".lock"]
    assert kept == ([damage] if damage else [])


def test_damage_while_running_is_set_aside(folder: Path) -> None:
    """A file overwritten under a running edge costs no append: the hit goes into a fresh journal."""
    journal = SqliteJournal.open(folder)
    old = journal.id
    asyncio.run(journal.append(click(1)))
    path = folder / "edge-00.sqlite"
    JournalReader(folder)._find(old).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.write(b"\xff" * path.stat().st_size)
    asyncio.run(journal.append(click(2)))
    journal.close()
    assert journal.id != old
    assert [e.hit.id.int for e in JournalReader(folder).read(journal.id, 0, 10)] == [2]
    assert list(folder.glob("edge-00.sqlite.damaged-*"))


def test_file_taken_away_is_begun_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file is deleted under a running edge, hits soon go to a new one that ingest can see."""
    monkeypatch.setattr("resonanz.journal.writer._MOVED_SECONDS", 0.0)
    journal = SqliteJournal.open(folder)
    asyncio.run(journal.append(click(1)))
    for path in folder.glob("edge-00.sqlite*"):
        path.unlink()
    asyncio.run(journal.append(click(2)))
    journal.close()
    assert [e.hit.id.int for e in JournalReader(folder).read(journal.id, 0, 10)] == [2]


def test_at_the_limit_the_oldest_pixels_go_first(folder: Path) -> None:
    """Over its limit a journal gives up the oldest pixel hits, counted; every click stays, as do the newest pixels."""
    counts = Counts()
    limit = 400_000
    journal = SqliteJournal.open(folder, limit_bytes=limit, observer=counts)

    async def append_many() -> None:
        for start in range(0, 6000, 50):
            hits = (click(n) if n % 10 == 0 else pixel(n) for n in range(start, start + 50))
            await asyncio.gather(*map(journal.append, hits))

    asyncio.run(append_many())
    journal.close()
    reader = JournalReader(folder)
    hits = [entry.hit for entry in reader.read(journal.id, 0, 10_000)]
    clicks = [hit.id.int for hit in hits if hit.kind is HitKind.CLICK]
    pixels = sorted(hit.id.int for hit in hits if hit.kind is HitKind.OPEN)
    assert sorted(clicks) == list(range(0, 6000, 10))
    assert pixels, "the newest pixels are kept"
    assert pixels == [n for n in range(pixels[0], 6000) if n % 10]
    assert counts.dropped == reader.given_up(journal.id) == 5400 - len(pixels)
    assert (folder / "edge-00.sqlite").stat().st_size < 2 * limit


def test_clicks_are_kept_beyond_the_limit(folder: Path) -> None:
    """Where there are no pixels to give up, clicks are stored beyond the limit."""
    journal = SqliteJournal.open(folder, limit_bytes=20_000)

    async def append_many() -> None:
        await asyncio.gather(*(journal.append(click(n, body="x" * 500)) for n in range(500)))

    asyncio.run(append_many())
    journal.close()
    assert JournalReader(folder).depth(journal.id) == 500


def test_a_disk_that_does_not_answer_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a commit hangs, appends are refused instead of hanging too; what was queued is written afterwards."""
    monkeypatch.setattr("resonanz.journal.append._STALLED_SECONDS", 0.05)
    answers = threading.Event()
    insert = Writer._insert

    def hang(self: Writer, *hits: object) -> int:
        answers.wait()
        return insert(self, *hits)

    monkeypatch.setattr(Writer, "_insert", hang)
    journal = SqliteJournal.open(folder)

    async def append_in_trouble() -> None:
        waiting = [asyncio.ensure_future(journal.append(click(n))) for n in range(5)]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(outcome, JournalUnavailable) for outcome in outcomes)
        with pytest.raises(JournalUnavailable):
            await journal.append(click(5))
        answers.set()
        deadline = asyncio.get_running_loop().time() + DEADLINE
        while asyncio.get_running_loop().time() < deadline:
            try:
                await journal.append(click(6))
                return
            except JournalUnavailable:
                await asyncio.sleep(0.01)
        raise AssertionError("the journal never came back")

    asyncio.run(append_in_trouble())
    journal.close()
    stored = {entry.hit.id.int for entry in JournalReader(folder).read(journal.id, 0, 1000)}
    assert stored == set(range(7))


def test_a_file_being_kept_to_its_limit_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While giving pixels up hangs, appends are refused instead of hanging too; they are written afterwards."""
    answers = threading.Event()
    monkeypatch.setattr(Writer, "keep_to_limit", lambda _: answers.wait())
    journal = SqliteJournal.open(folder)

    async def append_in_trouble() -> None:
        await journal.append(click(1))
        monkeypatch.setattr("resonanz.journal.append._STALLED_SECONDS", 0.05)  # not before: a disk may be that slow
        with pytest.raises(JournalUnavailable):
            await journal.append(click(2))
        answers.set()

    asyncio.run(append_in_trouble())
    journal.close()
    assert [entry.hit.id.int for entry in JournalReader(folder).read(journal.id, 0, 10)] == [1, 2]


def test_an_answer_that_fails_stops_nobody_else(journal: SqliteJournal) -> None:
    """Whatever goes wrong in telling one that its hit is on disk, all others are told, now and later."""

    def fail(_: object) -> None:
        raise RuntimeError("on its way to the reader")

    async def append_all() -> list[int]:
        journal.append_token(HitKind.CLICK, "token", 1, "GET", "", "", {}).then(fail)
        return [await journal.append(click(number)) for number in (1, 2)]

    assert asyncio.run(append_all()) == [2, 3]


def test_a_file_far_above_its_limit_shrinks_while_hits_go_on(folder: Path) -> None:
    """With a limit that was lowered much is given up, but never so much at once that hits have to wait for it."""
    journal = SqliteJournal.open(folder)

    async def append_one_by_one() -> None:
        for number in range(800):
            await journal.append(pixel(number))

    asyncio.run(append_one_by_one())
    journal.close()
    journal = SqliteJournal.open(folder, limit_bytes=50_000)
    drops = []
    for number in range(10):
        before = JournalReader(folder).given_up(journal.id)
        asyncio.run(journal.append(pixel(number)))
        drops.append(JournalReader(folder).given_up(journal.id) - before)
    journal.close()
    assert max(drops) <= 2 * 4 * 64, "of two groups at most"
    assert JournalReader(folder).depth(journal.id) < 400


def test_what_is_to_run_before_a_commit_never_waits_for_a_dead_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls run in the writer's thread and their hits are written; behind a disk that hangs, and after the journal was
    closed, they are run all the same, and their hits are refused."""
    answers = threading.Event()
    insert = Writer._insert

    def hang(self: Writer, *hits: object) -> int:
        answers.wait()
        return insert(self, *hits)

    journal = SqliteJournal.open(folder)
    done: list[tuple[int, int]] = []
    ran = threading.Semaphore(0)

    def append(number: int) -> None:
        pending = journal.append_token(HitKind.CLICK, "x", number, "GET", "", "", {})

        def resume(_: object) -> None:
            done.append((number, pending.result()))
            ran.release()

        pending.then(resume)

    journal.soon(lambda: append(1))
    assert ran.acquire(timeout=DEADLINE)
    monkeypatch.setattr("resonanz.journal.append._STALLED_SECONDS", 0.05)  # not before: a disk may be that slow
    monkeypatch.setattr(Writer, "_insert", hang)
    for number in (2, 3):
        journal.soon(lambda number=number: append(number))  # type: ignore[misc]
        assert ran.acquire(timeout=DEADLINE)
    answers.set()
    journal.close()
    journal.soon(lambda: append(4))
    assert ran.acquire(timeout=DEADLINE)
    assert done == [(1, 1), (2, 0), (3, 0), (4, 0)]
    assert JournalReader(folder).depth(journal.id) == 3


def test_a_closed_journal_refuses(journal: SqliteJournal) -> None:
    """Closing writes what was queued; later appends raise."""
    journal.close()
    with pytest.raises(JournalUnavailable):
        asyncio.run(journal.append(click()))
