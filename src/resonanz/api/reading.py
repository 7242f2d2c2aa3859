"""Reading what mail set in motion."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from resonanz import model
from resonanz.api.access import Caller, Parts
from resonanz.api.shapes import EventOut, EventPage, MessageOut, MessagePage
from resonanz.insight import feed
from resonanz.model import MessageState, NotFound
from resonanz.store import events, messages

router = APIRouter(tags=["Reading"])

Limit = Annotated[int, Query(ge=1, le=500)]
EventId = Annotated[int, Query(ge=0, le=2**63 - 1, description="Continue after this event")]


@router.get("/messages", response_model=MessagePage, summary="Messages, newest first")
def list_messages(
    parts: Parts,
    _caller: Caller,
    limit: Limit = 50,
    before: Annotated[UUID | None, Query(description="Continue behind this message: `next` of the page before")] = None,
    state: MessageState | None = None,
    search: Annotated[str, Query(max_length=200, description="Part of a recipient or subject")] = "",
) -> MessagePage:
    """Return a page of messages."""
    with parts.database.read() as tx:
        found = messages.list_messages(tx, limit=limit + 1, before=before, state=state, search=search)
    page = found[:limit]
    return MessagePage(messages=[MessageOut.of(row) for row in page], next=page[-1].id if len(found) > limit else None)


@router.get("/messages/{message}", response_model=MessageOut, summary="One message")
def get_message(message: UUID, parts: Parts, _caller: Caller) -> MessageOut:
    """Return one message with its state and counts."""
    with parts.database.read() as tx:
        found = messages.get_message(tx, message)
    if found is None:
        raise NotFound("there is no such message", where="message")
    return MessageOut.of(found)


@router.get("/messages/{message}/events", response_model=EventPage, summary="Everything that happened to one message")
def message_events(message: UUID, parts: Parts, _caller: Caller, limit: Limit = 100, after: EventId = 0) -> EventPage:
    """Return a message's events in order, repeats included (`repeat_of` names the event they repeat)."""
    with parts.database.read() as tx:
        if messages.get_message(tx, message) is None:
            raise NotFound("there is no such message", where="message")
        found = events.of_message(tx, message, after=after, limit=limit)
    return EventPage(events=[EventOut.of(event) for event in found], next=found[-1].id if found else after)


@router.get("/events", response_model=EventPage, summary="Every event, in the order it was recorded")
def list_events(parts: Parts, _caller: Caller, limit: Limit = 100, after: EventId = 0) -> EventPage:
    """Return events behind `after`: poll with the last `next` to follow everything.

    Events without a name of mails to fewer than five people are left out: their time alone could name somebody.
    """
    page = feed(parts.database, after, limit, now=model.now())
    return EventPage(events=[EventOut.of(event) for event in page.events], next=page.next)
