"""Rows written past the product's own ways, to set a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from resonanz.model import Event
from resonanz.store import Tx, events
from resonanz.store.standings import count_changes, lock_standings
from resonanz.store.tables import messages, queue

_COUNTED = frozenset({"state", "track_opens", "track_clicks", "coverage", "gateway"})


def update_message(tx: Tx, message_id: UUID, values: Mapping[str, Any]) -> None:
    """Set columns of one message, and count it as it stands then."""
    standings = lock_standings(tx, [message_id])
    tx.execute(update(messages).where(messages.c.id == message_id).values(**values))
    for standing in standings.values():
        for name in values.keys() & _COUNTED:
            setattr(standing, name, values[name])
    count_changes(tx, standings.values())


def add_event(tx: Tx, event: Event) -> int:
    """Append one fact, with nothing that follows from it, and return its id."""
    (id,) = events.reserve_ids(tx, 1)
    events.add_events(tx, [replace(event, id=id)])
    return id


def next_due(tx: Tx) -> datetime | None:
    """Return when the next unclaimed message is due, or None when nothing waits."""
    due_at: datetime | None = tx.execute(
        select(func.min(queue.c.due_at)).where(queue.c.claimed_until.is_(None))
    ).scalar_one()
    return due_at
