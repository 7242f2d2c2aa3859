"""What is known about single mails, at a fixed number of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import event as sqlalchemy_event

from resonanz.ingest import record_all
from resonanz.insight import Query, activity, message_list, message_page, submission_page
from resonanz.insight.messages import TIMELINE_LIMIT
from resonanz.model import Coverage, Event, EventKind, MessageState, TrackingMode, Verdict, new_id
from resonanz.store import Database, Tx, queue
from resonanz.store.messages import Message
from resonanz.store.queue import Attempt
from tests.kit.cast import ALMA, BRUNO, LINKS, NOON, Cast, event
from tests.kit.rows import update_message

MINUTE = timedelta(minutes=1)


@contextmanager
def counted(database: Database) -> Iterator[Callable[[], int]]:
    """Count the statements that are sent to the database, those that begin and end transactions left out."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            statements.append(statement)

    sqlalchemy_event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield lambda: len(statements)
    finally:
        sqlalchemy_event.remove(database.engine, "before_cursor_execute", note)


def given(database: Database, *found: Callable[[Message], Event]) -> Message:
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx)
        record_all(tx, [make(message) for make in found])
    return message


# ── One message ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_timeline_is_in_order_of_time_with_repeats_folded_in(database: Database) -> None:
    """What happened first stands first, whenever it became known; a thousand fetches are one line."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx)
        opened = event(message, EventKind.OPENED, at=NOON + 9 * MINUTE, verdict=Verdict.HUMAN_PROXIED)
        (first,) = record_all(tx, [opened])
        again = {"verdict": Verdict.HUMAN_PROXIED, "repeat_of": first.id}
        record_all(tx, [event(message, EventKind.OPENED, at=NOON + n * MINUTE, **again) for n in (7, 60, 11)])
        record_all(tx, [event(message, EventKind.DELIVERED, at=NOON + MINUTE)])
    page = message_page(database, message.id)
    assert page is not None
    assert [(entry.event.kind, entry.repeats) for entry in page.timeline] == [
        (EventKind.QUEUED, 0),
        (EventKind.SENT, 0),
        (EventKind.DELIVERED, 0),
        (EventKind.OPENED, 3),
    ]
    assert page.timeline[-1].last_at == NOON + 60 * MINUTE
    assert not page.more


def test_verdicts_come_with_their_explanation(database: Database) -> None:
    """Whoever reads the page need not know the codes."""
    message = given(
        database,
        lambda message: event(
            message, EventKind.CLICKED, verdict=Verdict.MACHINE_SCANNER, reasons=("scanner_agent",), link=1
        ),
    )
    page = message_page(database, message.id)
    assert page is not None
    entry = page.timeline[-1]
    assert entry.verdict is not None
    assert "scanner" in entry.verdict.title.lower()
    assert [reason.code for reason in entry.reasons] == ["scanner_agent"]
    assert entry.link == LINKS[1]
    assert page.coverage.code == Coverage.TRACKABLE
    assert page.untracked is None


def test_links_show_who_followed_them(database: Database) -> None:
    """People, machines and the undecided apart, repeats folded, links nobody followed included."""
    message = given(
        database,
        lambda message: event(message, EventKind.CLICKED, verdict=Verdict.HUMAN_LIKELY, link=0),
        lambda message: event(message, EventKind.CLICKED, verdict=Verdict.HUMAN_CONFIRMED, link=0),
        lambda message: event(message, EventKind.CLICKED, verdict=Verdict.PENDING, link=0),
        lambda message: event(message, EventKind.CLICKED, verdict=Verdict.MACHINE_SCANNER, link=0),
        lambda message: event(message, EventKind.CLICKED, verdict=Verdict.MACHINE_SCANNER, link=0, repeat_of=6),
    )
    page = message_page(database, message.id)
    assert page is not None
    assert [(row.link.link, row.human, row.indeterminate, row.machine) for row in page.links] == [
        (0, 2, 1, 1),
        (1, 0, 0, 0),
    ]


def test_an_untracked_mail_says_why(database: Database) -> None:
    """Coverage and reason come in words."""
    message = given(database)
    with database.write() as tx:
        update_message(tx, message.id, {"coverage": Coverage.NOT_TRACKED, "untracked_reason": "signed"})
        queue.add_attempts(tx, [(message.id, Attempt(1, NOON, NOON + MINUTE, "outbox", EventKind.SENT, "250 ok"))])
    page = message_page(database, message.id)
    assert page is not None
    assert page.untracked is not None
    assert "signature" in page.untracked.text
    assert [attempt.reply for attempt in page.attempts] == ["250 ok"]


def test_no_message_no_page(database: Database) -> None:
    """An id that is nobody's gives nothing."""
    assert message_page(database, new_id()) is None
    assert submission_page(database, new_id()) is None


def test_a_page_costs_the_same_however_much_happened(database: Database) -> None:
    """The number of statements does not grow with events, recipients or links, and long timelines are cut."""
    message = given(database)
    with counted(database) as statements:
        assert message_page(database, message.id) is not None
        few = statements()
    with database.write() as tx:
        record_all(tx, [event(message, EventKind.CLICKED, link=0, verdict=Verdict.HUMAN_LIKELY)] * TIMELINE_LIMIT)
    with counted(database) as statements:
        page = message_page(database, message.id)
        assert statements() == few == 6
    assert page is not None
    assert page.more
    assert len(page.timeline) == TIMELINE_LIMIT


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pages_of_messages_meet_without_gap_or_overlap(database: Database) -> None:
    """Going on from `next` shows every message once, newest first."""
    with database.write() as tx:
        _, rows = Cast.enter(tx).mailing(tx, 7)
    seen = []
    query = Query(limit=3)
    while True:
        with counted(database) as statements:
            page = message_list(database, query)
            assert statements() == 1
        seen += [row.id for row in page.rows]
        if page.next is None:
            break
        query = Query(limit=3, before=page.next)
    assert seen == [row.id for row in reversed(rows)]


