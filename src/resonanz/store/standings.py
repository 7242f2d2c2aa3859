"""Standings: the columns of a message that are projected from its events, read and written many at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update

from resonanz.model import MessageState, TrackingMode
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.tables import messages


@dataclass(slots=True)
class Standing:
    """How one message stands. Mutable, unlike everything else: events are applied to it one after the other."""

    id: UUID
    submission_id: UUID
    contact_id: UUID | None
    recipient: str
    created_at: datetime
    track_opens: TrackingMode
    track_clicks: TrackingMode
    state: MessageState
    state_at: datetime
    state_note: str = ""
    opens_human: int = 0
    opens_indeterminate: int = 0
    opens_machine: int = 0
    clicks_human: int = 0
    clicks_indeterminate: int = 0
    clicks_machine: int = 0
    first_opened_at: datetime | None = None
    last_opened_at: datetime | None = None
    first_clicked_at: datetime | None = None
    last_clicked_at: datetime | None = None


_COLUMNS = [getattr(messages.c, field.name) for field in fields(Standing)]
_NAMES = [field.name for field in fields(Standing)]
_KEPT, _PROJECTED = _NAMES[: _NAMES.index("state")], _NAMES[_NAMES.index("state") :]
_UPDATE = (
    update(messages)
    .where(messages.c.id == bindparam("key"))
    .values({name: bindparam(f"new_{name}") for name in _PROJECTED})
)


def lock_standings(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return these messages' standings, held until the transaction ends; unknown messages are left out.

    Rows are locked in the order of their ids, so that two transactions cannot wait for each other.
    """
    query = select(*_COLUMNS).order_by(messages.c.id).with_for_update(of=messages)
    return {
        row.id: Standing(*row)
        for portion in in_portions(sorted(ids))
        for row in tx.execute(query.where(messages.c.id.in_(portion)))
    }


def next_ids(tx: Tx, after: UUID | None, *, limit: int) -> list[UUID]:
    """Return the ids of messages in order, from the one behind `after`."""
    query = select(messages.c.id).order_by(messages.c.id).limit(limit)
    return list(tx.execute(query if after is None else query.where(messages.c.id > after)).scalars())


def blank(standing: Standing) -> Standing:
    """Return the standing that a message begins with, before anything happened to it."""
    kept = {name: getattr(standing, name) for name in _KEPT}
    return Standing(**kept, state=MessageState.QUEUED, state_at=standing.created_at)


def save_standings(tx: Tx, standings: Iterable[Standing]) -> None:
    """Write the projected columns of these messages."""
    rows = [
        {"key": standing.id, **{f"new_{name}": getattr(standing, name) for name in _PROJECTED}}
        for standing in standings
    ]
    if rows:
        tx.execute(_UPDATE, rows)
