"""What is derived from facts: the standing of each message, the anonymous totals, the rollup.

Every projection is plain arithmetic over an event, so that live recording and `rebuild` run the same lines. Repeats
count nowhere; they only move the time of the last open or click.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from resonanz.ingest.transitions import move
from resonanz.model import Event, EventKind, MessageState, Who, to_microseconds
from resonanz.store.rollup import bucket_of
from resonanz.store.standings import Answer, Standing

BucketKey = tuple[datetime, EventKind, Who]

_COUNTED = {
    EventKind.OPENED: {side: f"opens_{side}" for side in Who},
    EventKind.CLICKED: {side: f"clicks_{side}" for side in Who},
}
_TIMED = {
    EventKind.OPENED: ("first_opened_at", "last_opened_at"),
    EventKind.CLICKED: ("first_clicked_at", "last_clicked_at"),
}
_ANSWERS = {
    EventKind.UNSUBSCRIBED: Answer.UNSUBSCRIBED.value,
    EventKind.COMPLAINED: Answer.COMPLAINED.value,
    EventKind.REPLIED: Answer.REPLIED.value,
}


def who(event: Event) -> Who:
    """Return the side an event counts for. What carries no verdict was not fetched by a machine: it counts as human."""
    return event.verdict.who if event.verdict is not None else Who.HUMAN


# ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


NOTHING, COUNTED, MOVED = range(3)  # what an event changed of a message: its counts and times, or its state as well


def apply(standing: Standing, event: Event) -> int:
    """Let one event change how its message stands. Returns what it changed."""
    side = who(event)
    changed = _note_times(standing, event, side) or _note_answer(standing, event)
    moved = False
    if event.repeat_of is None:
        changed = _count(standing, event, side) or changed
        moved = move(standing, event)
    changed = _note_bounce(standing, event) or changed
    return MOVED if moved else COUNTED if changed else NOTHING


def _count(standing: Standing, event: Event, side: Who) -> bool:
    counted = _COUNTED.get(event.kind)
    if counted is None:
        return False
    column = counted[side]
    setattr(standing, column, getattr(standing, column) + 1)
    if event.kind is EventKind.CLICKED and event.link is not None and side is Who.HUMAN:
        _note_link(standing, event.link)
    return True


def _note_link(standing: Standing, link: int) -> None:
    links = {int(each) for each in standing.followed.split()}
    if link not in links:
        standing.followed = " ".join(map(str, sorted({*links, link})))


def _note_answer(standing: Standing, event: Event) -> bool:
    answer = _ANSWERS.get(event.kind)
    if answer is None or standing.answers & answer:
        return False
    standing.answers |= answer
    return True


def _note_bounce(standing: Standing, event: Event) -> bool:
    """The last report outweighs those before it: one with a reason often follows one without."""
    if event.kind is not EventKind.BOUNCED or standing.state is not MessageState.BOUNCED:
        return False
    words = f"{event.detail.get('bounce') or 'soft'} {event.detail.get('reason') or 'unspecified'}"[:80]
    changed = words != standing.bounce
    standing.bounce = words
    return changed


def _note_times(standing: Standing, event: Event, side: Who) -> bool:
    """First and last are those of people; a machine's fetch is no opening."""
    timed = _TIMED.get(event.kind)
    if timed is None or side is not Who.HUMAN:
        return False
    first, last = timed
    moment = to_microseconds(event.occurred_at)
    earliest, latest = getattr(standing, first), getattr(standing, last)
    if earliest is None or moment < earliest:
        setattr(standing, first, moment)
    if latest is None or moment > latest:
        setattr(standing, last, moment)
    return True


def count_for_person(standing: Standing, before: Event, after: Event) -> bool:
    """Let an event that nobody was sure of count as a person's, as `apply` would have done. Returns whether it did."""
    was, side = who(before), who(after)
    if was is side or side is not Who.HUMAN:
        return False
    counted = _COUNTED.get(after.kind)
    if after.repeat_of is None and counted is not None:
        setattr(standing, counted[was], getattr(standing, counted[was]) - 1)
        _count(standing, after, side)
    return _note_times(standing, after, side) or counted is not None


# ── Totals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def nameless(events: Iterable[Event]) -> list[Event]:
    """Return those opens and clicks that belong to no message and count for their submission; machines' do not."""
    return [
        event
        for event in events
        if event.message_id is None
        and event.submission_id is not None
        and event.kind in _COUNTED
        and event.repeat_of is None
        and who(event) is not Who.MACHINE
    ]


def count_buckets(events: Iterable[Event]) -> Mapping[BucketKey, int]:
    """Return how many first events of each kind and side fall into each bucket of the rollup."""
    return Counter(
        (bucket_of(event.occurred_at), event.kind, who(event)) for event in events if event.repeat_of is None
    )
