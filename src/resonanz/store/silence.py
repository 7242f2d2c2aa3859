"""Which messages may not be recorded with their recipient's name (any more), asked of all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Select, and_, case, func, literal, or_, select, union_all

from resonanz.model import TrackingMode
from resonanz.store.engine import Tx
from resonanz.store.tables import blocks, consents, messages

_PORTION = 10_000


class Silent(NamedTuple):
    """One message, by the 16 bytes of its id, and which of its hits must not be recorded."""

    id: bytes
    opens: bool
    clicks: bool


def silent_messages(tx: Tx, *, opens: str, clicks: str, granted: str) -> Iterator[list[Silent]]:
    """Yield, newest first and in portions, the messages tracked by name whose contact has chosen last, for the purpose
    `opens` or `clicks`, something else than `granted`, or is gone. Read them before the transaction ends."""
    for rows in tx.execute(_silent(opens, clicks, granted).execution_options(yield_per=_PORTION)).partitions():
        yield [
            Silent(
                row.id.bytes,
                bool(row.opens) and row.track_opens is TrackingMode.INDIVIDUAL,
                bool(row.clicks) and row.track_clicks is TrackingMode.INDIVIDUAL,
            )
            for row in rows
        ]


def _silent(opens: str, clicks: str, granted: str) -> Select[tuple[object, ...]]:
    """Start from the few who ever chose against it: neither all consents nor all messages are sorted."""
    objectors = select(consents.c.contact_id).where(consents.c.state != granted)
    place = func.row_number().over(
        partition_by=(consents.c.contact_id, consents.c.purpose),
        order_by=(consents.c.occurred_at.desc(), consents.c.id.desc()),
    )
    chosen = (
        select(consents.c.contact_id, consents.c.purpose, consents.c.state, place.label("place"))
        .where(consents.c.purpose.in_((opens, clicks)), consents.c.contact_id.in_(objectors))
        .subquery()
    )
    against = (
        select(
            chosen.c.contact_id,
            func.max(case((chosen.c.purpose == opens, 1), else_=0)).label("opens"),
            func.max(case((chosen.c.purpose == clicks, 1), else_=0)).label("clicks"),
        )
        .where(chosen.c.place == 1, chosen.c.state != granted)
        .group_by(chosen.c.contact_id)
        .subquery()
    )
    by_name = or_(messages.c.track_opens == TrackingMode.INDIVIDUAL, messages.c.track_clicks == TrackingMode.INDIVIDUAL)
    columns = (messages.c.id, messages.c.track_opens, messages.c.track_clicks)
    objected = select(*columns, against.c.opens, against.c.clicks).where(
        and_(messages.c.contact_id == against.c.contact_id, by_name)
    )
    erased = select(*columns, literal(1).label("opens"), literal(1).label("clicks")).where(
        and_(messages.c.contact_id.is_(None), by_name)
    )
    both = union_all(objected, erased).subquery()
    return select(both).order_by(both.c.id.desc())


def last_choice(tx: Tx) -> int:
    """Return the id of the choice that was recorded last, 0 when there is none."""
    return tx.execute(select(func.max(consents.c.id))).scalar_one() or 0


def blocked_messages(tx: Tx) -> Iterator[list[bytes]]:
    """Yield, newest first and in portions, the ids of the messages of every submission that is blocked."""
    last = select(func.max(blocks.c.id)).group_by(blocks.c.submission_id)
    blocked = select(blocks.c.submission_id).where(blocks.c.id.in_(last), blocks.c.blocked)
    query = select(messages.c.id).where(messages.c.submission_id.in_(blocked)).order_by(messages.c.id.desc())
    for rows in tx.execute(query.execution_options(yield_per=_PORTION)).partitions():
        yield [row.id.bytes for row in rows]
