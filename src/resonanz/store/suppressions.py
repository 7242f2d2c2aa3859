"""The suppression list as rows: addresses that get no mail, and how they came on the list and off it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select

from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions, insert_missing
from resonanz.store.tables import suppression_changes, suppressions
from resonanz.store.text import storable


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """An address that gets no mail, why and since when."""

    address: str
    reason: str
    since: datetime
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class SuppressionChange:
    """One line of an address's history: `change` is added or removed."""

    address: str
    change: str
    reason: str
    occurred_at: datetime
    source: str
    note: str = ""
    actor: str = ""


def suppress(tx: Tx, row: SuppressionRow) -> bool:
    """Put an address on the list; the first reason stays. Returns whether it was new."""
    return bool(
        insert_missing(
            tx,
            suppressions,
            [
                {
                    "address": row.address,
                    "reason": row.reason,
                    "since": row.since,
                    "source": row.source,
                    "note": row.note,
                }
            ],
        )
    )


def find_suppression(tx: Tx, address: str) -> SuppressionRow | None:
    """Return why this normalised address is suppressed, or None."""
    row = tx.execute(select(suppressions).where(suppressions.c.address == address)).one_or_none()
    return None if row is None else SuppressionRow(row.address, row.reason, row.since, row.source, row.note)


def find_suppressions(tx: Tx, addresses: Collection[str]) -> list[SuppressionRow]:
    """Return the rows of those of these normalised addresses that are suppressed."""
    return [
        SuppressionRow(row.address, row.reason, row.since, row.source, row.note)
        for portion in in_portions(addresses)
        for row in tx.execute(select(suppressions).where(suppressions.c.address.in_(portion)))
    ]


def list_suppressions(
    tx: Tx, *, limit: int = 100, after: str = "", search: str = "", reason: str = ""
) -> list[SuppressionRow]:
    """Return suppressed addresses in order, from the one behind `after`: a page costs the same wherever it is.

    `search` finds part of an address, whatever its case; `reason` keeps to one reason.
    """
    query = select(suppressions).where(suppressions.c.address > after).order_by(suppressions.c.address).limit(limit)
    if reason:
        query = query.where(suppressions.c.reason == reason)
    if wanted := storable(search):
        query = query.where(suppressions.c.address.icontains(wanted, autoescape=True))
    rows = tx.execute(query)
    return [SuppressionRow(row.address, row.reason, row.since, row.source, row.note) for row in rows]


def unsuppress(tx: Tx, address: str) -> bool:
    """Take an address off the list. Returns whether it was on it."""
    return tx.execute(delete(suppressions).where(suppressions.c.address == address)).rowcount > 0


def add_change(tx: Tx, change: SuppressionChange) -> None:
    """Append to the history of an address."""
    tx.execute(
        insert(suppression_changes).values(
            address=change.address,
            change=change.change,
            reason=change.reason,
            occurred_at=change.occurred_at,
            source=change.source,
            note=change.note,
            actor=change.actor,
        )
    )


def changes_of(tx: Tx, address: str) -> list[SuppressionChange]:
    """Return the history of an address, oldest first."""
    rows = tx.execute(
        select(suppression_changes).where(suppression_changes.c.address == address).order_by(suppression_changes.c.id)
    )
    return [
        SuppressionChange(row.address, row.change, row.reason, row.occurred_at, row.source, row.note, row.actor)
        for row in rows
    ]
