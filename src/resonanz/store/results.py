"""A submission's mails one by one, as its table of recipients shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select

from resonanz.model import MessageState, TrackingMode
from resonanz.store.engine import Tx
from resonanz.store.messages import Message
from resonanz.store.tables import messages
from resonanz.store.tallies import ARRIVED


class Which(StrEnum):
    """Which recipients of a submission: whom a person's open or click was seen of; of whom neither was, though their
    copy arrived and both can be told of them; whose copy did not arrive and is no longer tried."""

    OPENED = "opened"
    CLICKED = "clicked"
    SILENT = "silent"
    LOST = "lost"


LOST = (MessageState.BOUNCED, MessageState.FAILED, MessageState.SUPPRESSED, MessageState.UNCERTAIN)
"""What did not arrive and is no longer tried, or of which nobody knows."""

# By the columns of the messages looked at, which are those of a portion of them.
_IS: Mapping[Which, Callable[[Any], ColumnElement[bool]]] = {
    Which.OPENED: lambda c: c.opens_human > 0,
    Which.CLICKED: lambda c: c.clicks_human > 0,
    Which.SILENT: lambda c: and_(
        c.state.in_(ARRIVED),
        c.track_opens == TrackingMode.INDIVIDUAL,
        c.track_clicks == TrackingMode.INDIVIDUAL,
        *(count == 0 for count in (c.opens_human, c.opens_indeterminate, c.clicks_human)),
    ),
    Which.LOST: lambda c: c.state.in_(LOST),
}


def next_messages(tx: Tx, submission_id: UUID, *, after: UUID | None, limit: int) -> list[Message]:
    """Return messages of a submission in the order they were made, from the one behind `after`."""
    return [Message(**row._mapping) for row in tx.execute(_in_order(submission_id, after).limit(limit))]


def choose_messages(
    tx: Tx, submission_id: UUID, which: Which, *, after: UUID | None, limit: int, among: int
) -> tuple[list[Message], UUID | None]:
    """Return at most `limit` of such messages from the one behind `after`, and where to go on; None at the end.

    No more than `among` messages are looked at: of a large submission with few such messages a portion may be short or
    empty and yet not be the last, and costs what every other does.
    """
    behind = tx.execute(
        _in_order(submission_id, after).with_only_columns(messages.c.id).offset(among - 1).limit(1)
    ).scalar_one_or_none()
    portion = _in_order(submission_id, after).limit(among).subquery()
    wanted = select(portion).where(_IS[which](portion.c)).order_by(portion.c.id).limit(limit + 1)
    found = [Message(**row._mapping) for row in tx.execute(wanted)]
    if len(found) > limit:
        return found[:limit], found[limit - 1].id
    return found, behind


def _in_order(submission_id: UUID, after: UUID | None) -> Select[Any]:
    query = select(messages).where(messages.c.submission_id == submission_id).order_by(messages.c.id)
    return query if after is None else query.where(messages.c.id > after)