def test_messages_are_found_by_state_and_by_words(database: Database) -> None:
    """Part of a recipient or subject, whatever its case; a percent sign is a percent sign."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        alma = cast.mail(tx, ALMA, subject="100% off")
        bruno = cast.mail(tx, BRUNO, subject="1000 things", state=MessageState.QUEUED)

    def found(**query: object) -> set[str]:
        return {row.recipient for row in message_list(database, Query(**query)).rows}  # type: ignore[arg-type]

    assert found(search=" BRUNO ") == {bruno.recipient}
    assert found(search="100%") == {alma.recipient}
    assert found(state=MessageState.QUEUED) == {bruno.recipient}
    assert found(state=MessageState.QUEUED, search="alma") == set()


# ── Submissions and the feed ────────────────────────────────────────────────────────────────────────────────────────


def test_counts_without_names_are_withheld_in_small_groups(database: Database) -> None:
    """From five recipients on they are shown, before that they would point at somebody."""
    anonymous = {"opens": TrackingMode.ANONYMOUS, "clicks": TrackingMode.OFF}
    with database.write() as tx:
        cast = Cast.enter(tx)
        groups = [cast.mailing(tx, size, **anonymous) for size in (4, 5)]
        nobody = {"message_id": None, "recipient": "", "verdict": Verdict.HUMAN_DIRECT}
        record_all(tx, [event(rows[0], EventKind.OPENED, **nobody) for _, rows in groups])
    small, large = (submission_page(database, submission.id) for submission, _ in groups)
    assert small is not None
    assert (small.anonymous_opens, small.anonymous_clicks) == (None, None)
    assert small.withheld is not None
    assert large is not None
    assert (large.anonymous_opens, large.anonymous_clicks, large.withheld) == (1, 0, None)
    shown = [entry.event.submission_id for entry in activity(database) if entry.event.kind is EventKind.OPENED]
    assert shown == [groups[1][0].id], "nor does the feed show when somebody in a small group opened"


def test_nothing_is_withheld_where_nothing_is_counted_without_names(database: Database) -> None:
    """A mail to one person, tracked with their name or not at all, has no such totals to speak of."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        mails = [cast.mail(tx), cast.mail(tx, opens=TrackingMode.OFF, clicks=TrackingMode.OFF)]
    for message in mails:
        page = submission_page(database, message.submission_id)
        assert page is not None
        assert page.withheld is None


def test_a_submission_is_summed_up_over_all_its_messages(database: Database) -> None:
    """States, openers and clickers count everybody, although only the first fifty messages are listed."""
    with database.write() as tx:
        submission, rows = Cast.enter(tx).mailing(tx, 105)
        record_all(
            tx,
            [event(row, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT) for row in rows[-2:]]
            + [event(rows[0], EventKind.CLICKED, verdict=Verdict.MACHINE_SCANNER)]
            + [event(rows[1], EventKind.BOUNCED, detail={"bounce": "soft"})],
        )
    with counted(database) as statements:
        page = submission_page(database, submission.id)
        assert statements() == 5
    assert page is not None
    assert page.states == {MessageState.SENT: 102, MessageState.DELIVERED: 2, MessageState.BOUNCED: 1}
    assert (page.openers, page.clickers) == (2, 0)
    assert (len(page.messages), page.next) == (50, rows[49].id)
    assert page.subject == "What is new in March"


def test_the_feed_shows_the_newest_first_with_their_subject(database: Database) -> None:
    """Repeats are left out; the number of statements is fixed."""
    message = given(
        database,
        lambda message: event(message, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT),
        lambda message: event(message, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT, repeat_of=3),
        lambda message: event(message, EventKind.CLICKED, verdict=Verdict.HUMAN_LIKELY, link=0),
    )
    with counted(database) as statements:
        feed = activity(database, 3)
        assert statements() == 3
    assert [(entry.event.kind, entry.subject) for entry in feed] == [
        (EventKind.CLICKED, message.subject),
        (EventKind.OPENED, message.subject),
        (EventKind.SENT, message.subject),
    ]


def test_a_flood_of_repeats_does_not_slow_the_pages_down(database: Database) -> None:
    """Somebody who fetches one pixel for hours makes neither the feed nor the judging of later hits read it all."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx)
        again = {"verdict": Verdict.HUMAN_DIRECT, "repeat_of": 1}
        record_all(tx, [event(message, EventKind.OPENED, **again)] * 5_000)
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        feed = f"{explain} SELECT * FROM events WHERE repeat_of IS NULL ORDER BY id DESC LIMIT 10"
        firsts = f"{explain} SELECT id FROM events WHERE message_id = {_literal(tx, message)} AND repeat_of IS NULL"
        assert "ix_events_news" in str(tx.exec_driver_sql(feed).all())
        condition = "message_id=? AND repeat_of=?" if database.is_sqlite else "AND (repeat_of IS NULL))"
        assert condition in str(tx.exec_driver_sql(firsts).all())


def _literal(tx: Tx, message: Message) -> str:
    return f"x'{message.id.hex}'" if tx.dialect.name == "sqlite" else f"'{message.id}'"
