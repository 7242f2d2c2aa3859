"""What ingest sees of the journals: every hit as it was written, by position, once."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.journal import JournalReader, JournalUnavailable, SqliteJournal
from resonanz.journal.codec import decode, encode, whole_row
from resonanz.journal.file import connect
from resonanz.model import Hit, HitKind, NotFound

texts = st.text(st.characters(), max_size=30)  # lone surrogates and NUL included
hits = st.builds(
    Hit,
    kind=st.sampled_from(HitKind),
    id=st.uuids(),
    occurred_us=st.integers(0, 2**62),
    anonymous=st.booleans(),
    link=st.none() | st.integers(0, 2**35),
    destination=texts,
    method=texts,
    address=texts,
    user_agent=texts,
    headers=st.dictionaries(texts, texts, max_size=3),
    body=texts,
)


def write(folder: Path, hits_to_write: list[Hit]) -> str:
    journal = SqliteJournal.open(folder)

    async def append_all() -> None:
        for start in range(0, len(hits_to_write), 7):
            await asyncio.gather(*map(journal.append, hits_to_write[start : start + 7]))

    asyncio.run(append_all())
    journal.close()
    return journal.id


def mixed(count: int) -> list[Hit]:
    return [Hit(HitKind.CLICK if n % 3 == 0 else HitKind.OPEN, UUID(int=n), n) for n in range(count)]


@given(st.lists(hits, max_size=5))
def test_hits_come_back_as_they_were(written: list[Hit]) -> None:
    """Whatever characters a hit carries, reading gives the very hit that was written."""
    text = encode([whole_row(hit) for hit in written])
    assert decode(text) == written
    assert text.isascii()


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[[1,2]]", '[["open","x",1,0,null,"","","","",0,""]]', "null"])
def test_a_strange_row_is_refused(text: str) -> None:
    """A row that is not what the edge wrote raises ValueError and nothing else."""
    if text == "{}":
        assert decode(text) == []
    else:
        with pytest.raises(ValueError):
            decode(text)


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Batches of any size, one after the other, give every hit once in the order of positions."""
    journal = write(tmp_path, mixed(100))
    for size in (1, 3, 50, 1000):
        reader = JournalReader(tmp_path)
        seen: list[int] = []
        while batch := reader.read(journal, seen[-1] if seen else 0, size):
            assert len(batch) <= size
            assert all(entry.journal == journal for entry in batch)
            seen += [entry.position for entry in batch]
        assert seen == list(range(1, 101))
        reader.close()


def test_trimming_deletes_nothing_that_is_still_needed(tmp_path: Path) -> None:
    """After a trim every entry above the position is there; after the last one the journal is empty."""
    journal = write(tmp_path, mixed(100))
    reader = JournalReader(tmp_path)
    for upto in (0, 1, 6, 33, 34, 99, 100):
        reader.trim(journal, upto)
        assert [e.position for e in reader.read(journal, upto, 1000)] == list(range(upto + 1, 101))
        assert reader.depth(journal) >= 100 - upto
    assert reader.depth(journal) == 0
    reader.close()


def test_long_journals_are_trimmed_whole(tmp_path: Path) -> None:
    """A trim over more rows than one transaction takes deletes them all."""
    journal = write(tmp_path, mixed(2000))
    reader = JournalReader(tmp_path)
    reader.trim(journal, 1999)
    assert [e.position for e in reader.read(journal, 1999, 10)] == [2000]
    reader.trim(journal, 2000)
    assert reader.depth(journal) == 0
    reader.close()


def test_an_edge_that_starts_later_is_seen(tmp_path: Path) -> None:
    """Files may appear, and be replaced under the same name, while the reader lives."""
    reader = JournalReader(tmp_path / "journal")
    assert reader.journals() == []
    first = write(tmp_path / "journal", mixed(3))
    assert reader.journals() == [first]
    for path in (tmp_path / "journal").glob("edge-00.sqlite*"):
        path.unlink()
    second = write(tmp_path / "journal", mixed(2))
    assert second != first
    assert reader.journals() == [second]
    assert len(reader.read(second, 0, 10)) == 2
    with pytest.raises(NotFound):
        reader.read(first, 0, 10)
    reader.close()


