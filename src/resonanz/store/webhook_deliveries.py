"""The outbox of webhooks: what each endpoint is to be told and was, as rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update

from resonanz.model import to_microseconds
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions, insert_missing
from resonanz.store.tables import webhook_deliveries as deliveries
from resonanz.store.tables import webhook_endpoints as endpoints
from resonanz.store.text import storable

RESPONSE_KEPT = 1_000  # characters


class DeliveryState(StrEnum):
    """How far a delivery is."""

    WAITING = "waiting"  # for its first try, or for the next
    DELIVERED = "delivered"
    FAILED = "failed"  # given up
    WITHHELD = "withheld"  # consent was withdrawn before it went out


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One event for one endpoint. `event_id` is the fact that made it, `about` the event it tells of; both are None for
    a test. `told` is the judgement it tells. `status` and what follows are of the last try."""

    id: UUID
    endpoint_id: UUID
    event_id: int | None
    about: int | None
    type: str
    created_at: datetime
    due_at: datetime | None
    told: Mapping[str, Any] = field(default_factory=dict)
    state: DeliveryState = DeliveryState.WAITING
    tries: int = 0
    tried_at: datetime | None = None
    status: int | None = None
    response: str = ""
    milliseconds: int | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one try."""

    state: DeliveryState
    due_at: datetime | None
    tried_at: datetime
    status: int | None
    response: str
    milliseconds: int
    failure: str


# ── Writing them down ───────────────────────────────────────────────────────────────────────────────────────────────


def add_deliveries(tx: Tx, rows: Sequence[DeliveryRow]) -> None:
    """Store these. What an endpoint is told of one event by one fact is stored once."""
    names = ("id", "endpoint_id", "event_id", "about", "type", "told", "state", "created_at", "due_at")
    insert_missing(tx, deliveries, [{name: getattr(row, name) for name in names} for row in rows])


def last_told(tx: Tx, endpoint_id: UUID, about: Collection[int]) -> dict[int, str]:
    """Return the verdict that an endpoint was told last of each of these events; those it was not told of are left
    out, and an event without a verdict has an empty one."""
    found: dict[int, str] = {}
    for portion in in_portions(about):
        query = (
            select(deliveries.c.about, deliveries.c.told)
            .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.about.in_(portion))
            .order_by(deliveries.c.event_id)
        )
        found |= {row.about: str(row.told.get("verdict") or "") for row in tx.execute(query)}
    return found


def count_waiting(tx: Tx, endpoint_id: UUID) -> int:
    """Return how many wait for an endpoint."""
    query = select(func.count()).where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.due_at.is_not(None))
    return tx.execute(query.select_from(deliveries)).scalar_one()


# ── Sending them ────────────────────────────────────────────────────────────────────────────────────────────────────


def due_endpoints(tx: Tx, now: datetime) -> dict[UUID, int]:
    """Return how many deliveries each endpoint is due that may be sent to now. Tests go to paused ones, too."""
    query = (
        select(deliveries.c.endpoint_id, func.count().label("due"))
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(deliveries.c.due_at <= now, _may_be_sent(now))
        .group_by(deliveries.c.endpoint_id)
    )
    return {row.endpoint_id: row.due for row in tx.execute(query)}


def claim(tx: Tx, endpoint_id: UUID, *, now: datetime, until: datetime, limit: int) -> list[DeliveryRow]:
    """Take what an endpoint is due, the oldest first: nobody else takes it before `until`. Who took it and died loses
    nothing, it is due again then."""
    query = (
        select(deliveries)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.due_at <= now, _may_be_sent(now))
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    taken = [_read(row) for row in tx.execute(query)]
    tx.execute(update(deliveries).where(deliveries.c.id.in_([row.id for row in taken])).values(due_at=until))
    return taken


def give_back(tx: Tx, ids: Collection[UUID], now: datetime) -> None:
    """Let somebody else send what was taken and not tried."""
    tx.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(due_at=now))


def note_result(tx: Tx, id: UUID, result: Result) -> None:
    """Write down what came of a try."""
    tx.execute(
        update(deliveries)
        .where(deliveries.c.id == id)
        .values(
            state=result.state,
            due_at=result.due_at,
            tries=deliveries.c.tries + 1,
            tried_at=result.tried_at,
            status=result.status,
            response=storable(result.response)[:RESPONSE_KEPT],
            milliseconds=result.milliseconds,
            failure=storable(result.failure)[:500],
        )
    )


def withhold(tx: Tx, ids: Collection[UUID]) -> None:
    """Send these never."""
    tx.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(state=DeliveryState.WITHHELD, due_at=None))


def _may_be_sent(now: datetime) -> ColumnElement[bool]:
    has_rested = or_(endpoints.c.rests_until.is_(None), endpoints.c.rests_until <= now)
    return or_(deliveries.c.event_id.is_(None), and_(endpoints.c.paused_at.is_(None), has_rested))


# ── Looking at them, and once more ──────────────────────────────────────────────────────────────────────────────────


def get_delivery(tx: Tx, endpoint_id: UUID, id: UUID) -> DeliveryRow | None:
    """Return one of an endpoint's."""
    query = select(deliveries).where(deliveries.c.id == id, deliveries.c.endpoint_id == endpoint_id)
    row = tx.execute(query).one_or_none()
    return None if row is None else _read(row)


