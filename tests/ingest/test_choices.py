"""Choices of the preference page: a fact, a consent that is in force at once, and silence of what comes behind it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from resonanz.ingest import journals as taking
from resonanz.ingest import rebuild, take_journals
from resonanz.ingest.pipeline import DropReason
from resonanz.model import Event, EventKind, Hit, HitKind, MessageState, TrackingMode
from resonanz.people import reason_for, tracking_modes
from resonanz.store import Database, contacts, events, messages, tables
from resonanz.store.messages import Message
from tests.kit.cast import ALMA, BROWSER, BRUNO, NOON, Cast, hit
from tests.kit.journals import MemoryJournals

LATER = NOON + timedelta(hours=2)
WORDING = "0123456789ab"


def choice(message: Message, tracking: str, *, at: datetime = NOON + timedelta(hours=1)) -> Hit:
    body = f"{tracking} {WORDING}"
    return hit(message, HitKind.PREFERENCES, method="POST", body=body, user_agent=BROWSER, at=at)


def click(message: Message) -> Hit:
    return hit(message, HitKind.CLICK, user_agent=BROWSER)


def take(database: Database, batch: int = 2_000, **journals: list[Hit]) -> list[EventKind]:
    """Take these journals over, and return the kinds of all facts of the edge in order."""
    taken = take_journals(database, MemoryJournals(**journals), now=lambda: LATER, batch=batch)
    assert taken == sum(map(len, journals.values()))
    return [event.kind for event in facts(database)]


def facts(database: Database) -> list[Event]:
    with database.read() as tx:
        return [event for event in events.after(tx, 0, limit=1_000) if event.source == "edge"]


def allowed(database: Database, contact: Any) -> tuple[TrackingMode, TrackingMode]:
    """How far the next mail to somebody may be tracked, where all is asked for and whoever is unknown allows all."""
    mode = TrackingMode.INDIVIDUAL
    with database.read() as tx:
        return tracking_modes(tx, [contact], opens=mode, clicks=mode, unknown=mode)[contact]


@pytest.mark.parametrize(("tracking", "state"), [("off", "withdrawn"), ("on", "granted")])
def test_a_choice_is_a_fact_and_a_consent(database: Database, tracking: str, state: str) -> None:
    """Both purposes, when and where it was chosen, before which wording; of who chose, nothing more is kept."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
    take(database, edge=[choice(message, tracking)])
    (event,) = facts(database)
    assert (event.kind, event.message_id, event.recipient) == (EventKind.PREFERRED, message.id, ALMA)
    assert (event.detail, event.occurred_at) == ({"tracking": tracking}, NOON + timedelta(hours=1))
    assert (event.client, event.verdict, event.reasons, event.repeat_of) == (None, None, (), None)
    with database.read() as tx:
        kept = contacts.consent_history(tx, cast.people[ALMA])
        now = messages.get_message(tx, message.id)
    assert kept == [
        contacts.ConsentRow(cast.people[ALMA], purpose, state, NOON + timedelta(hours=1), "preferences page", WORDING)
        for purpose in ("opens", "clicks")
    ]
    assert now is not None
    assert now.state is MessageState.DELIVERED, "who presses a button in a mail has got it"
    assert rebuild(database).messages_changed == 0


