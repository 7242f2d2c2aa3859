"""Questions about single mails: one message with its whole story, and the list of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from resonanz.insight.explain import (
    NEVER_BUILT,
    NOT_BUILT_YET,
    Explanation,
    explain_confidence,
    explain_coverage,
    explain_gateway,
    explain_reason,
    explain_refusal,
    explain_untracked,
    explain_verdict,
)
from resonanz.model import Event, EventKind, MessageState, Verdict, Who
from resonanz.store import Database, queue
from resonanz.store import events as event_store
from resonanz.store import messages as message_store
from resonanz.store.events import Repeats
from resonanz.store.messages import Link, Message, Submission
from resonanz.store.queue import Attempt

TIMELINE_LIMIT = 1000
_TO_BE_BUILT = (MessageState.QUEUED, MessageState.SENDING, MessageState.DEFERRED)


@dataclass(frozen=True, slots=True)
class Change:
    """That the verdict on an event changed: when, what it was and became, and why."""

    at: datetime
    was: Explanation | None
    became: Explanation
    reasons: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline: a first event with those that repeat it folded into it, and how its verdict changed."""

    event: Event
    repeats: int
    last_at: datetime  # of the event, or of its newest repeat
    verdict: Explanation | None
    confidence: Explanation | None
    reasons: tuple[Explanation, ...]
    refusal: Explanation | None  # why it was refused or is late
    link: Link | None
    seconds: int | None = None  # for which a visited page was looked at, where that is known
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """One link of a mail and how often it was followed, by side; repeats folded."""

    link: Link
    human: int
    indeterminate: int
    machine: int


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Everything known about one message. `more` tells that its timeline was cut at `TIMELINE_LIMIT` events.

    Until the copy `is_built`, the message's tracking modes are what was asked for, not what was done.
    """

    message: Message
    submission: Submission
    timeline: tuple[Entry, ...]
    more: bool
    attempts: tuple[Attempt, ...]
    links: tuple[LinkClicks, ...]
    is_built: bool
    coverage: Explanation
    gateway: Explanation | None
    untracked: Explanation | None


@dataclass(frozen=True, slots=True)
class Query:
    """Which messages to list: newest first, those behind `before`, in this state, with this in recipient or subject."""

    limit: int = 50
    before: UUID | None = None
    state: MessageState | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class MessageList:
    """A page of messages. `next` is the `before` of the following page, None when this is the last."""

    rows: tuple[Message, ...]
    next: UUID | None


def message_list(database: Database, query: Query) -> MessageList:
    """Return a page of messages; one statement."""
    with database.read() as tx:
        rows = message_store.list_messages(
            tx, limit=query.limit + 1, before=query.before, state=query.state, search=query.search.strip()
        )
    page = tuple(rows[: query.limit])
    return MessageList(page, page[-1].id if len(rows) > query.limit else None)


def message_page(database: Database, message_id: UUID) -> MessagePage | None:
    """Return everything about one message, or None when there is no such message; seven statements at most."""
    with database.read() as tx:
        message = message_store.get_message(tx, message_id)
        if message is None:
            return None
        submission = message_store.get_submission(tx, message.submission_id)
        assert submission is not None, "a message always has its submission"
        events = event_store.firsts_in_full(tx, message_id, limit=TIMELINE_LIMIT + 1)
        repeats = event_store.repeats_of(tx, message_id)
        visited = any(event.kind is EventKind.VISITED for event in events)
        seconds = event_store.seconds_of_visits(tx, message_id) if visited else {}
        attempts = queue.list_attempts(tx, message_id)
        links = message_store.list_links(tx, submission.content_id)
    timeline = _timeline(events[:TIMELINE_LIMIT], repeats, links, seconds)
    return MessagePage(
        message=message,
        submission=submission,
        timeline=timeline,
        more=len(events) > TIMELINE_LIMIT,
        attempts=tuple(attempts),
        links=_link_clicks(links, timeline),
        is_built=_is_built(message),
        coverage=_coverage(message),
        gateway=explain_gateway(message.gateway) if message.gateway else None,
        untracked=explain_untracked(message.untracked_reason) if message.untracked_reason else None,
    )


def _is_built(message: Message) -> bool:
    return bool(message.header_id)


def _coverage(message: Message) -> Explanation:
    if _is_built(message):
        return explain_coverage(message.coverage)
    return NOT_BUILT_YET if message.state in _TO_BE_BUILT else NEVER_BUILT


def _timeline(
    events: Iterable[Event], repeats: Mapping[int, Repeats], links: Iterable[Link], seconds: Mapping[int, int]
) -> tuple[Entry, ...]:
    """Put events in order of time, each with what repeats it folded in and what was found out about it since."""
    by_index = {link.link: link for link in links}
    shown, changes = _apart(events)
    entries = [
        replace(
            _entry(event, repeats.get(event.id), by_index, seconds.get(event.id)), changes=changes.get(event.id, ())
        )
        for event in shown
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.event.occurred_at, entry.event.id)))


def _apart(events: Iterable[Event]) -> tuple[list[Event], Mapping[int, tuple[Change, ...]]]:
    """Return what happened, and by the ids of these events how their verdicts changed."""
    shown: list[Event] = []
    changes: defaultdict[int, tuple[Change, ...]] = defaultdict(tuple)
    for event in events:
        if event.kind is not EventKind.CORRECTED:
            shown.append(event)
        elif event.verdict is not None:
            about = int(str(event.detail.get("event", 0)))
            changes[about] = (*changes[about], _change(event, event.verdict))
    return shown, changes


_VERDICTS = {verdict.value: verdict for verdict in Verdict}


def _change(told: Event, became: Verdict) -> Change:
    was = _VERDICTS.get(str(told.detail.get("was", "")))
    return Change(
        told.occurred_at,
        explain_verdict(was) if was is not None else None,
        explain_verdict(became),
        tuple(explain_reason(code) for code in told.reasons),
    )


def _entry(event: Event, repeats: Repeats | None, links: Mapping[int, Link], seconds: int | None) -> Entry:
    return Entry(
        event=event,
        repeats=repeats.times if repeats is not None else 0,
        last_at=max(repeats.last_at, event.occurred_at) if repeats is not None else event.occurred_at,
        verdict=explain_verdict(event.verdict) if event.verdict is not None else None,
        confidence=explain_confidence(event.confidence) if event.confidence is not None else None,
        reasons=tuple(explain_reason(code) for code in event.reasons),
        refusal=explain_refusal(str(event.detail["reason"])) if _is_refusal(event) else None,
        link=links.get(event.link) if event.link is not None else None,
        seconds=seconds,
    )


def _is_refusal(event: Event) -> bool:
    return event.kind in _REFUSED and bool(event.detail.get("reason"))


_REFUSED = (EventKind.BOUNCED, EventKind.DEFERRED, EventKind.FAILED)
_FOLLOWED = (EventKind.CLICKED, EventKind.DOWNLOADED)  # a link to a document is one of the mail's links


def _link_clicks(links: Iterable[Link], timeline: Iterable[Entry]) -> tuple[LinkClicks, ...]:
    counts: dict[tuple[int, Who], int] = {}
    for entry in timeline:
        event = entry.event
        if event.kind in _FOLLOWED and event.link is not None and event.verdict is not None:
            counts[event.link, event.verdict.who] = counts.get((event.link, event.verdict.who), 0) + 1
    return tuple(
        LinkClicks(
            link,
            human=counts.get((link.link, Who.HUMAN), 0),
            indeterminate=counts.get((link.link, Who.INDETERMINATE), 0),
            machine=counts.get((link.link, Who.MACHINE), 0),
        )
        for link in links
    )
