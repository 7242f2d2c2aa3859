"""What DNS said of the domains that mail is sent from, when it was last looked at, as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from resonanz.store.engine import Tx
from resonanz.store.rows import upsert
from resonanz.store.tables import sender_checks


@dataclass(frozen=True, slots=True)
class SenderCheck:
    """The last look at one domain (lower case, in A-labels): when, who asked for it, and each record's fields."""

    domain: str
    checked_at: datetime
    checked_by: str
    records: tuple[Mapping[str, Any], ...]


def get_check(tx: Tx, domain: str) -> SenderCheck | None:
    """Return the last look at a domain, or None if nobody looked yet."""
    row = tx.execute(select(sender_checks).where(sender_checks.c.domain == domain)).first()
    return SenderCheck(row.domain, row.checked_at, row.checked_by, tuple(row.records)) if row else None


def save_check(tx: Tx, check: SenderCheck) -> None:
    """Put a look in place of the one before."""
    values = {
        "checked_at": check.checked_at,
        "checked_by": check.checked_by,
        "records": [dict(record) for record in check.records],
    }
    upsert(tx, sender_checks, {"domain": check.domain}, values)
