"""Figures of submissions: what is kept is what counting all of their messages and facts would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from resonanz.ingest import rebuild, record_all
from resonanz.ingest.judge import Windows
from resonanz.ingest.judging import Judging
from resonanz.ingest.rejudge import rejudge
from resonanz.insight import results_of, submission_page
from resonanz.model import Coverage, Event, EventKind, HitKind, MessageState, TrackingMode, Verdict
from resonanz.sending.erasure import erase_contact, no_mails
from resonanz.store import Database, messages, tables
from resonanz.store.messages import Built, Message, Submission
from resonanz.store.opens import put_receiver_right
from resonanz.store.tallies import Moments, followed_of, is_counted, moments_of, tallies_of
from tests.ingest.test_settle import HOME, at, come_in, follow, settle_all
from tests.kit.campaigns import add_list, add_people, expand, plan, started
from tests.kit.cast import NOON, OUTLOOK, Cast, event, hit
from tests.kit.mails import NOW

TALLIES = import_module("resonanz.store.migrations.versions.0025_tallies")
KEPT = (tables.tallies, tables.link_tallies, tables.moments)
NAMED, WITHOUT = TrackingMode.INDIVIDUAL, TrackingMode.ANONYMOUS

# What changes messages beside facts.
asides = st.sampled_from(["build", "foresee", "erase"])

facts = st.tuples(
    st.sampled_from(list(EventKind)),
    st.integers(0, 3),  # whose: one of three messages, or nobody's
    st.none() | st.sampled_from(list(Verdict)),
    st.integers(0, 100),  # minutes after noon
    st.none() | st.integers(0, 3),  # the link
    st.sampled_from([{}, {"bounce": "hard", "reason": "no_such_user"}, {"bounce": "soft"}, {"uncertain": True}]),
)
stories = st.lists(st.lists(facts, max_size=6) | asides, max_size=8)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories)
def test_what_is_kept_is_what_is_counted(database: Database, story: list[Any]) -> None:
    """Whatever happens in whatever order, facts or what sending does beside them: counting anew changes nothing, and
    what was damaged is as it was."""
    with database.write() as tx:
        cast = Cast(None, {})  # type: ignore[arg-type]  # no account
        submission, rows = cast.mailing(tx, 3, state=MessageState.QUEUED, source="campaign")
    for step in story:
        _do(database, rows, step)
    kept = _kept(database, submission.id)
    assert rebuild(database).submissions_changed == 0
    with database.write() as tx:
        for table in KEPT:
            tx.execute(delete(table).where(table.c.submission_id == submission.id))
        tx.execute(update(tables.moments).values(opened=7, nameless_clicks=3))
    assert rebuild(database).submissions_changed >= 1
    assert _kept(database, submission.id) == kept


def _do(database: Database, rows: Sequence[Message], step: Any) -> None:
    ids = [row.id for row in rows]
    if step == "erase":
        with database.read() as tx:
            contact_id = messages.get_messages(tx, ids)[ids[0]].contact_id
        if contact_id is not None:
            erase_contact(database, contact_id, no_mails, source="test", actor="test", now=NOON)
        return
    with database.write() as tx:
        if step == "build":
            messages.save_built(tx, [Built(ids[0], WITHOUT, NAMED, Coverage.CLIPPED_RISK, "", "<x@y.example>", "")])
        elif step == "foresee":
            put_receiver_right(tx, ids, "Somebody", strips=True)
        else:
            record_all(tx, [_fact(rows, *one) for one in step])


def _fact(
    rows: Sequence[Message],
    kind: EventKind,
    whose: int,
    verdict: Verdict | None,
    minutes: int,
    link: int | None,
    detail: dict[str, object],
) -> Event:
    nobody = {"message_id": None, "recipient": ""} if whose == 3 else {}
    moment = NOON + timedelta(minutes=minutes)
    return event(rows[whose % 3], kind, at=moment, verdict=verdict, link=link, detail=detail, **nobody)


def _kept(database: Database, submission_id: UUID) -> list[Any]:
    """Return every row that counts something of a submission; those that count nothing are as if there were none."""
    with database.read() as tx:
        found = [
            [tuple(row) for row in tx.execute(select(table).where(table.c.submission_id == submission_id))]
            for table in KEPT
        ]
    keys = (8, 2, 2)
    return [sorted((row for row in rows if any(row[key:])), key=repr) for key, rows in zip(keys, found, strict=True)]


def test_a_campaign_is_counted_while_it_grows(database: Database) -> None:
    """Each portion of the audience adds its mails, also when a rebuild comes in between."""
    list_id = add_list(database, "readers")
    add_people(database, [list_id], [f"r{number}@rcpt.example" for number in range(30)])
    campaign = started(database, plan([list_id], per_minute=30))
    assert campaign.submission_id is not None
    for minute in range(3):
        expand(database, now=NOW + timedelta(minutes=minute))
        assert rebuild(database).submissions_changed == 0
    with database.read() as tx:
        submission = messages.get_submission(tx, campaign.submission_id)
        assert submission is not None
        (alike,) = tallies_of(tx, campaign.submission_id)
        assert is_counted(tx, campaign.submission_id)
    assert (alike.state, alike.messages) == (MessageState.QUEUED, submission.recipients)


def test_corrections_move_the_figures(database: Database) -> None:
    """A click that was a scanner's leaves link and hour again, when it is settled and when it is judged anew."""
    keeping = Judging(keep=timedelta(days=30))
    with database.write() as tx:
        submission, rows = Cast.enter(tx).mailing(tx, 2, now=at(-3600), source="campaign")
        record_all(tx, [event(row, EventKind.DELIVERED, at=at(-3000)) for row in rows])
    come_in(
        database,
        hit(rows[1], HitKind.OPEN, at=at(-600), user_agent=OUTLOOK, address=HOME),
        seconds=-599,
        judging=keeping,
    )
    come_in(database, *(follow(rows[0], link, 4 * link) for link in range(3)), seconds=12, judging=keeping)
    settle_all(database, 90, keeping)
    _holds(database, submission, (1, 0, {}))
    rejudge(database, replace(keeping, windows=Windows(sweep=5)), at(86_400))
    _holds(database, submission, (1, 1, {0: 1, 1: 1, 2: 1}))
    rejudge(database, keeping, at(86_500))
    _holds(database, submission, (1, 0, {}))
    with database.read() as tx:
        found = moments_of(tx, submission.id, since=at(-86_400), until=at(86_400))
    assert [(one.opened, one.clicked) for one in found if one.opened or one.clicked] == [(1, 0)]


