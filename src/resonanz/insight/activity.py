"""The live feed's question: what happened last."""

from __future__ import annotations

from dataclasses import dataclass

from resonanz.model import Event
from resonanz.people import hides_in_group
from resonanz.store import Database
from resonanz.store import events as store
from resonanz.store.events import Headline

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
    shown: list[Activity] = []
    for event in events:
        headline = headlines.get(event.id, _NO_HEADLINE)
        if event.message_id is not None or hides_in_group(headline.recipients):
            shown.append(Activity(event, headline.subject))
    return shown
