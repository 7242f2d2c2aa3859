"""What became of a submission's copies, counted by the database: the parts and wholes of its rates."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, literal_column, select

from resonanz.model import MessageState, TrackingMode
from resonanz.store.engine import Tx
from resonanz.store.opens import ARRIVED
from resonanz.store.tables import events, messages


@dataclass(frozen=True, slots=True)
class Turnout:
    """How many copies were `tried` (handed over, or refused for good), how many of them came through (`arrived`) and
    how many `bounced`. Of those that arrived: whose opens and clicks are tracked by name, how many of these a person
    opened and clicked, and how many `unsubscribed`."""

    tried: int
    arrived: int
    bounced: int
    named_opens: int
    opened: int
    named_clicks: int
    clicked: int
    unsubscribed: int


# Written out, for a partial index serves only a condition that both databases can see to be its own.
_LEFT = exists().where(events.c.message_id == messages.c.id, literal_column("events.kind = 'unsubscribed'"))


def turnout_of(tx: Tx, submission_id: UUID) -> Turnout:
    """Count one submission's copies; one statement."""
    arrived = messages.c.state.in_(ARRIVED)
    bounced = messages.c.state == MessageState.BOUNCED
    opens, clicks = (mode == TrackingMode.INDIVIDUAL for mode in (messages.c.track_opens, messages.c.track_clicks))
    row = tx.execute(
        select(
            func.count(),
            _number(arrived),
            _number(bounced),
            _number(arrived, opens),
            _number(arrived, opens, messages.c.opens_human > 0),
            _number(arrived, clicks),
            _number(arrived, clicks, messages.c.clicks_human > 0),
            _number(arrived, _LEFT),
        ).where(messages.c.submission_id == submission_id, messages.c.state.in_((*ARRIVED, MessageState.BOUNCED)))
    ).one()
    return Turnout(*row)


def _number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((and_(*conditions), 1), else_=0)), 0)
