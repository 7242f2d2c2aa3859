"""A contact's mail and what came of it, as rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from resonanz.model import Coverage, MessageState, TrackingMode
from resonanz.store.engine import Tx
from resonanz.store.messages import Message
from resonanz.store.rows import in_portions
from resonanz.store.tables import messages


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a contact's messages stand alike."""

    state: MessageState
    track_opens: TrackingMode
    track_clicks: TrackingMode
    coverage: Coverage
    is_built: bool
    messages: int
    opened: int  # of them, those that people opened
    clicked: int  # of them, those in which people followed a link
    perhaps: int  # of them, those whose image was fetched by somebody or nobody


def messages_of(tx: Tx, contact_id: UUID, *, limit: int, before: UUID | None = None) -> list[Message]:
    """Return a contact's messages, newest first, from the one behind `before`."""
    query = select(messages).where(messages.c.contact_id == contact_id).order_by(messages.c.id.desc()).limit(limit)
    rows = tx.execute(query if before is None else query.where(messages.c.id < before))
    return [Message(**row._mapping) for row in rows]


def shares_of(tx: Tx, contact_id: UUID) -> Collection[Share]:
    """Return how a contact's messages stand, counted; one statement."""
    alike = (
        messages.c.state,
        messages.c.track_opens,
        messages.c.track_clicks,
        messages.c.coverage,
        messages.c.header_id.is_not(None).label("is_built"),
    )
    rows = tx.execute(
        select(
            *alike,
            func.count(),
            func.count().filter(messages.c.opens_human > 0),
            func.count().filter(messages.c.clicks_human > 0),
            func.count().filter(messages.c.opens_human == 0, messages.c.opens_indeterminate > 0),
        )
        .where(messages.c.contact_id == contact_id)
        .group_by(*alike)
    )
    return [Share(row[0], row[1], row[2], row[3], bool(row[4]), *row[5:]) for row in rows]


def gateways_of(tx: Tx, contact_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return who takes in these contacts' mail, as it was last known of a message to them (empty: nobody who matters);
    contacts of whom it is not known are left out."""
    found: dict[UUID, tuple[datetime, str]] = {}
    for portion in in_portions(contact_ids):
        query = (
            select(messages.c.contact_id, messages.c.gateway, func.max(messages.c.created_at).label("at"))
            .where(messages.c.contact_id.in_(portion), messages.c.gateway.is_not(None))
            .group_by(messages.c.contact_id, messages.c.gateway)
        )
        for row in tx.execute(query):
            found[row.contact_id] = max(found.get(row.contact_id, (row.at, "")), (row.at, row.gateway))
    return {contact: name for contact, (_, name) in found.items()}
