"""What the worker tells the edges: complete, agreed with what ingest decides, and written only for a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete

from resonanz.app.publishing import Publisher, make_snapshot
from resonanz.model import TrackingMode
from resonanz.people import Choice, Purpose, allowed_among, record_choice
from resonanz.sending.blocking import block, unblock
from resonanz.snapshot import load_snapshot
from resonanz.store import Database, tables
from tests.kit.cast import ALMA, BRUNO, CLEO, NOON, Cast

BOTH = (Purpose.OPENS, Purpose.CLICKS)


def test_the_snapshot_silences_what_ingest_would_drop(database: Database) -> None:
    """For every mail tracked by name, whatever was chosen, refused, taken back or erased: silent exactly where a hit
    would be dropped."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        mails = [cast.mail(tx, to) for to in (ALMA, BRUNO, CLEO, "dora@example.org", "emil@example.org")]
        mails += cast.mailing(tx, [ALMA, BRUNO], clicks=TrackingMode.OFF)[1]
        mails += cast.mailing(tx, [ALMA, "fred@example.org"], opens=TrackingMode.ANONYMOUS)[1]
        contacts = {mail.recipient: mail.contact_id for mail in mails}
        choices = [
            (ALMA, Purpose.OPENS, Choice.GRANTED, 1),
            (ALMA, Purpose.OPENS, Choice.WITHDRAWN, 2),
            (ALMA, Purpose.CLICKS, Choice.WITHDRAWN, 2),
            (BRUNO, Purpose.OPENS, Choice.WITHDRAWN, 1),
            (BRUNO, Purpose.OPENS, Choice.GRANTED, 3),
            (BRUNO, Purpose.CLICKS, Choice.REFUSED, 3),
            (CLEO, Purpose.OPENS, Choice.GRANTED, 5),
            (CLEO, Purpose.OPENS, Choice.WITHDRAWN, 4),  # written down later, chosen earlier
            ("dora@example.org", Purpose.MAILING, Choice.WITHDRAWN, 1),
        ]
        for address, purpose, choice, hour in choices:
            contact = contacts[address]
            assert contact is not None
            record_choice(tx, contact, purpose, choice, now=NOON.replace(hour=hour), source="test")
        tx.execute(delete(tables.contacts).where(tables.contacts.c.address == "fred@example.org"))
    snapshot = make_snapshot(database, NOON)
    with database.read() as tx:
        rows = {row.id: row for row in tx.execute(tables.messages.select())}
        allowed = allowed_among(tx, list(rows.values()))
    for id, row in rows.items():
        opens = id.bytes in snapshot.silent or id.bytes in snapshot.silent_opens
        clicks = id.bytes in snapshot.silent or id.bytes in snapshot.silent_clicks
        by_name = [mode is TrackingMode.INDIVIDUAL for mode in (row.track_opens, row.track_clicks)]
        wanted = [tracked and not may for tracked, may in zip(by_name, allowed[id], strict=True)]
        assert [opens, clicks] == wanted, row.recipient
    assert (len(snapshot.silent), len(snapshot.silent_opens), len(snapshot.silent_clicks)) == (1, 1, 3)


def test_beyond_the_bound_the_newest_mails_stay_and_blocks_come_first(database: Database) -> None:
    """A snapshot has so many ids and no more; it says how many were left out."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        submission, blocked = cast.mailing(tx, 2)
        quiet = [cast.mail(tx, ALMA) for _ in range(5)]
        assert quiet[0].contact_id is not None
        for purpose in BOTH:
            record_choice(tx, quiet[0].contact_id, purpose, Choice.WITHDRAWN, now=NOON, source="test")
    block(database, submission.id, reason="wrong list", actor="test", now=NOON)
    snapshot = make_snapshot(database, NOON, limit=5)
    assert all(id.bytes in snapshot.blocked for id in (submission.id, *(mail.id for mail in blocked)))
    assert [mail.id.bytes in snapshot.silent for mail in quiet] == [False, False, False, True, True]
    assert snapshot.left_out == 3


def test_it_is_written_when_something_changed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A choice, a block and its end each lead to a new file at the next look; without news there is none until the time
    is over. Two looks never follow each other so closely that making snapshots is all a worker does."""
    monkeypatch.setattr("resonanz.app.publishing.LARGEST_SHARE", 1e9)
    path = tmp_path / "snapshot"
    publisher = Publisher(database, path, now=lambda: NOON)
    with database.write() as tx:
        cast = Cast.enter(tx)
        submission, (mail,) = cast.mailing(tx, [ALMA])
    assert publisher.look()
    assert not publisher.look()
    with database.write() as tx:
        record_choice(tx, cast.people[ALMA], Purpose.OPENS, Choice.WITHDRAWN, now=NOON, source="test")
    assert publisher.look()
    assert mail.id.bytes in load_snapshot(path).silent_opens
    block(database, submission.id, reason="a stolen password", actor="test", now=NOON)
    assert publisher.look()
    assert mail.id.bytes in load_snapshot(path).blocked
    unblock(database, submission.id, reason="all clear", actor="test", now=NOON)
    assert publisher.look()
    assert len(load_snapshot(path).blocked) == 0
    assert not publisher.look()
    monkeypatch.setattr("resonanz.app.publishing.LEAST_OFTEN_SECONDS", 0.0)
    assert not publisher.look()  # the last one set the time for the next
    again = Publisher(database, path)
    assert again.look()
    assert again.look()
    monkeypatch.setattr("resonanz.app.publishing.LARGEST_SHARE", 1e-9)
    assert again.look()
    assert not again.look()