@pytest.mark.parametrize("batch", [1, 2_000])
def test_a_withdrawal_silences_every_mail_of_that_person_from_there_on(database: Database, batch: int) -> None:
    """What stands behind it in the journal is left out, in the same batch as in later ones; others are untouched."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        old, new, other = cast.mail(tx), cast.mail(tx), cast.mail(tx, BRUNO)
    found = take(
        database,
        batch,
        edge=[hit(old), choice(old, "off"), hit(new), click(old), click(new), hit(other), click(other)],
    )
    assert found == [EventKind.OPENED, EventKind.PREFERRED, EventKind.OPENED, EventKind.CLICKED]
    assert {event.message_id for event in facts(database)[2:]} == {other.id}
    assert allowed(database, cast.people[ALMA]) == (TrackingMode.OFF, TrackingMode.OFF)
    assert allowed(database, cast.people[BRUNO]) == (TrackingMode.INDIVIDUAL, TrackingMode.INDIVIDUAL)
    with database.read() as tx:
        assert reason_for(tx, ALMA) is None, "still subscribed"


@pytest.mark.parametrize("batch", [1, 2_000])
def test_allowing_it_again_counts_from_there_on(database: Database, batch: int) -> None:
    """Off and on in one batch: what came between stays unknown, what comes after is recorded."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
    off, on = choice(message, "off"), choice(message, "on", at=NOON + timedelta(hours=1, seconds=1))
    found = take(database, batch, edge=[off, hit(message), on, click(message)])
    assert found == [EventKind.PREFERRED, EventKind.PREFERRED, EventKind.CLICKED]
    assert allowed(database, cast.people[ALMA]) == (TrackingMode.INDIVIDUAL, TrackingMode.INDIVIDUAL)


def test_a_grant_never_records_more_than_the_mail_was_built_for(database: Database) -> None:
    """A mail that went out anonymous or untracked stays so, whatever its reader allows afterwards."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx, opens=TrackingMode.ANONYMOUS, clicks=TrackingMode.OFF)
    assert take(database, edge=[choice(message, "on"), hit(message), click(message)]) == [EventKind.PREFERRED]


def test_the_last_choice_counts_whichever_journal_comes_first(database: Database) -> None:
    """Two edges, each with a journal: an older grant that is taken over later does not undo the withdrawal."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
    withdrawn = choice(message, "off", at=NOON + timedelta(minutes=2))
    granted = choice(message, "on", at=NOON + timedelta(minutes=1))
    found = take(database, a=[withdrawn], b=[granted, hit(message)])
    assert found == [EventKind.PREFERRED, EventKind.PREFERRED]
    assert allowed(database, cast.people[ALMA]) == (TrackingMode.OFF, TrackingMode.OFF)


def test_an_edge_whose_clock_is_ahead_holds_off_no_later_choice(database: Database) -> None:
    """Nothing is chosen in the future: what comes in afterwards is in force."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
    take(database, a=[choice(message, "on", at=NOON + timedelta(days=9))])
    take(database, b=[choice(message, "off", at=LATER)])
    assert allowed(database, cast.people[ALMA]) == (TrackingMode.OFF, TrackingMode.OFF)


def test_a_choice_is_recorded_once_whatever_dies(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fact, consent and cursor are one transaction: all of it again after a crash, none of it twice."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
    journals = MemoryJournals(edge=[choice(message, "off")])

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    for owner, step in ((taking.cursors, "move_cursor"), (journals, "trim")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, step, die)
            with pytest.raises(KeyboardInterrupt):
                take_journals(database, journals, now=lambda: LATER)
    assert take_journals(database, journals, now=lambda: LATER) == 0
    assert len(facts(database)) == 1
    with database.read() as tx:
        assert len(contacts.consent_history(tx, cast.people[ALMA])) == 2


def test_a_rebuild_leaves_choices_alone(database: Database) -> None:
    """What was chosen by another way since stays in force."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
    take(database, edge=[choice(message, "off")])
    with database.read() as tx:
        before = contacts.consent_history(tx, cast.people[ALMA])
    rebuild(database)
    with database.read() as tx:
        assert contacts.consent_history(tx, cast.people[ALMA]) == before


def test_the_choice_of_an_erased_contact_is_left_out(database: Database) -> None:
    """There is nobody left to keep it of, and nothing of theirs is recorded any more."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx)
        tx.execute(delete(tables.contacts).where(tables.contacts.c.address == ALMA))
    counter = taking.metrics.DROPPED.labels(DropReason.NO_CONTACT.value)._value
    before = counter.get()
    assert take(database, edge=[choice(message, "off")]) == []
    assert counter.get() == before + 1
