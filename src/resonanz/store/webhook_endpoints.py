"""Where programs of others are told of facts, as rows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, or_, select, update

from resonanz.model import Who
from resonanz.store.engine import Tx
from resonanz.store.tables import webhook_deliveries, webhook_endpoints
from resonanz.store.text import storable


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint. `types` are names of event types, `who` sides of verdicts (`Who`); `position` is the last fact that
    was looked at for it. `failures` counts tries in a row, the first of them at `failing_since`; nothing is sent before
    `rests_until`, and nothing at all while `paused_at` is set."""

    id: UUID
    account_id: UUID
    url: str
    description: str
    types: frozenset[str]
    who: frozenset[Who]
    all_mail: bool
    secrets: bytes
    created_at: datetime
    created_by: str
    begins_after: int
    position: int
    paused_at: datetime | None = None
    note: str = ""
    failures: int = 0
    failing_since: datetime | None = None
    rests_until: datetime | None = None
    delivered_at: datetime | None = None


TROUBLED_AFTER = 5  # failures in a row

_NAMES = [field.name for field in fields(EndpointRow)]


def has_endpoints(tx: Tx) -> bool:
    """Whether anybody is to be told anything."""
    return tx.execute(select(webhook_endpoints.c.id).limit(1)).first() is not None


def count_endpoints(tx: Tx, account_id: UUID) -> int:
    """Return how many an account has."""
    query = select(func.count()).select_from(webhook_endpoints).where(webhook_endpoints.c.account_id == account_id)
    return tx.execute(query).scalar_one()


def add_endpoint(tx: Tx, row: EndpointRow) -> None:
    """Store one."""
    tx.execute(insert(webhook_endpoints).values(_stored({name: getattr(row, name) for name in _NAMES})))


def get_endpoint(tx: Tx, id: UUID) -> EndpointRow | None:
    """Return one."""
    row = tx.execute(select(webhook_endpoints).where(webhook_endpoints.c.id == id)).one_or_none()
    return None if row is None else _read(row)


def lock_endpoint(tx: Tx, id: UUID, *, wait: bool = True) -> EndpointRow | None:
    """Return one and hold it until the transaction ends; None when it is gone, or held and nobody wants to `wait`."""
    query = select(webhook_endpoints).where(webhook_endpoints.c.id == id).with_for_update(skip_locked=not wait)
    row = tx.execute(query).one_or_none()
    return None if row is None else _read(row)


def list_endpoints(tx: Tx, account_id: UUID | None = None) -> list[EndpointRow]:
    """Return an account's endpoints, or all, in the order they were added."""
    query = select(webhook_endpoints).order_by(webhook_endpoints.c.id)
    if account_id is not None:
        query = query.where(webhook_endpoints.c.account_id == account_id)
    return [_read(row) for row in tx.execute(query)]


def troubled_endpoints(tx: Tx, account_id: UUID | None = None) -> list[EndpointRow]:
    """Return those of an account, or all, that fail again and again, or are paused because of that."""
    failing = webhook_endpoints.c.failures >= TROUBLED_AFTER
    given_up = and_(webhook_endpoints.c.failures > 0, webhook_endpoints.c.paused_at.is_not(None))
    query = select(webhook_endpoints).where(or_(failing, given_up)).order_by(webhook_endpoints.c.id)
    if account_id is not None:
        query = query.where(webhook_endpoints.c.account_id == account_id)
    return [_read(row) for row in tx.execute(query)]


def change_endpoint(tx: Tx, id: UUID, **values: Any) -> None:
    """Bring these columns of one to these values."""
    tx.execute(update(webhook_endpoints).where(webhook_endpoints.c.id == id).values(_stored(values)))


def remove_endpoint(tx: Tx, id: UUID) -> bool:
    """Remove one with everything it was told. Returns whether it was there."""
    tx.execute(delete(webhook_deliveries).where(webhook_deliveries.c.endpoint_id == id))
    return tx.execute(delete(webhook_endpoints).where(webhook_endpoints.c.id == id)).rowcount > 0


def _stored(values: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {name: sorted(values[name]) for name in ("types", "who") if name in values}
    changed |= {name: storable(values[name]) for name in ("url", "description", "note") if name in values}
    return {**values, **changed}


def _read(row: Any) -> EndpointRow:
    values = dict(row._mapping)
    return EndpointRow(
        **{**values, "types": frozenset(values["types"]), "who": frozenset(Who(side) for side in values["who"])}
    )
