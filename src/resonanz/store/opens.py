"""What was seen of contacts in earlier mails, and what limits the measuring of messages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select

from resonanz.model import Coverage, TrackingMode
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.standings import lock_standings, save_receivers
from resonanz.store.tables import messages


@dataclass(frozen=True, slots=True)
class Past:
    """In how many earlier mails a contact was seen opening, only Apple's privacy protection was heard of them, or they
    clicked without any image being fetched (`blind`)."""

    opened: int = 0
    private: int = 0
    blind: int = 0


NO_PAST = Past()

_OPENED = messages.c.opens_human > 0
_CLICKED = messages.c.clicks_human > 0
_SEEN = or_(_OPENED, _CLICKED)
_PRIVATE = messages.c.opens_indeterminate > 0  # nothing but Apple's privacy protection leaves an open undecided


def past_of(tx: Tx, contact_ids: Collection[UUID]) -> dict[UUID, Past]:
    """Return what was seen of these contacts in all mails so far whose opens are tracked by name."""
    found: dict[UUID, Past] = {}
    for portion in in_portions(contact_ids):
        query = (
            select(
                messages.c.contact_id,
                _number(_OPENED),
                _number(_PRIVATE, not_(_OPENED)),
                _number(_CLICKED, not_(_OPENED), not_(_PRIVATE)),
            )
            .where(
                messages.c.contact_id.in_(portion),
                messages.c.track_opens == TrackingMode.INDIVIDUAL,
                messages.c.coverage != Coverage.TEXT_ONLY,
                or_(_SEEN, _PRIVATE),
            )
            .group_by(messages.c.contact_id)
        )
        found |= {row[0]: Past(*row[1:]) for row in tx.execute(query)}
    return found


def put_receiver_right(tx: Tx, message_ids: Collection[UUID], name: str, *, strips: bool) -> None:
    """Write down who takes in the mail of these messages' recipients (empty: nobody who matters), and that this limits
    what can be measured, where nothing that weighs more does already."""
    weaker = [Coverage.TRACKABLE]
    if strips:
        weaker += [Coverage.GATEWAY_SCANNED, Coverage.CLIPPED_RISK, Coverage.IMAGES_LIKELY_BLOCKED]
        weaker += [Coverage.PRIVACY_CLIENT]
    told = Coverage.STRIPPING_DOMAIN if strips else Coverage.GATEWAY_SCANNED
    standings = lock_standings(tx, message_ids)
    for standing in standings.values():
        standing.gateway = name
        if name and standing.coverage in weaker:
            standing.coverage = told
    save_receivers(tx, standings.values())


def _number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((and_(*conditions), 1), else_=0)), 0)
