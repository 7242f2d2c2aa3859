"""Transactions that write the same rows wait for each other, never in a circle (PostgreSQL ends one of a circle)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from resonanz.model import Coverage, MessageState, TrackingMode
from resonanz.store import Database, Tx, contacts, messages, open_database
from resonanz.store.messages import Built
from tests.kit.mails import NOW, draft, hand_in
from tests.kit.rows import update_message
from tests.kit.waiting import wait_for


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Database]:
    """A fresh PostgreSQL database: SQLite has one writer at a time, which can wait for nobody in a circle."""
    database = open_database(postgresql_url)
    yield database
    database.close()


def test_the_same_new_people_in_another_order(postgresql: Database) -> None:
    """Two submissions to the same new people are both stored, in whatever order they name them."""
    _in_turn(
        postgresql,
        lambda tx: contacts.ensure_contacts(tx, [("m@example.org", "")], NOW),
        lambda tx: contacts.ensure_contacts(tx, [(f"{name}@example.org", "") for name in "zma"], NOW),
        lambda tx: contacts.ensure_contacts(tx, [("z@example.org", "")], NOW),
    )
    with postgresql.read() as tx:
        assert all(contacts.find_contact(tx, f"{name}@example.org") for name in "amz")


def save_built(tx: Tx, ids: list[UUID]) -> None:
    """Write down that a worker takes these up."""
    mode = TrackingMode.OFF
    built = [Built(id, mode, mode, Coverage.TRACKABLE, "", f"<{id}@x.example>", None) for id in ids]
    messages.save_built(tx, built)


@pytest.mark.parametrize("write", [save_built, messages.lock])
def test_messages_are_locked_in_the_order_of_their_ids(
    postgresql: Database, write: Callable[[Tx, list[UUID]], None]
) -> None:
    """A worker that takes messages up waits for facts about some of them, wherever the rows lie on disk."""
    receipt = hand_in(postgresql, draft(recipients=[f"r{number}@rcpt.example" for number in range(3)]))
    first, second, third = sorted(message for message, _ in receipt.messages)
    for moved in (first, second):  # an update writes the row anew, behind the others
        with postgresql.write() as tx:
            update_message(tx, moved, {"state_note": "moved"})

    def scan(tx: Tx) -> None:
        for way in ("indexscan", "bitmapscan"):  # as for many messages: the table is read from its start
            tx.execute(text(f"SET LOCAL enable_{way} = off"))
        write(tx, [third, second, first])

    _in_turn(
        postgresql,
        lambda tx: update_message(tx, second, {"state_note": "fact"}),
        scan,
        lambda tx: update_message(tx, third, {"state_note": "fact"}),
    )
    with postgresql.read() as tx:
        found = messages.get_messages(tx, [first, second, third])
    assert [found[id].state_note for id in (first, second, third)] == ["moved", "fact", "fact"]
    expected = MessageState.SENDING if write is save_built else MessageState.QUEUED
    assert {message.state for message in found.values()} == {expected}


def _in_turn(
    database: Database, begin: Callable[[Tx], object], other: Callable[[Tx], object], end: Callable[[Tx], object]
) -> None:
    """Begin in one transaction, let another write until it waits for this one, then end. Raises what either raises."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with database.write() as tx:
                other(tx)
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    try:
        with database.write() as tx:
            begin(tx)
            thread.start()
            wait_for(lambda: _somebody_waits(database), "the other transaction to wait")
            end(tx)
    finally:
        thread.join()
    assert failures == []


def _somebody_waits(database: Database) -> bool:
    with database.read() as tx:
        return tx.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one() > 0
