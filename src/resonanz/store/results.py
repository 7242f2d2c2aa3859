"""What a submission's mails set in motion, counted over all of them, and one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from resonanz.model import EventKind, MessageState, Verdict, Who
from resonanz.store.engine import Tx
from resonanz.store.messages import Message
from resonanz.store.tables import events, messages

_PEOPLES = [verdict for verdict in Verdict if verdict.who is Who.HUMAN]


def clickers_by_link(tx: Tx, submission_id: UUID) -> dict[int, int]:
    """Return how many recipients followed each link, by its index; by name and by proof. Machines are left out.

    Only the facts of those who clicked at all are looked at.
    """
    query = (
        select(events.c.link, func.count(events.c.message_id.distinct()))
        .join(messages, messages.c.id == events.c.message_id)
        .where(
            messages.c.submission_id == submission_id,
            messages.c.clicks_human > 0,
            events.c.repeat_of.is_(None),
            events.c.kind == EventKind.CLICKED,
            events.c.verdict.in_(_PEOPLES),
            events.c.link.is_not(None),
        )
        .group_by(events.c.link)
    )
    return {int(link): int(number) for link, number in tx.execute(query).all()}


def bounces_by_reason(tx: Tx, submission_id: UUID) -> Mapping[str, int]:
    """Return how many mails bounced for which reason; `unspecified` where none was told."""
    query = (
        select(events.c.message_id, events.c.detail)
        .join(messages, messages.c.id == events.c.message_id)
        .where(
            messages.c.submission_id == submission_id,
            messages.c.state == MessageState.BOUNCED,
            events.c.kind == EventKind.BOUNCED,
        )
        .order_by(events.c.id)
    )
    last = {row.message_id: str(row.detail.get("reason") or "unspecified") for row in tx.execute(query)}
    return Counter(last.values())


@dataclass(frozen=True, slots=True)
class Answers:
    """How many recipients did what beside reading."""

    unsubscribed: int
    complained: int
    replied: int


def answers(tx: Tx, submission_id: UUID) -> Answers:
    """Count the recipients who left, complained, or wrote back."""
    kinds = (EventKind.UNSUBSCRIBED, EventKind.COMPLAINED, EventKind.REPLIED)
    query = (
        select(events.c.kind, func.count(events.c.message_id.distinct()))
        .join(messages, messages.c.id == events.c.message_id)
        .where(messages.c.submission_id == submission_id, events.c.kind.in_(kinds))
        .group_by(events.c.kind)
    )
    found = {kind: int(number) for kind, number in tx.execute(query).all()}
    return Answers(*(found.get(kind, 0) for kind in kinds))


def next_messages(tx: Tx, submission_id: UUID, *, after: UUID | None, limit: int) -> list[Message]:
    """Return messages of a submission in the order they were made, from the one behind `after`."""
    query = select(messages).where(messages.c.submission_id == submission_id).order_by(messages.c.id).limit(limit)
    if after is not None:
        query = query.where(messages.c.id > after)
    return [Message(**row._mapping) for row in tx.execute(query)]
