"""What others told us that became no fact, as rows: kept, counted, and shown to whoever runs the instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing
from resonanz.store.tables import strays
from resonanz.store.text import storable

MAX_BODY = 100_000  # octets that are kept of one


@dataclass(frozen=True, slots=True)
class Stray:
    """One report that became no fact. `reason` is `no_message`, `unknown_kind` or `unreadable`; `kind` is its source's
    own word."""

    source: str
    source_key: str
    reason: str
    kind: str
    recipient: str
    received_at: datetime
    body: bytes
    id: int = 0


def add_strays(tx: Tx, found: Sequence[Stray]) -> int:
    """Keep these; what its source has told before stays as it is. Returns how many were new."""
    rows = [
        {
            "source": stray.source,
            "source_key": stray.source_key,
            "reason": stray.reason,
            "kind": storable(stray.kind)[:64],
            "recipient": storable(stray.recipient)[:320],
            "received_at": stray.received_at,
            "body": stray.body[:MAX_BODY],
        }
        for stray in found
    ]
    return insert_missing(tx, strays, rows)


def list_strays(tx: Tx, *, limit: int) -> list[Stray]:
    """Return the newest, newest first."""
    rows = tx.execute(select(strays).order_by(strays.c.id.desc()).limit(limit))
    return [
        Stray(row.source, row.source_key, row.reason, row.kind, row.recipient, row.received_at, bytes(row.body), row.id)
        for row in rows
    ]


def count_strays(tx: Tx) -> dict[tuple[str, str], int]:
    """Return how many are kept, by source and reason."""
    query = select(strays.c.source, strays.c.reason, func.count().label("strays")).group_by(
        strays.c.source, strays.c.reason
    )
    return {(row.source, row.reason): row.strays for row in tx.execute(query)}
