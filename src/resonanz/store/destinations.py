"""What was set for recipient domains, and what they asked of us, as rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select

from resonanz.store.engine import Tx
from resonanz.store.rows import upsert
from resonanz.store.tables import destinations


@dataclass(frozen=True, slots=True)
class Destination:
    """One recipient domain, or the name of a provider with many. None: as the built-in table has it.

    It asked us `slow_steps` times in a row to slow down, the last time until `slow_until`; `note` is what it said, or
    who paused it.
    """

    domain: str
    connections: int | None = None
    rate_per_minute: int | None = None
    paused: bool = False
    slow_until: datetime | None = None
    slow_steps: int = 0
    note: str = ""


def list_destinations(tx: Tx) -> list[Destination]:
    """Return every destination of which anything is known, by its name."""
    rows = tx.execute(select(destinations).order_by(destinations.c.domain)).mappings()
    return [Destination(**row) for row in rows]


def get_destination(tx: Tx, domain: str) -> Destination:
    """Return a destination; one of which nothing is known is as it comes."""
    row = tx.execute(select(destinations).where(destinations.c.domain == domain)).mappings().first()
    return Destination(**row) if row else Destination(domain)


def save_destination(tx: Tx, destination: Destination) -> None:
    """Write down everything about a destination."""
    values = asdict(destination)
    upsert(tx, destinations, {"domain": values.pop("domain")}, values)


def save_slowness(tx: Tx, domain: str, slow_until: datetime | None, slow_steps: int, note: str) -> None:
    """Write down that a destination asked us to slow down, or that it takes mail again."""
    upsert(tx, destinations, {"domain": domain}, {"slow_until": slow_until, "slow_steps": slow_steps, "note": note})
