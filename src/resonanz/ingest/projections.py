"""What is derived from facts: the standing of each message, the anonymous totals, the rollup.

Every projection is plain arithmetic over an event, so that live recording and `rebuild` run the same lines. Repeats
count nowhere; they only move the time of the last open or click.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from resonanz.ingest.transitions import move
from resonanz.model import Event, EventKind, Who, to_microseconds
from resonanz.store.events import bucket_of
from resonanz.store.standings import Standing

BucketKey = tuple[datetime, EventKind, Who]

_COUNTED = {
    EventKind.OPENED: {side: f"opens_{side}" for side in Who},
    EventKind.CLICKED: {side: f"clicks_{side}" for side in Who},
}
_TIMED = {
    EventKind.OPENED: ("first_opened_at", "last_opened_at"),
    EventKind.CLICKED: ("first_clicked_at", "last_clicked_at"),
}


def who(event: Event) -> Who:
    """Return the side an event counts for. What carries no verdict was not fetched by a machine: it counts as human."""
    return event.verdict.who if event.verdict is not None else Who.HUMAN


# ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


NOTHING, COUNTED, MOVED = range(3)  # what an event changed of a message: its counts and times, or its state as well


def apply(standing: Standing, event: Event) -> int:
    """Let one event change how its message stands. Returns what it changed."""
    changed = _note_times(standing, event)
    if event.repeat_of is None:
        changed = _count(standing, event) or changed
        if move(standing, event):
            return MOVED
    return COUNTED if changed else NOTHING


def _count(standing: Standing, event: Event) -> bool:
    counted = _COUNTED.get(event.kind)
    if counted is None:
        return False
    column = counted[who(event)]
    setattr(standing, column, getattr(standing, column) + 1)
    return True


def _note_times(standing: Standing, event: Event) -> bool:
    """First and last are those of people; a machine's fetch is no opening."""
    timed = _TIMED.get(event.kind)
    if timed is None or who(event) is not Who.HUMAN:
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
    if who(before) is who(after) or who(after) is not Who.HUMAN:
        return False
    counted = _COUNTED.get(after.kind)
    if after.repeat_of is None and counted is not None:
        setattr(standing, counted[who(before)], getattr(standing, counted[who(before)]) - 1)
        _count(standing, after)
    return _note_times(standing, after) or counted is not None


# ── Totals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def count_anonymous(events: Iterable[Event]) -> Mapping[UUID, tuple[int, int]]:
    """Return per submission how many anonymous (opens, clicks) these events add; machines' are left out."""
    totals: dict[UUID, tuple[int, int]] = {}
    for event in events:
        if event.message_id is not None or event.submission_id is None or event.kind not in _COUNTED:
            continue
        if event.repeat_of is None and who(event) is not Who.MACHINE:
            opens, clicks = totals.get(event.submission_id, (0, 0))
            opened = event.kind is EventKind.OPENED
            totals[event.submission_id] = (opens + opened, clicks + (not opened))
    return totals


def count_buckets(events: Iterable[Event]) -> Mapping[BucketKey, int]:
    """Return how many first events of each kind and side fall into each bucket of the rollup."""
    return Counter(
        (bucket_of(event.occurred_at), event.kind, who(event)) for event in events if event.repeat_of is None
    )
