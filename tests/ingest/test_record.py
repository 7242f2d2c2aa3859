"""Recording: a fact and everything derived from it, together and once."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta

import pytest

from resonanz.ingest import record, record_all
from resonanz.model import EventKind, MessageState, TrackingMode, Verdict, Who
from resonanz.people import reason_for
from resonanz.store import Database, events, messages, rollup
from resonanz.store.messages import Message
from tests.kit.cast import ALMA, NOON, Cast, event

HOUR = timedelta(hours=1)


def given(database: Database, state: MessageState = MessageState.SENT) -> Message:
    with database.write() as tx:
        return Cast.enter(tx).mail(tx, state=state)


def after(database: Database, message: Message, *found: object) -> Message:
    with database.write() as tx:
        record_all(tx, found)  # type: ignore[arg-type]
        now = messages.get_message(tx, message.id)
    assert now is not None
    return now


def test_a_recorded_event_comes_back_as_it_was_stored(database: Database) -> None:
    """It has its id, and reading it gives the same value again."""
    message = given(database)
    with database.write() as tx:
        recorded = record(tx, event(message, EventKind.DEFERRED, detail={"reply": "451 later", "code": 451}))
        assert recorded is not None
        assert events.latest(tx, limit=1) == [recorded]


def test_what_a_source_tells_twice_is_recorded_once(database: Database) -> None:
    """A known source key returns None and changes nothing; the same key of another source is another fact."""
    message = given(database)
    told = event(message, EventKind.COMPLAINED, source_key="fbl/1")
    with database.write() as tx:
        assert record(tx, told) is not None
        before = events.last_id(tx)
        assert record(tx, told) is None
        assert record_all(tx, [told, told]) == []
        assert len(events.of_message(tx, message.id)) == 3
        assert record(tx, event(message, EventKind.COMPLAINED, source="other", source_key="fbl/1")) is not None
        assert events.last_id(tx) > before


def test_telling_twice_at_the_same_moment_records_once(database: Database) -> None:
    """Two processes that got the same report both commit; one of them finds that it was told already."""
    message = given(database)
    told = event(message, EventKind.BOUNCED, source_key="report/1", detail={"bounce": "soft"})
    start = threading.Barrier(4)
    results = []

    def tell() -> None:
        start.wait()
        with database.write() as tx:
            results.append(record(tx, told))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert sum(result is not None for result in results) == 1


def test_counting_at_the_same_moment_loses_nothing(database: Database) -> None:
    """Writers of one message's events wait for each other; every event is counted."""
    message = given(database)
    start = threading.Barrier(4)

    def tell() -> None:
        start.wait()
        for _ in range(5):
            with database.write() as tx:
                record(tx, event(message, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as tx:
        now = messages.get_message(tx, message.id)
        counted = rollup.counts_between(tx, NOON, NOON + HOUR)
    assert now is not None
    assert now.opens_human == 20
    assert (NOON, EventKind.OPENED, Who.HUMAN, 20) in counted


def test_nothing_is_kept_of_a_transaction_that_fails(database: Database) -> None:
    """Fact and projections are one: neither is there without the other."""
    message = given(database)
    with suppress(RuntimeError), database.write() as tx:
        assert record(tx, event(message, EventKind.COMPLAINED)) is not None
        raise RuntimeError
    with database.read() as tx:
        assert messages.get_message(tx, message.id) == message
        assert reason_for(tx, ALMA) is None


# ── States ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mail_that_was_on_the_wire_when_its_worker_died_is_uncertain(database: Database) -> None:
    """It is neither failed nor sent; a later sign of life settles it."""
    message = given(database, MessageState.QUEUED)
    now = after(database, message, event(message, EventKind.FAILED, detail={"uncertain": True}))
    assert now.state is MessageState.UNCERTAIN
    now = after(database, message, event(message, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT))
    assert now.state is MessageState.DELIVERED


# ── Suppression ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "detail", "reason"),
    [
        (EventKind.BOUNCED, {"bounce": "hard", "reply": "550 5.1.1 no such user"}, "bounced"),
        (EventKind.BOUNCED, {"bounce": "soft", "reply": "552 5.2.2 mailbox full"}, None),
        (EventKind.BOUNCED, {}, None),
        (EventKind.COMPLAINED, {}, "complained"),
        (EventKind.UNSUBSCRIBED, {}, "unsubscribed"),
        (EventKind.AUTORESPONDED, {}, None),
        (EventKind.FAILED, {}, None),
    ],
)
def test_what_suppresses_an_address(
    database: Database, kind: EventKind, detail: dict[str, object], reason: str | None
) -> None:
    """Dead addresses, complaints and unsubscriptions; nothing that may pass."""
    message = given(database)
    after(database, message, event(message, kind, detail=detail))
    with database.read() as tx:
        assert reason_for(tx, ALMA) == reason


# ── Totals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_quarters_of_an_hour_are_counted_by_kind_and_side(database: Database) -> None:
    """Each first event counts in the quarter it occurred in; what carries no verdict counts as human."""
    message = given(database, MessageState.QUEUED)
    with database.write() as tx:
        record_all(
            tx,
            [
                event(message, EventKind.OPENED, at=NOON + HOUR, verdict=Verdict.HUMAN_PROXIED),
                event(message, EventKind.OPENED, at=NOON + HOUR + HOUR / 2, verdict=Verdict.MACHINE_PREFETCH),
                event(message, EventKind.OPENED, at=NOON + HOUR, verdict=Verdict.HUMAN_DIRECT, repeat_of=1),
                event(message, EventKind.SENT, at=NOON + HOUR - timedelta(microseconds=1)),
            ],
        )
        assert rollup.counts_between(tx, NOON, NOON + 2 * HOUR) == [
            (NOON, EventKind.QUEUED, Who.HUMAN, 1),
            (NOON + HOUR * 3 / 4, EventKind.SENT, Who.HUMAN, 1),
            (NOON + HOUR, EventKind.OPENED, Who.HUMAN, 1),
            (NOON + HOUR * 3 / 2, EventKind.OPENED, Who.MACHINE, 1),
        ]


def test_anonymous_events_move_their_submission_only(database: Database) -> None:
    """Totals of a submission count what is not a machine's; no message changes."""
    with database.write() as tx:
        submission, rows = Cast.enter(tx).mailing(tx, opens=TrackingMode.ANONYMOUS)
        nobody = {"message_id": None, "recipient": ""}
        record_all(
            tx,
            [
                event(rows[0], EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT, **nobody),
                event(rows[0], EventKind.OPENED, verdict=Verdict.MACHINE_PREFETCH, **nobody),
                event(rows[0], EventKind.CLICKED, verdict=Verdict.HUMAN_LIKELY, **nobody),
                event(rows[0], EventKind.CLICKED, verdict=Verdict.HUMAN_LIKELY, **nobody),
                event(rows[0], EventKind.DOWNLOADED, verdict=Verdict.HUMAN_LIKELY, **nobody),
            ],
        )
        now = messages.get_submission(tx, submission.id)
        assert messages.of_submission(tx, submission.id) == rows
    assert now is not None
    assert (now.anonymous_opens, now.anonymous_clicks) == (1, 2)
