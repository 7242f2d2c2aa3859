"""Files of contacts on their way in, as rows: the import, the file in pieces, the rows that were refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing
from resonanz.store.tables import import_errors, import_pieces, imports

PIECE_BYTES = 256 * 1024
UPLOAD_KEPT = timedelta(hours=24)
REFUSED_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Import:
    """One import, and how far it is. `position` and `line` are where its next record begins."""

    id: UUID
    account_id: UUID | None
    file_name: str
    size: int
    state: str
    plan: Mapping[str, Any]
    created_at: datetime
    finished_at: datetime | None = None
    position: int = 0
    line: int = 1
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    suppressed: int = 0
    kept: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One row that was refused: the line it begins at, why, and its cells."""

    line: int
    reason: str
    cells: Sequence[str]


_COLUMNS = [imports.c[field.name] for field in fields(Import)]


def add_import(tx: Tx, one: Import) -> None:
    """Insert an import."""
    tx.execute(insert(imports).values(**asdict(one)))


def add_piece(tx: Tx, import_id: UUID, number: int, body: bytes) -> None:
    """Keep one piece of a file; all but the last have `PIECE_BYTES`."""
    tx.execute(insert(import_pieces).values(import_id=import_id, number=number, body=body))


def save_import(tx: Tx, import_id: UUID, **values: Any) -> None:
    """Set columns of one import."""
    tx.execute(update(imports).where(imports.c.id == import_id).values(**values))


def get_import(tx: Tx, import_id: UUID) -> Import | None:
    """Return one import."""
    row = tx.execute(select(*_COLUMNS).where(imports.c.id == import_id)).one_or_none()
    return None if row is None else Import(*row)


def list_imports(tx: Tx, *, limit: int, before: UUID | None = None) -> list[Import]:
    """Return imports, newest first, from the one behind `before`."""
    query = select(*_COLUMNS).order_by(imports.c.id.desc()).limit(limit)
    return [Import(*row) for row in tx.execute(query if before is None else query.where(imports.c.id < before))]


def lock_import(tx: Tx, import_id: UUID) -> Import | None:
    """Return an import and hold it; None when it is gone, or somebody else holds it."""
    row = tx.execute(select(*_COLUMNS).where(imports.c.id == import_id).with_for_update(skip_locked=True)).one_or_none()
    return None if row is None else Import(*row)


def ids_in_state(tx: Tx, state: str) -> list[UUID]:
    """Return the imports in this state, oldest first."""
    return list(tx.execute(select(imports.c.id).where(imports.c.state == state).order_by(imports.c.id)).scalars())


def pieces_from(tx: Tx, import_id: UUID, position: int) -> Iterator[bytes]:
    """Yield the bytes of a file from a position on, piece by piece, each fetched when it is wanted."""
    number, skip = divmod(position, PIECE_BYTES)
    while True:
        body = tx.execute(
            select(import_pieces.c.body).where(import_pieces.c.import_id == import_id, import_pieces.c.number == number)
        ).scalar_one_or_none()
        if body is None:
            return
        yield bytes(body)[skip:]
        number, skip = number + 1, 0


def drop_pieces(tx: Tx, import_id: UUID) -> None:
    """Forget a file."""
    tx.execute(delete(import_pieces).where(import_pieces.c.import_id == import_id))


def add_errors(tx: Tx, import_id: UUID, rows: Iterable[RefusedRow]) -> None:
    """Keep rows that were refused."""
    values = [
        {"import_id": import_id, "line": row.line, "reason": row.reason, "cells": list(row.cells)} for row in rows
    ]
    insert_missing(tx, import_errors, values)


def list_errors(tx: Tx, import_id: UUID, *, after: int = 0, limit: int) -> list[RefusedRow]:
    """Return refused rows in the order of their lines, from the one behind line `after`."""
    query = (
        select(import_errors.c.line, import_errors.c.reason, import_errors.c.cells)
        .where(import_errors.c.import_id == import_id, import_errors.c.line > after)
        .order_by(import_errors.c.line)
        .limit(limit)
    )
    return [RefusedRow(*row) for row in tx.execute(query)]


def has_running(tx: Tx) -> bool:
    """Whether there is an import to go on with."""
    return tx.execute(select(imports.c.id).where(imports.c.state == "running").limit(1)).first() is not None


def forget_old(tx: Tx, now: datetime) -> None:
    """Forget files that nobody started within a day, and the refused rows of imports that ended thirty days ago: they
    are people's data."""
    tx.execute(delete(imports).where(imports.c.state == "uploaded", imports.c.created_at < now - UPLOAD_KEPT))
    old = select(imports.c.id).where(imports.c.finished_at < now - REFUSED_KEPT)
    tx.execute(delete(import_errors).where(import_errors.c.import_id.in_(old)))