def test_a_damaged_file_hides_no_other(tmp_path: Path) -> None:
    """A file that cannot be read is left out and logged; the other journals are read."""
    good = write(tmp_path, mixed(3))
    (tmp_path / "edge-01.sqlite").write_bytes(b"rubbish" * 1000)
    (tmp_path / "edge-02.sqlite").write_bytes(b"")
    reader = JournalReader(tmp_path)
    assert reader.journals() == [good]
    assert len(reader.read(good, 0, 10)) == 3
    reader.close()


def test_a_strange_row_is_reported_with_its_journal(tmp_path: Path) -> None:
    """What stands before a damaged row is read; then JournalUnavailable names the place, and nothing is lost."""
    journal = write(tmp_path, mixed(30))
    reader = JournalReader(tmp_path)
    reader._find(journal).execute("UPDATE acts SET hits = 'rubbish' WHERE last = (SELECT max(last) FROM acts)")
    last, count = reader._find(journal).execute("SELECT last, count FROM acts ORDER BY last DESC").fetchone()
    damaged = last - count
    readable = reader.read(journal, 0, 100)
    assert [entry.position for entry in readable] == list(range(1, damaged + 1))
    with pytest.raises(JournalUnavailable, match=f"{journal} behind position {damaged}"):
        reader.read(journal, damaged, 100)
    assert reader.depth(journal) == 30
    reader.close()


def test_reading_and_trimming_beside_a_busy_writer(tmp_path: Path) -> None:
    """While hits are appended, a reader that trims what it has seen gets each once and hinders no append."""
    total = 3000
    journal = SqliteJournal.open(tmp_path)
    seen: list[int] = []

    async def append_all() -> None:
        numbers = iter(mixed(total))

        async def append_some() -> None:
            for hit in numbers:
                await journal.append(hit)

        await asyncio.gather(*(append_some() for _ in range(20)))

    def follow() -> None:
        reader = JournalReader(tmp_path)
        while len(seen) < total:
            for entry in reader.read(journal.id, seen[-1] if seen else 0, 100):
                seen.append(entry.position)
            if seen:
                with suppress(JournalUnavailable):  # no turn at the lock for seconds: the next one takes it along
                    reader.trim(journal.id, seen[-1])
        reader.close()

    async def both() -> None:
        await asyncio.wait_for(asyncio.gather(append_all(), asyncio.to_thread(follow)), 60)

    asyncio.run(both())
    journal.close()
    assert seen == list(range(1, total + 1))
    with closing(JournalReader(tmp_path)) as reader:
        reader.trim(journal.id, total)
        assert reader.depth(journal.id) == 0


def test_a_file_of_an_earlier_version_is_read_and_written_on(tmp_path: Path) -> None:
    """Made before ids were a writer's: its hits are known by the id that they have, wherever it is opened first."""
    journal = write(tmp_path, mixed(20))
    with closing(connect(tmp_path / "edge-00.sqlite")) as file:
        file.executescript("DROP VIEW runs; DROP TABLE earlier;")
    reader = JournalReader(tmp_path)
    assert [entry.position for entry in reader.read(journal, 5, 100)] == list(range(6, 21))
    with closing(connect(tmp_path / "edge-00.sqlite")) as file:
        file.executescript("DROP VIEW runs; DROP TABLE earlier;")
    later = write(tmp_path, mixed(3))
    assert reader.journals() == [journal, later]
    assert [entry.position for entry in reader.read(journal, 5, 100)] == list(range(6, 21))
    assert [entry.position for entry in reader.read(later, 0, 100)] == [21, 22, 23]
    reader.close()
