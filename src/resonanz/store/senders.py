"""Which addresses and domains an account may send from beside its own, as rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing
from resonanz.store.tables import senders


@dataclass(frozen=True, slots=True)
class Sender:
    """`pattern` is a normalised address, or `@` and a domain for every address at it."""

    account_id: UUID
    pattern: str
    created_at: datetime
    created_by: str


def add_sender(tx: Tx, sender: Sender) -> bool:
    """Allow a sender. Returns whether it was new."""
    row = {
        "account_id": sender.account_id,
        "pattern": sender.pattern,
        "created_at": sender.created_at,
        "created_by": sender.created_by,
    }
    return bool(insert_missing(tx, senders, [row]))


def remove_sender(tx: Tx, account_id: UUID, pattern: str) -> bool:
    """Allow a sender no longer. Returns whether it was allowed."""
    one = (senders.c.account_id == account_id) & (senders.c.pattern == pattern)
    return tx.execute(delete(senders).where(one)).rowcount > 0


def list_senders(tx: Tx, account_id: UUID | None = None) -> list[Sender]:
    """Return what one account may send from, or every one, in alphabetical order."""
    query = select(senders).order_by(senders.c.pattern, senders.c.account_id)
    if account_id is not None:
        query = query.where(senders.c.account_id == account_id)
    return [Sender(*row) for row in tx.execute(query)]


def allowed_among(tx: Tx, account_id: UUID, patterns: Collection[str]) -> frozenset[str]:
    """Return those of these patterns that the account is allowed."""
    mine = (senders.c.account_id == account_id) & senders.c.pattern.in_(patterns)
    return frozenset(tx.execute(select(senders.c.pattern).where(mine)).scalars())


def accounts_allowed(tx: Tx, pattern: str) -> list[UUID]:
    """Return the accounts that are allowed this pattern."""
    return list(tx.execute(select(senders.c.account_id).where(senders.c.pattern == pattern)).scalars())