def list_deliveries(
    tx: Tx, endpoint_id: UUID, *, limit: int, before: UUID | None = None, state: DeliveryState | None = None
) -> list[DeliveryRow]:
    """Return an endpoint's deliveries, newest first."""
    query: Select[Any] = select(deliveries).where(deliveries.c.endpoint_id == endpoint_id)
    if before is not None:
        query = query.where(deliveries.c.id < before)
    if state is not None:
        query = query.where(deliveries.c.state == state)
    return [_read(row) for row in tx.execute(query.order_by(deliveries.c.id.desc()).limit(limit))]


def count_states(tx: Tx, endpoint_id: UUID, *, most: int) -> dict[DeliveryState, int]:
    """Return how many of an endpoint's deliveries stand how; `most` + 1 where there are more than `most`."""
    found: dict[DeliveryState, int] = {}
    for state in DeliveryState:
        some = select(deliveries.c.id).where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == state)
        query = select(func.count()).select_from(some.limit(most + 1).subquery())
        found[state] = tx.execute(query).scalar_one()
    return found


def send_again(
    tx: Tx, endpoint_id: UUID, *, now: datetime, id: UUID | None = None, since: datetime | None = None
) -> int:
    """Let one delivery be tried anew, whatever came of it, or all that failed since a moment. Returns how many."""
    wanted = deliveries.c.endpoint_id == endpoint_id
    if id is not None:
        wanted &= (deliveries.c.id == id) & (deliveries.c.state != DeliveryState.WITHHELD)
    else:
        wanted &= deliveries.c.state == DeliveryState.FAILED
        wanted &= deliveries.c.created_at >= (since or now)
    anew = {"state": DeliveryState.WAITING, "due_at": now, "tries": 0}
    return tx.execute(update(deliveries).where(wanted).values(anew)).rowcount


def skip_waiting(tx: Tx, endpoint_id: UUID, why: str) -> None:
    """Give up everything that waits for an endpoint."""
    waiting = (deliveries.c.endpoint_id == endpoint_id) & deliveries.c.due_at.is_not(None)
    tx.execute(update(deliveries).where(waiting).values(state=DeliveryState.FAILED, due_at=None, failure=why))


def forget_before(tx: Tx, endpoint_id: UUID, moment: datetime, *, limit: int) -> int:
    """Delete what has ended of what was made before a moment, up to a limit. Returns how much."""
    # Ids are UUIDv7: they begin with the milliseconds since the epoch, so that the index finds the old ones.
    bound = UUID(int=(to_microseconds(moment) // 1000) << 80)
    old = (deliveries.c.endpoint_id == endpoint_id) & (deliveries.c.id < bound) & deliveries.c.due_at.is_(None)
    some = select(deliveries.c.id).where(old).limit(limit)
    return tx.execute(delete(deliveries).where(deliveries.c.id.in_(some))).rowcount


def _read(row: Any) -> DeliveryRow:
    values = {name: value for name, value in row._mapping.items() if name in DeliveryRow.__dataclass_fields__}
    return DeliveryRow(**{**values, "state": DeliveryState(values["state"])})
