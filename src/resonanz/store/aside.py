"""Hits that could not be turned into events, kept word for word until somebody has put right what was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, func, or_, select

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing
from resonanz.store.tables import aside


@dataclass(frozen=True, slots=True)
class AsideRow:
    """One hit: where it stood, its text as the journal writes it, and what sort of failure kept it from the facts."""

    journal: str
    position: int
    hit: str
    error: str
    set_aside_at: datetime


def keep_aside(tx: Tx, rows: Sequence[AsideRow]) -> None:
    """Keep hits, in the transaction that moves the cursor past them; what is kept already stays."""
    insert_missing(
        tx,
        aside,
        [
            {
                "journal": row.journal,
                "position": row.position,
                "hit": row.hit,
                "error": row.error,
                "set_aside_at": row.set_aside_at,
            }
            for row in rows
        ],
    )


def list_aside(tx: Tx, after: tuple[str, int] = ("", 0), limit: int = 100) -> list[AsideRow]:
    """Return kept hits in the order of journal and position, from the one behind `after`."""
    behind = or_(aside.c.journal > after[0], and_(aside.c.journal == after[0], aside.c.position > after[1]))
    rows = tx.execute(select(aside).where(behind).order_by(aside.c.journal, aside.c.position).limit(limit))
    return [AsideRow(row.journal, row.position, row.hit, row.error, row.set_aside_at) for row in rows]


def drop_aside(tx: Tx, journal: str, position: int) -> bool:
    """Let go of one hit. Returns whether it was there: two that retry it at once take it once."""
    found = delete(aside).where(aside.c.journal == journal, aside.c.position == position)
    return tx.execute(found).rowcount > 0


def count_aside(tx: Tx) -> int:
    """Return how many hits are kept aside."""
    return tx.execute(select(func.count()).select_from(aside)).scalar_one()
