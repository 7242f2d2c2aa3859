"""The live feed's question: what happened last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from resonanz.model import Event
from resonanz.people import hides_in_group
from resonanz.store import Database
from resonanz.store import events as store
from resonanz.store.events import Headline

SETTLING = timedelta(seconds=5)

_NO_HEADLINE = Headline("", 0)


@dataclass(frozen=True, slots=True)
class Activity:
    """One event with the subject of its mail. `event.recipient` is empty where no person may be named."""

    event: Event
    subject: str


def activity(database: Database, limit: int = 50) -> list[Activity]:
    """Return the newest events that repeat nothing, newest first; three statements.

    Anonymous events of a mail to fewer than five people are left out: their time alone could name somebody.
    """
    with database.read() as tx:
        events = store.latest(tx, limit=limit)
        headlines = store.headlines(tx, events)
    return [
        Activity(event, headlines.get(event.id, _NO_HEADLINE).subject)
        for event in events
        if _may_be_shown(event, headlines)
    ]


@dataclass(frozen=True, slots=True)
class Feed:
    """Events in the order of their ids; `next` is where to go on."""

    events: list[Event]
    next: int


def feed(database: Database, after: int, limit: int, *, now: datetime) -> Feed:
    """Return the events behind `after`, for whoever follows everything; three statements.

    Anonymous events of a mail to fewer than five people are left out, as in the live feed. On PostgreSQL, transactions
    side by side may commit their ids out of order; what is younger than a few seconds waits for the next call, so that
    nobody reads past an event that is still to come.
    """
    settled = None if database.is_sqlite else now - SETTLING
    with database.read() as tx:
        events = store.after(tx, after, limit=limit, received_before=settled)
        headlines = store.headlines(tx, [event for event in events if event.message_id is None])
    shown = [event for event in events if _may_be_shown(event, headlines)]
    return Feed(shown, events[-1].id if events else after)


def _may_be_shown(event: Event, headlines: dict[int, Headline]) -> bool:
    return event.message_id is not None or hides_in_group(headlines.get(event.id, _NO_HEADLINE).recipients)
