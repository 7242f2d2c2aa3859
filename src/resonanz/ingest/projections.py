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
from resonanz.model import Event, EventKind, Who
from resonanz.store.events import bucket_of
from resonanz.store.standings import Standing

BucketKey = tuple[datetime, EventKind, Who]

_COUNTED = {EventKind.OPENED: "opens", EventKind.CLICKED: "clicks"}
_TIMED = {
    EventKind.OPENED: ("first_opened_at", "last_opened_at"),
    EventKind.CLICKED: ("first_clicked_at", "last_clicked_at"),
}


def who(event: Event) -> Who:
    """Return the side an event counts for. What carries no verdict was not fetched by a machine: it counts as human."""
    return event.verdict.who if event.verdict is not None else Who.HUMAN


# ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def apply(standing: Standing, event: Event) -> bool:
    """Let one event change how its message stands. Returns whether it changed anything."""
    changed = _note_times(standing, event)
    if event.repeat_of is None:
        changed = _count(standing, event) or changed
        changed = move(standing, event) or changed
    return changed


def _count(standing: Standing, event: Event) -> bool:
    counted = _COUNTED.get(event.kind)
    if counted is None:
        return False
    column = f"{counted}_{who(event)}"
    setattr(standing, column, getattr(standing, column) + 1)
    return True


def _note_times(standing: Standing, event: Event) -> bool:
    """First and last are those of people; a machine's fetch is no opening."""
    timed = _TIMED.get(event.kind)
    if timed is None or who(event) is not Who.HUMAN:
        return False
    first, last = timed
    setattr(standing, first, min(getattr(standing, first) or event.occurred_at, event.occurred_at))
    setattr(standing, last, max(getattr(standing, last) or event.occurred_at, event.occurred_at))
    return True


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
