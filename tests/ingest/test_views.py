"""A mail looked at in a browser, on its way to becoming a fact."""

from __future__ import annotations

from datetime import datetime, timedelta

from resonanz.ingest import take_journals
from resonanz.insight import message_page
from resonanz.model import Event, EventKind, Hit, HitKind, MessageState, TrackingMode, Verdict, new_id
from resonanz.people import Choice, Purpose, record_choice
from resonanz.store import Database, events, messages
from tests.kit.cast import BROWSER, NOON, Cast, hit
from tests.kit.journals import MemoryJournals

START = NOON + timedelta(hours=1)


def taken(database: Database, *hits: Hit) -> list[Event]:
    """Take these hits over and return all facts of the edge."""
    take_journals(database, MemoryJournals(**{new_id().hex: hits}), now=lambda: datetime.now(NOON.tzinfo))
    with database.read() as tx:
        return [event for event in events.after(tx, 0, limit=100) if event.source == "edge"]


def test_a_look_in_the_browser_is_no_open_but_proves_arrival(database: Database) -> None:
    """It is told as what it is, again within minutes is the same look, and opens stay as they were."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx)
    looks = [hit(message, HitKind.VIEW, at=START + timedelta(minutes=n), user_agent=BROWSER) for n in (0, 5, 60)]
    first, again, later = taken(database, *looks)
    assert (first.kind, first.verdict) == (EventKind.SHOWN, Verdict.PENDING)
    assert (again.repeat_of, later.repeat_of) == (first.id, None)
    page = message_page(database, message.id)
    assert page is not None
    assert (page.message.opens_human, page.message.first_opened_at) == (0, None)
    assert page.message.state is MessageState.DELIVERED


def test_scanners_that_follow_the_link_are_told_apart(database: Database) -> None:
    """A program that only asks what would come is a machine, and proves nothing."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx)
    (event,) = taken(database, hit(message, HitKind.VIEW, at=START, user_agent=BROWSER, method="HEAD"))
    assert event.verdict is Verdict.MACHINE_SCANNER
    with database.read() as tx:
        stored = messages.get_message(tx, message.id)
    assert stored is not None
    assert stored.state is MessageState.SENT


def test_looks_are_recorded_where_opens_are_allowed(database: Database) -> None:
    """Without consent to opens, or where the copy's opens have no name, nothing becomes of it; clicks do not matter."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        nameless = cast.mail(tx, opens=TrackingMode.ANONYMOUS)
        allowed = cast.mail(tx, "bruno@example.org", clicks=TrackingMode.OFF)
        withdrawn = cast.mail(tx, "cleo@example.net")
        assert withdrawn.contact_id is not None
        record_choice(tx, withdrawn.contact_id, Purpose.OPENS, Choice.WITHDRAWN, now=START, source="test")
    looks = [hit(one, HitKind.VIEW, at=START, user_agent=BROWSER) for one in (nameless, allowed, withdrawn)]
    assert [event.message_id for event in taken(database, *looks)] == [allowed.id]
