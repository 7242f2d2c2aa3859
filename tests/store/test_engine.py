"""Failures of the database: outages are temporary, refusals are not, and neither repeats anybody's data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from traceback import format_exception

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from resonanz.model import Event, EventKind, TemporaryFailure, new_id
from resonanz.store import Database, events, open_database
from resonanz.store.tables import contacts
from tests.kit.cast import NOON

SECRET = "someone@example.org"


def test_a_refusal_for_content_is_no_outage(database: Database) -> None:
    """What can never be stored is not reported as something to try again."""

    def refuse() -> None:
        with database.write() as tx:
            tx.execute(text("INSERT INTO contacts (nothing) VALUES (:value)"), {"value": SECRET})

    with pytest.raises(DBAPIError) as caught:
        refuse()
    assert SECRET not in str(caught.value)


def test_many_rows_are_refused_like_one(database: Database) -> None:
    """As a refusal, without their data in its text; nothing of them stays, and the next ones are taken."""
    fact = Event(EventKind.OPENED, NOON, NOON, "edge", id=7, recipient=SECRET, reasons=("a", "b"), detail={"judge": 1})

    good = [replace(fact, id=8 + number) for number in range(99)]

    def add(*facts: Event) -> None:
        with database.write() as tx:
            events.add_events(tx, facts)

    with pytest.raises(IntegrityError) as caught:
        add(*good, replace(fact, source=None))  # type: ignore[arg-type]  # a column that must not be empty
    assert "".join(format_exception(caught.value)).count(SECRET) == 0
    add(*good)
    with database.read() as tx:
        assert events.after(tx, 0, limit=999) == good


def test_an_oversize_key_is_no_outage(postgresql_url: str) -> None:
    """PostgreSQL calls a row that its index cannot hold an operational error; waiting does not make it smaller."""
    database = open_database(postgresql_url)

    def refuse() -> None:
        with database.write() as tx:
            tx.execute(text("CREATE TABLE wide (words text PRIMARY KEY)"))
            tx.execute(text("INSERT INTO wide SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) n"))

    with pytest.raises(DBAPIError):
        refuse()
    database.close()


def test_a_server_that_is_away_is_an_outage() -> None:
    """Nothing listens there: temporary, whatever the driver calls it."""
    database = open_database("postgresql://nobody@127.0.0.1:1/nothing")

    def ask() -> None:
        with database.read() as tx:
            tx.execute(text("SELECT 1"))

    with pytest.raises(TemporaryFailure):
        ask()


def test_a_file_that_cannot_be_written_is_an_outage(sqlite_url: str, tmp_path: Path) -> None:
    """A database made read-only can be read, and says temporary to whoever writes."""
    database = open_database(sqlite_url)

    def write() -> None:
        with database.write() as tx:
            tx.execute(text("PRAGMA query_only = ON"))
            tx.execute(insert(contacts).values(id=new_id(), address=SECRET, name="", created_at=NOON))

    with pytest.raises(TemporaryFailure) as caught:
        write()
    assert SECRET not in str(caught.value)
    database.close()


def test_null_blobs_and_truth_values_are_stored_as_what_they_are(sqlite_url: str) -> None:
    """The short cut past the driver's own look-ups changes nothing of what it hands over."""
    database = open_database(sqlite_url)
    with database.read() as tx:
        rows = tx.exec_driver_sql(
            "SELECT typeof(?), typeof(?), typeof(?), ?, ?, ?, ?", (None, b"\0\xff", True, None, b"\0\xff", True, False)
        ).all()
    assert [tuple(row) for row in rows] == [("null", "blob", "integer", None, b"\0\xff", 1, 0)]
    database.close()
