"""Standings: the columns of a message that are projected from its events, read and written many at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import select

from resonanz.model import MessageState, TrackingMode
from resonanz.store.bulk import Ids, Plain, Row, plain, select_by_ids, update_many
from resonanz.store.engine import Tx
from resonanz.store.tables import messages


@dataclass(slots=True)
class Standing:
    """How one message stands. Mutable, unlike everything else: events are applied to it one after the other.

    Its moments are microseconds since the epoch, as in a `Hit` and in the table: thousands a second are read and
    written again, and all that is ever done with them is to compare them.
    """

    id: UUID
    submission_id: UUID
    contact_id: UUID | None
    recipient: str
    created_at: int
    track_opens: TrackingMode
    track_clicks: TrackingMode
    state: MessageState
    state_at: int
    state_note: str = ""
    opens_human: int = 0
    opens_indeterminate: int = 0
    opens_machine: int = 0
    clicks_human: int = 0
    clicks_indeterminate: int = 0
    clicks_machine: int = 0
    first_opened_at: int | None = None
    last_opened_at: int | None = None
    first_clicked_at: int | None = None
    last_clicked_at: int | None = None


_NAMES = [field.name for field in fields(Standing)]
_KEPT, _PROJECTED = _NAMES[: _NAMES.index("state")], _NAMES[_NAMES.index("state") :]
_COUNTS = _NAMES[_NAMES.index("opens_human") :]

_MODES = {mode.value: mode for mode in TrackingMode}
_STATES = {state.value: state for state in MessageState}


def lock_standings(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return these messages' standings, held until the transaction ends; unknown messages are left out.

    Rows are locked in the order of their ids, so that two transactions cannot wait for each other.
    """
    known = Ids.known(tx, ids)
    found = [_standing(row, known) for row in select_by_ids(tx, messages, _NAMES, ids, lock=True)]
    return {standing.id: standing for standing in found}


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
    as_plain = plain(tx)
    update_many(tx, messages, _PROJECTED, [_row(standing, as_plain) for standing in standings])


def save_counts(tx: Tx, standings: Iterable[Standing]) -> None:
    """Write what is counted of these messages, and not their states: SQLite would write the index on states anew."""
    as_plain = plain(tx)
    update_many(tx, messages, _COUNTS, [_counts_row(standing, as_plain) for standing in standings])


def _standing(row: Any, ids: Ids) -> Standing:
    """Read the driver's row; in the order of the fields above."""
    id, submission_id, contact_id, recipient, created_at, opens, clicks, state, *others = row
    return Standing(
        ids[id],
        ids[submission_id],
        None if contact_id is None else ids[contact_id],
        recipient,
        created_at,
        _MODES[opens],
        _MODES[clicks],
        _STATES[state],
        *others,
    )


def _row(standing: Standing, as_plain: Plain) -> Row:
    """Return the projected columns in their order, and the id last."""
    return (standing.state.value, standing.state_at, standing.state_note, *_counts_row(standing, as_plain))


def _counts_row(standing: Standing, as_plain: Plain) -> Row:
    return (
        standing.opens_human,
        standing.opens_indeterminate,
        standing.opens_machine,
        standing.clicks_human,
        standing.clicks_indeterminate,
        standing.clicks_machine,
        standing.first_opened_at,
        standing.last_opened_at,
        standing.first_clicked_at,
        standing.last_clicked_at,
        as_plain.id(standing.id),
    )
