"""What a watcher is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from resonanz.model import Event, EventKind, Verdict, Who


class NoticeKind(StrEnum):
    """News, or that there was too much of it."""

    EVENT = "event"
    RELOAD = "reload"  # some was missed: show the page anew


@dataclass(frozen=True, slots=True)
class Notice:
    """One piece of news. Of a `reload` only `event_id` means something: the position to go on from.

    `recipient` is empty where no person may be named. `client` and `country` are empty where they are not known.
    """

    notice: NoticeKind
    event_id: int
    kind: EventKind | None = None
    message_id: UUID | None = None
    submission_id: UUID | None = None
    verdict: Verdict | None = None
    who: Who | None = None
    occurred_at: datetime | None = None
    subject: str = ""
    recipient: str = ""
    link: int | None = None
    repeat_of: int | None = None
    client: str = ""
    country: str = ""


def reload_notice(event_id: int) -> Notice:
    """Return the notice that tells a watcher to show the page anew."""
    return Notice(NoticeKind.RELOAD, event_id)


def event_notice(event: Event, subject: str) -> Notice:
    """Return the notice of one event."""
    return Notice(
        NoticeKind.EVENT,
        event.id,
        kind=event.kind,
        message_id=event.message_id,
        submission_id=event.submission_id,
        verdict=event.verdict,
        who=event.verdict.who if event.verdict is not None else None,
        occurred_at=event.occurred_at,
        subject=subject,
        recipient=event.recipient,
        link=event.link,
        repeat_of=event.repeat_of,
        client=event.client.name if event.client is not None else "",
        country=event.place.country if event.place is not None else "",
    )
