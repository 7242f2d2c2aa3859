"""Which submissions an operator has blocked, when, why and who, as rows. Append-only: the last row is in force."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.tables import blocks


@dataclass(frozen=True, slots=True)
class Block:
    """That a submission was blocked, or with `blocked` False no longer is. `actor` is who decided it."""

    submission_id: UUID
    blocked: bool
    reason: str
    actor: str
    occurred_at: datetime


_IN_FORCE = blocks.c.id.in_(select(func.max(blocks.c.id)).group_by(blocks.c.submission_id))


def add_block(tx: Tx, block: Block) -> None:
    """Append a decision; it is in force from now on."""
    tx.execute(
        insert(blocks).values(
            submission_id=block.submission_id,
            blocked=block.blocked,
            reason=block.reason,
            actor=block.actor,
            occurred_at=block.occurred_at,
        )
    )


def history(tx: Tx, submission_id: UUID) -> list[Block]:
    """Return every decision about one submission, newest first."""
    rows = tx.execute(select(blocks).where(blocks.c.submission_id == submission_id).order_by(blocks.c.id.desc()))
    return [_block(row) for row in rows]


def in_force(tx: Tx) -> list[Block]:
    """Return the blocks in force, newest first."""
    rows = tx.execute(select(blocks).where(_IN_FORCE, blocks.c.blocked).order_by(blocks.c.id.desc()))
    return [_block(row) for row in rows]


def blocked_among(tx: Tx, submission_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those of these submissions that are blocked."""
    found: set[UUID] = set()
    for portion in in_portions(submission_ids):
        last = select(func.max(blocks.c.id)).where(blocks.c.submission_id.in_(portion)).group_by(blocks.c.submission_id)
        found.update(
            tx.execute(select(blocks.c.submission_id).where(blocks.c.id.in_(last), blocks.c.blocked)).scalars()
        )
    return frozenset(found)


def last_id(tx: Tx) -> int:
    """Return the id of the last decision about any submission, 0 when there is none."""
    return tx.execute(select(func.max(blocks.c.id))).scalar_one() or 0


def _block(row: Any) -> Block:
    return Block(row.submission_id, row.blocked, row.reason, row.actor, row.occurred_at)
