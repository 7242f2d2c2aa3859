"""A submission's mails one by one, as its table of recipients shows them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from resonanz.store.engine import Tx
from resonanz.store.messages import Message
from resonanz.store.tables import messages


def next_messages(tx: Tx, submission_id: UUID, *, after: UUID | None, limit: int) -> list[Message]:
    """Return messages of a submission in the order they were made, from the one behind `after`."""
    query = select(messages).where(messages.c.submission_id == submission_id).order_by(messages.c.id).limit(limit)
    if after is not None:
        query = query.where(messages.c.id > after)
    return [Message(**row._mapping) for row in tx.execute(query)]
