"""Inserts that both databases spell alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from resonanz.store.engine import Tx


def insert_missing(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, leaving alone those whose key is there already. Returns how many were new."""
    if not rows:
        return 0
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    new = 0
    for start in range(0, len(rows), 500):  # below SQLite's limit of bound values in one statement
        statement = dialect.insert(table).values(list(rows[start : start + 500])).on_conflict_do_nothing()
        new += max(tx.execute(statement).rowcount, 0)
    return new


def upsert(tx: Tx, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert one row, or bring the one with this key to these values."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**key, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def add_up(tx: Tx, table: Table, key: Mapping[str, Any], column: str, amount: int) -> None:
    """Add `amount` to a counter row, creating it at zero."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**key, **{column: amount})
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=list(key), set_={column: table.c[column] + statement.excluded[column]}
        )
    )
