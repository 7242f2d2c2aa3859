"""Up to where the facts are settled: no fact can appear any more with an id that was passed over."""

from __future__ import annotations

from sqlalchemy import func, select, text

from resonanz.store.engine import Tx
from resonanz.store.tables import events

# Whoever takes ids holds this lock on the table until their transaction ends (`events.reserve_ids`, and every insert).
_HOLDERS = text(
    "SELECT virtualtransaction FROM pg_locks WHERE mode = 'RowExclusiveLock' AND granted"
    " AND relation = 'events'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Settled:
    """Follows the newest fact that nothing can come in before. Nobody has to wait for it, unlike `totals.settled_id`.

    On SQLite there is one writer at a time, and every fact is settled. On PostgreSQL ids are handed out before their
    transactions end: what was the newest fact at one look is settled once everyone who held ids then is done.
    """

    def __init__(self) -> None:
        self._settled = 0
        self._next = 0
        self._waits_for: set[str] = set()

    def look(self, tx: Tx) -> int:
        """Return the id up to which all facts are settled, as far as is known at this look."""
        newest = tx.execute(select(func.max(events.c.id))).scalar_one() or 0
        if tx.dialect.name == "sqlite":
            return newest
        holders = set(tx.execute(_HOLDERS).scalars())
        self._waits_for &= holders
        if not self._waits_for:
            # Read after the newest id: whoever could still bring a lower one is among them.
            self._settled, self._next, self._waits_for = self._next, newest, holders
            if not holders:
                self._settled = newest
        return self._settled
