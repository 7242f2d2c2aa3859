"""Queue workers that are at work on this database, as rows: limits are shared among them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from resonanz.store.engine import Tx
from resonanz.store.rows import upsert
from resonanz.store.tables import workers


def note_worker(tx: Tx, name: str, now: datetime, *, gone_before: datetime) -> None:
    """Write down that this worker is at work; forget those that were last seen before `gone_before`."""
    upsert(tx, workers, {"name": name}, {"seen_at": now})
    tx.execute(delete(workers).where(workers.c.seen_at < gone_before))


def remove_worker(tx: Tx, name: str) -> None:
    """Forget a worker that ends."""
    tx.execute(delete(workers).where(workers.c.name == name))


def list_workers(tx: Tx, *, gone_before: datetime) -> list[str]:
    """Return the names of the workers at work, in order."""
    return list(
        tx.execute(select(workers.c.name).where(workers.c.seen_at >= gone_before).order_by(workers.c.name)).scalars()
    )
