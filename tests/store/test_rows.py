"""The store's nouns behave the same on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from resonanz.model import (
    Client,
    ClientKind,
    Confidence,
    Coverage,
    Event,
    EventKind,
    InvalidInput,
    MessageState,
    Place,
    TrackingMode,
    Verdict,
    Who,
    new_id,
    to_microseconds,
)
from resonanz.store import (
    Database,
    Tx,
    accounts,
    contacts,
    cursors,
    events,
    messages,
    open_database,
    queue,
    rollup,
    suppressions,
)
from tests.kit.rows import add_event, update_message

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def _submission(tx: Tx, recipients: Sequence[str]) -> list[messages.Message]:
    """Store a submission to these recipients and return its messages."""
    content = messages.Content(
        new_id(), "rfc822", b"From: a@example.org\r\n\r\nHi \xff\x00", "a@example.org", "Hi", NOW
    )
    messages.add_contents(tx, [content])
    submission = messages.Submission(
        new_id(), content.id, None, "cli", TrackingMode.INDIVIDUAL, TrackingMode.OFF, len(recipients), NOW
    )
    messages.add_submissions(tx, [submission])
    people = contacts.ensure_contacts(tx, [(recipient, "") for recipient in recipients], NOW)
    rows = [
        messages.Message(
            new_id(),
            submission.id,
            people[recipient],
            recipient,
            "a@example.org",
            "Hi",
            None,
            NOW,
            TrackingMode.INDIVIDUAL,
            TrackingMode.OFF,
            Coverage.TRACKABLE,
            "",
            MessageState.QUEUED,
            NOW,
        )
        for recipient in recipients
    ]
    messages.add_messages(tx, rows)
    return rows


def test_messages_come_back_as_they_were_stored(database: Database) -> None:
    """Every column survives, bytes and microseconds included."""
    with database.write() as tx:
        rows = _submission(tx, ["b@example.org", "c@example.org"])
    with database.read() as tx:
        assert messages.get_message(tx, rows[0].id) == rows[0]
        submission = messages.get_submission(tx, rows[0].submission_id)
        assert submission is not None
        content = messages.get_content(tx, submission.content_id)
        assert content is not None
        assert content.body == b"From: a@example.org\r\n\r\nHi \xff\x00"
        assert [row.id for row in messages.of_submission(tx, submission.id)] == [row.id for row in rows]
        assert messages.get_message(tx, new_id()) is None


def test_a_list_is_read_page_by_page_without_gaps(database: Database) -> None:
    """Following `before` gives each message once, newest first; state and search narrow it."""
    with database.write() as tx:
        rows = _submission(tx, [f"person{number}@example.org" for number in range(25)])
        update_message(tx, rows[3].id, {"state": MessageState.BOUNCED})
    seen: list[UUID] = []
    with database.read() as tx:
        before = None
        while page := messages.list_messages(tx, limit=7, before=before):
            seen += [row.id for row in page]
            before = page[-1].id
        assert seen == [row.id for row in reversed(rows)]
        assert [row.id for row in messages.list_messages(tx, limit=9, state=MessageState.BOUNCED)] == [rows[3].id]
        assert [row.recipient for row in messages.list_messages(tx, limit=9, search="PERSON24")] == [
            "person24@example.org"
        ]
        assert messages.list_messages(tx, limit=9, search="person%4") == []


def test_contacts_are_made_once(database: Database) -> None:
    """The same address is the same contact, however often and in whatever company it comes."""
    with database.write() as tx:
        first = contacts.ensure_contacts(tx, [("a@example.org", "A")], NOW)
        again = contacts.ensure_contacts(tx, [("b@example.org", "B"), ("a@example.org", "other")], NOW)
        assert again["a@example.org"] == first["a@example.org"]
        found = contacts.find_contact(tx, "a@example.org")
        assert found is not None
        assert found.name == "A"
        assert contacts.ensure_contacts(tx, [], NOW) == {}


def test_the_newest_choice_is_in_force(database: Database) -> None:
    """A withdrawal follows a grant; purposes are apart; the history keeps everything."""
    with database.write() as tx:
        person = contacts.ensure_contacts(tx, [("a@example.org", "")], NOW)["a@example.org"]
        for purpose, state in [("opens", "granted"), ("clicks", "granted"), ("opens", "withdrawn")]:
            contacts.add_consent(tx, contacts.ConsentRow(person, purpose, state, NOW, "form", "v1"))
        assert contacts.current_consents(tx, [person]) == {
            (person, "opens"): "withdrawn",
            (person, "clicks"): "granted",
        }
        assert [row.state for row in contacts.consent_history(tx, person)] == ["granted", "granted", "withdrawn"]


def test_the_first_suppression_stays(database: Database) -> None:
    """A later reason does not hide why an address was suppressed first."""
    with database.write() as tx:
        assert suppressions.suppress(tx, suppressions.SuppressionRow("a@example.org", "hard_bounce", NOW, "dsn"))
        assert not suppressions.suppress(tx, suppressions.SuppressionRow("a@example.org", "unsubscribed", NOW, "edge"))
        found = suppressions.find_suppression(tx, "a@example.org")
        assert found is not None
        assert found.reason == "hard_bounce"
        assert suppressions.unsuppress(tx, "a@example.org")
        assert not suppressions.unsuppress(tx, "a@example.org")
        assert suppressions.find_suppression(tx, "a@example.org") is None


def test_a_claim_belongs_to_one_worker(database: Database) -> None:
    """What one worker holds no other gets, until the lease ends; a lost lease may not be sent."""
    with database.write() as tx:
        rows = _submission(tx, ["a@example.org", "b@example.org", "c@example.org"])
        queue.enqueue_each(tx, {row.id: NOW for row in rows})
    until = NOW + timedelta(minutes=5)
    with database.write() as tx:
        first = queue.claim(tx, "one", NOW, until, limit=2)
        second = queue.claim(tx, "two", NOW, until, limit=9)
        assert len(first) == 2
        assert len(second) == 1
        mine = queue.lock(tx, "one", [first[0].message_id])
        assert mine == {first[0].message_id}
        assert not queue.lock(tx, "two", [first[0].message_id])
        queue.set_on_wire(tx, mine)
    with database.write() as tx:
        later = queue.claim(tx, "two", until + timedelta(seconds=1), until + timedelta(minutes=5), limit=9)
        assert {claim.message_id: claim.on_wire for claim in later}[first[0].message_id]
        assert not queue.lock(tx, "one", [first[0].message_id])
        queue.take_out(tx, queue.lock(tx, "one", [first[0].message_id]))
        assert queue.depth(tx) == 3, "a worker that lost its lease settled what another holds"
        queue.take_out(tx, queue.lock(tx, "two", [first[0].message_id]))
        queue.release(tx, "two", first[1].message_id, NOW + timedelta(hours=1), attempts_made=1)
        assert queue.depth(tx) == 2
        assert queue.claim(tx, "two", NOW, until, limit=9) == []


def test_two_workers_never_claim_the_same_message(database: Database) -> None:
    """Under real concurrency, every message is claimed exactly once."""
    with database.write() as tx:
        rows = _submission(tx, [f"p{number}@example.org" for number in range(60)])
        queue.enqueue_each(tx, {row.id: NOW for row in rows})
    claimed: list[UUID] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        while True:
            with database.write() as tx:
                got = queue.claim(tx, name, NOW, NOW + timedelta(minutes=5), limit=5)
            if not got:
                return
            with lock:
                claimed.extend(claim.message_id for claim in got)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(row.id for row in rows)


def test_events_come_back_and_count_once(database: Database) -> None:
    """A fact survives with all it says; the same source key a second time is an error to whoever did not look."""
    event = Event(
        EventKind.OPENED,
        NOW,
        NOW + timedelta(seconds=1),
        "test",
        source_key="k1",
        message_id=new_id(),
        recipient="a@example.org",
        verdict=Verdict.HUMAN_PROXIED,
        confidence=Confidence.CERTAIN,
        reasons=("mail_proxy",),
        client=Client(ClientKind.MAIL_PROXY, "Gmail"),
        place=Place("DE", city="Köln", timezone="Europe/Berlin"),
        link=3,
        url="https://example.org/ä",
        detail={"raw": "x"},
    )
    with database.write() as tx:
        first = add_event(tx, event)
    with database.read() as tx:
        (found,) = events.after(tx, 0, limit=10)
        assert found.id == first == events.last_id(tx)
        assert found == Event(**{**_fields(event), "id": first})
        assert events.has_event(tx, "test", "k1")
        assert not events.has_event(tx, "test", "k2")
    with pytest.raises(IntegrityError), database.write() as tx:
        add_event(tx, event)


def _fields(event: Event) -> dict[str, object]:
    return {name: getattr(event, name) for name in Event.__dataclass_fields__}


def test_a_failed_block_leaves_nothing(database: Database) -> None:
    """A transaction is all or nothing."""

    def fail_halfway() -> None:
        with database.write() as tx:
            _submission(tx, ["a@example.org"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    with database.read() as tx:
        assert messages.list_messages(tx, limit=5) == []


def test_the_rollup_adds_up(database: Database) -> None:
    """Counts add up per bucket, by kind and by who caused them; the end of a range is outside it."""
    bucket = rollup.bucket_of(NOW)
    assert bucket <= NOW < bucket + rollup.BUCKET
    with database.write() as tx:
        for later in (0, 0, 1):
            rollup.count(tx, {(bucket + later * rollup.BUCKET, EventKind.OPENED, Who.HUMAN): 1})
        rollup.count(tx, {(bucket, EventKind.OPENED, Who.MACHINE): 5})
        rollup.count(tx, {})
    with database.read() as tx:
        assert rollup.counts_between(tx, bucket, bucket + rollup.BUCKET) == [
            (bucket, EventKind.OPENED, Who.HUMAN, 2),
            (bucket, EventKind.OPENED, Who.MACHINE, 5),
        ]
        assert len(rollup.counts_between(tx, bucket, bucket + 2 * rollup.BUCKET)) == 3


def test_cursors_move(database: Database) -> None:
    """A journal nobody has read starts at 0."""
    with database.write() as tx:
        assert cursors.cursor(tx, "j") == 0
        cursors.move_cursor(tx, "j", 7, NOW)
        cursors.move_cursor(tx, "j", 9, NOW)
        assert cursors.cursor(tx, "j") == 9


def test_a_one_time_choice_is_used_up_once(database: Database) -> None:
    """Of two that try to take it, one gets it."""
    with database.write() as tx:
        accounts.set_choice(tx, "setup", {"hash": "x"}, NOW)
        assert accounts.get_choice(tx, "setup") == {"hash": "x"}
        assert accounts.delete_choice(tx, "setup")
        assert not accounts.delete_choice(tx, "setup")


def test_a_password_change_ends_the_sessions(database: Database) -> None:
    """Whoever was signed in with the old password is out; an address has one account."""
    account = accounts.Account(new_id(), "a@example.org", "A", "hash", NOW, NOW)
    with database.write() as tx:
        accounts.add_account(tx, account)
        accounts.add_session(tx, b"1" * 32, accounts.Session(account.id, NOW, NOW, NOW + timedelta(days=1), "UA"))
        assert accounts.find_session(tx, b"1" * 32) is not None
        accounts.set_password(tx, account.id, "new", NOW)
        assert accounts.find_session(tx, b"1" * 32) is None
    with pytest.raises(InvalidInput), database.write() as tx:
        accounts.add_account(tx, accounts.Account(new_id(), "a@example.org", "B", "hash", NOW, NOW))


@pytest.mark.parametrize("url", ["", "mysql://x/y", "nonsense", "://"])
def test_an_unsupported_database_is_named(url: str) -> None:
    """The error says which setting is wrong."""
    with pytest.raises(InvalidInput, match="RESONANZ_DATABASE_URL"):
        open_database(url)


def test_what_is_folded_against_is_found_by_its_time(database: Database) -> None:
    """Of a message's events of one kind, only those in the span are read, by the index and without sorting."""
    minute = timedelta(minutes=1)
    with database.write() as tx:
        message = _submission(tx, ["a@example.org"])[0]
        for number in range(5):
            moment = NOW + number * minute
            add_event(tx, Event(EventKind.CLICKED, moment, moment, "test", message_id=message.id, link=number))
        add_event(tx, Event(EventKind.OPENED, NOW, NOW, "test", message_id=message.id))
    span = (to_microseconds(NOW + minute), to_microseconds(NOW + 3 * minute))
    with database.read() as tx:
        found = events.firsts_of(tx, EventKind.CLICKED, [message.id], span=span)
        assert [first.link for first in found] == [1, 2, 3]
        assert len(events.firsts_of(tx, EventKind.CLICKED, [message.id])) == 5
        if database.is_sqlite:
            asked = (
                "EXPLAIN QUERY PLAN SELECT id FROM events WHERE message_id IN (x'00', x'01') AND repeat_of IS NULL "
                "AND kind = 'clicked' AND occurred_at BETWEEN 1 AND 2 ORDER BY message_id, occurred_at, id"
            )
            plan = str(tx.exec_driver_sql(asked).all())
            assert "ix_events_message_id (message_id=? AND repeat_of=? AND kind=? AND occurred_at>?" in plan
            assert "TEMP B-TREE" not in plan
