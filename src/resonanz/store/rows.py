"""Inserts that both databases spell alike."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from resonanz.store.engine import Tx

_T = TypeVar("_T")

# Both databases limit the bound values of one statement: SQLite to 32,766, PostgreSQL to 65,535.
_IN_ONE_STATEMENT = 10_000


def in_portions(values: Collection[_T]) -> Iterator[list[_T]]:
    """Yield `values` in lists short enough for an IN condition."""
    every = list(values)
    for start in range(0, len(every), _IN_ONE_STATEMENT):
        yield every[start : start + _IN_ONE_STATEMENT]


def insert_missing(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, leaving alone those whose key is there already. Returns how many were new."""
    if not rows:
        return 0
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    new = 0
    for start in range(0, len(rows), 500):  # below SQLite's limit of bound values in one statement
        statement = dialect.insert(table).values(list(rows[start : start + 500])).on_conflict_do_nothing()
        # Drivers disagree about the row count of such an insert; the rows it returns are those it made.
        new += len(tx.execute(statement.returning(*table.primary_key.columns)).all())
    return new


def upsert(tx: Tx, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert one row, or bring the one with this key to these values."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**key, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