def _holds(database: Database, submission: Submission, figures: tuple[int, int, dict[int, int]]) -> None:
    """Check openers, clickers and who followed which link; and that counting anew gives the same."""
    page = submission_page(database, submission.id)
    assert page is not None
    with database.read() as tx:
        followed = {link: one.clickers for link, one in followed_of(tx, submission.id).items() if one.clickers}
    assert (page.openers, page.clickers, followed) == figures
    assert rebuild(database).submissions_changed == 0


def test_clicks_without_names_belong_to_their_link_and_hour(database: Database) -> None:
    """They are in the report of a mail to enough people, and withheld where so few got it that they would point at
    somebody."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        many, few = (cast.mailing(tx, number, opens=WITHOUT, clicks=WITHOUT) for number in (25, 4))
        for _, rows in (many, few):
            nobody = {"message_id": None, "recipient": "", "verdict": Verdict.HUMAN_LIKELY}
            record_all(tx, [event(rows[0], EventKind.CLICKED, link=1, **nobody) for _ in range(3)])
            machine = nobody | {"verdict": Verdict.MACHINE_SCANNER}
            record_all(tx, [event(rows[0], EventKind.CLICKED, link=1, **machine)])
    shown, withheld = (results_of(database, submission.id) for submission, _ in (many, few))
    assert shown is not None
    assert withheld is not None
    assert [(one.link, one.clickers, one.nameless) for one in shown.links] == [(1, 0, 3), (0, 0, 0)]
    assert [one.nameless for one in withheld.links] == [None, None]
    with database.read() as tx:
        assert moments_of(tx, many[0].id, since=NOON, until=NOON + timedelta(hours=1)) == [
            Moments(NOON, nameless_clicks=3)
        ]


def test_small_mails_are_counted_when_asked(database: Database) -> None:
    """The figures of a mail to a few are those of one to many of whom as many did the same."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        few, many = (cast.mailing(tx, number)[1] for number in (3, 30))
        for rows in (few, many):
            record_all(
                tx,
                [
                    event(rows[0], EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT),
                    event(rows[0], EventKind.CLICKED, verdict=Verdict.HUMAN_LIKELY, link=1),
                    event(rows[1], EventKind.BOUNCED, detail={"bounce": "hard", "reason": "no_such_user"}),
                    event(rows[2], EventKind.REPLIED),
                ],
            )
    of_few, of_many = (results_of(database, rows[0].submission_id) for rows in (few, many))
    assert of_few is not None
    assert of_many is not None
    assert (of_few.bounces, of_few.answers) == (of_many.bounces, of_many.answers)
    assert [one.clickers for one in of_few.links] == [one.clickers for one in of_many.links] == [1, 0]
    assert (of_few.page.openers, of_few.page.clickers) == (of_many.page.openers, of_many.page.clickers) == (1, 1)


def test_an_older_database_learns_its_figures(database: Database) -> None:
    """The migration gives what living with the figures from the beginning gives, in columns and tallies."""
    with database.write() as tx:
        submission, rows = Cast.enter(tx).mailing(tx, 4, source="campaign")
        person, nobody = {"verdict": Verdict.HUMAN_LIKELY}, {"message_id": None, "recipient": ""}
        record_all(
            tx,
            [
                event(rows[0], EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT),
                event(rows[0], EventKind.CLICKED, link=1, **person),
                event(rows[0], EventKind.CLICKED, link=0, **person),
                event(rows[1], EventKind.CLICKED, link=0, verdict=Verdict.MACHINE_SCANNER),
                event(rows[1], EventKind.UNSUBSCRIBED),
                event(rows[1], EventKind.REPLIED),
                event(rows[2], EventKind.BOUNCED, detail={"bounce": "hard", "reason": "no_such_user"}),
                event(rows[3], EventKind.BOUNCED),
                event(rows[0], EventKind.OPENED, **nobody, **person),
                event(rows[0], EventKind.CLICKED, link=1, **nobody, **person),
            ],
        )
    kept = _kept(database, submission.id)
    columns = ("answers", "bounce", "followed")
    with database.write() as tx:
        before = tx.execute(select(tables.messages).order_by(tables.messages.c.id)).all()
        for table in KEPT:
            tx.exec_driver_sql(f"DROP TABLE {table.name}")
        for column in columns:
            tx.exec_driver_sql(f"ALTER TABLE messages DROP COLUMN {column}")
        with Operations.context(MigrationContext.configure(tx)):
            TALLIES.upgrade()
    assert _kept(database, submission.id) == kept
    with database.read() as tx:
        assert tx.execute(select(tables.messages).order_by(tables.messages.c.id)).all() == before
    assert rebuild(database).submissions_changed == 0
