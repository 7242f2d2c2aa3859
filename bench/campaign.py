"""A campaign to many: how fast its audience becomes mails, and in how much memory; beside bare inserts of such rows.

`python -m bench campaign [RECIPIENTS]` (100,000). The bare loop writes the same three rows per mail, in portions of the
same size, with nothing looked up, checked or projected.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pysqlite3.dbapi2 as sqlite
from sqlalchemy import delete

from resonanz import model
from resonanz.insight import results_of, table
from resonanz.model import new_id
from resonanz.sending import campaigns, expansion
from resonanz.sending.campaigns import Plan
from resonanz.store import Database, contacts, lists, open_database
from resonanz.store.contacts import ConsentRow, Contact
from resonanz.store.lists import MailingList
from resonanz.store.migrate import migrate
from resonanz.store.tables import queue

RECIPIENTS = 100_000
AT_A_TIME = 5_000


def main(arguments: list[str]) -> None:
    """Measure and print."""
    recipients = int(arguments[0]) if arguments else RECIPIENTS
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/bench.sqlite")
        migrate(database)
        list_id = _fill(database, recipients)
        before = _peak()
        rate, submission_id = _expand(database, list_id, recipients)
        grown = _peak() - before
        bare = _bare(Path(folder) / "bare.sqlite", recipients)
        print(f"expanded          {rate:>10,.0f} mails/s, {rate / bare:.2f} of bare inserts ({bare:,.0f}/s)")
        print(f"memory            {grown:>10.1f} MB more at its peak than before, for {recipients:,} recipients")
        print(f"report            {_timed(lambda: results_of(database, submission_id)):>10.3f} s")
        print(f"recipients as CSV {_timed(lambda: sum(map(len, table(database, submission_id)))):>10.3f} s")
        database.close()


def _fill(database: Database, recipients: int) -> UUID:
    now = model.now() - timedelta(days=1)
    one = MailingList(new_id(), "everybody", "", True, now)
    with database.write() as tx:
        lists.add_list(tx, one)
    for start in range(0, recipients, AT_A_TIME):
        numbers = range(start, min(start + AT_A_TIME, recipients))
        people = [Contact(new_id(), f"reader{number}@rcpt.example", "", now) for number in numbers]
        with database.write() as tx:
            contacts.add_contacts(tx, people)
            lists.add_members(tx, one.id, [each.id for each in people], since=now, source="bench")
            contacts.add_consents(tx, [ConsentRow(each.id, "mailing", "granted", now, "bench") for each in people])
    return one.id


def _expand(database: Database, list_id: UUID, recipients: int) -> tuple[float, UUID]:
    """Make every mail as fast as it goes; what is made counts as sent at once."""
    now = model.now()
    plan = Plan(name="x", sender="a@sender.example", subject="x", text="Hello {{ contact.address }}", lists=(list_id,))
    made = campaigns.create(database, plan, account_id=None, now=now)
    campaigns.schedule(database, made.id, at=None, now=now)
    expansion.begin(database, made.id, now)
    started = time.perf_counter()
    while True:
        expansion.go_on(database, made.id, now, backlog=sys.maxsize)
        with database.write() as tx:
            campaign = campaigns.find(tx, made.id)
            tx.execute(delete(queue))  # as workers empty it: in an instance no more than a backlog stands there
        if campaign.expanded:
            break
    assert campaign.audience == recipients
    assert campaign.submission_id is not None
    return recipients / (time.perf_counter() - started), campaign.submission_id


def _bare(file: Path, recipients: int) -> float:
    connection = sqlite.connect(str(file), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    for name in ("messages", "events", "queue"):
        connection.execute(f"CREATE TABLE {name} (id BLOB PRIMARY KEY, a TEXT, b TEXT, c TEXT, at INTEGER)")
    started = time.perf_counter()
    for start in range(0, recipients, expansion.PORTION):
        rows = [
            (new_id().bytes, f"reader{number}@rcpt.example", "a@sender.example", "x", number)
            for number in range(start, min(start + expansion.PORTION, recipients))
        ]
        connection.execute("BEGIN IMMEDIATE")
        for name in ("messages", "events", "queue"):
            connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?)", rows)  # our own names
        connection.execute("COMMIT")
    connection.close()
    return recipients / (time.perf_counter() - started)


def _timed(work: object) -> float:
    assert callable(work)
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
