"""How far each journal has been taken over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing, upsert
from resonanz.store.tables import cursors


def cursor(tx: Tx, journal: str) -> int:
    """Return the position up to which a journal has been taken over."""
    return tx.execute(select(cursors.c.position).where(cursors.c.journal == journal)).scalar_one_or_none() or 0


def cursors_taken(tx: Tx) -> dict[str, int]:
    """Return the positions up to which journals have been taken over, by the journals' ids."""
    return {row.journal: row.position for row in tx.execute(select(cursors.c.journal, cursors.c.position))}


def lock_cursor(tx: Tx, journal: str, now: datetime) -> int:
    """Return a journal's position and hold it: another process taking the same journal over waits, then reads ours."""
    insert_missing(tx, cursors, [{"journal": journal, "position": 0, "moved_at": now}])
    query = select(cursors.c.position).where(cursors.c.journal == journal).with_for_update()
    return int(tx.execute(query).scalar_one())


def move_cursor(tx: Tx, journal: str, position: int, now: datetime) -> None:
    """Note how far a journal has been taken over; in the same transaction as its facts, so that each counts once."""
    upsert(tx, cursors, {"journal": journal}, {"position": position, "moved_at": now})
