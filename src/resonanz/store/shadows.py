"""What networks and rules in shadow would have changed, as rows."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select

from resonanz.model import Verdict
from resonanz.store.bulk import WORDS, add_up_many
from resonanz.store.engine import Tx
from resonanz.store.tables import shadows

Would = tuple[str, Verdict, Verdict]
"""What is in shadow, the verdict that was given, and the one that would have been."""


def count_shadows(tx: Tx, amounts: Mapping[Would, int]) -> None:
    """Add to the counts; one statement."""
    rows = [(name[:128], WORDS[was], WORDS[would], amount) for (name, was, would), amount in sorted(amounts.items())]
    add_up_many(tx, shadows, 3, rows)


def list_shadows(tx: Tx) -> dict[Would, int]:
    """Return the counts."""
    query = select(shadows).order_by(*shadows.primary_key)
    return {(row.name, row.was, row.would): int(row.events) for row in tx.execute(query)}


def clear_shadows(tx: Tx) -> None:
    """Begin to count anew."""
    tx.execute(delete(shadows))
