"""Who of a submission's recipients was seen to open or click, counted by the database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select, update

from resonanz.model import Coverage, MessageState, TrackingMode
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.tables import messages


@dataclass(frozen=True, slots=True)
class Past:
    """In how many earlier mails a contact was seen opening, only Apple's privacy protection was heard of them, or they
    clicked without any image being fetched (`blind`)."""

    opened: int = 0
    private: int = 0
    blind: int = 0


NO_PAST = Past()

# What was handed over and did not come back. Whether a mail that was only sent arrived is not proven, but likely.
ARRIVED = (MessageState.SENT, MessageState.DELIVERED)

_OPENED = messages.c.opens_human > 0
_CLICKED = messages.c.clicks_human > 0
_SEEN = or_(_OPENED, _CLICKED)
_PRIVATE = messages.c.opens_indeterminate > 0  # nothing but Apple's privacy protection leaves an open undecided


@dataclass(frozen=True, slots=True)
class SeenOpens:
    """Recipients whose copy arrived and is tracked by name, opens and clicks: how many, and what was seen of them.

    Those behind privacy protection stand apart, in the `private_` fields; `opened` and `clicked` overlap by `both`.
    """

    delivered: int
    opened: int
    clicked: int
    both: int
    private: int
    private_seen: int
    private_clicked: int


def seen_opens(tx: Tx, submission_id: UUID) -> SeenOpens:
    """Count one submission's recipients by what was seen of them; one statement."""
    plain = not_(_PRIVATE)
    row = tx.execute(
        select(
            func.count(),
            _number(plain, _OPENED),
            _number(plain, _CLICKED),
            _number(plain, _OPENED, _CLICKED),
            _number(_PRIVATE),
            _number(_PRIVATE, _SEEN),
            _number(_PRIVATE, _CLICKED),
        ).where(
            messages.c.submission_id == submission_id,
            messages.c.state.in_(ARRIVED),
            messages.c.track_opens == TrackingMode.INDIVIDUAL,
            messages.c.track_clicks == TrackingMode.INDIVIDUAL,
        )
    ).one()
    return SeenOpens(*row)


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
    coverage = case((messages.c.coverage.in_(weaker), told), else_=messages.c.coverage) if name else messages.c.coverage
    for portion in in_portions(message_ids):
        tx.execute(update(messages).where(messages.c.id.in_(portion)).values(gateway=name, coverage=coverage))


def _number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((and_(*conditions), 1), else_=0)), 0)


def arrived_by_coverage(tx: Tx, submission_id: UUID) -> dict[tuple[Coverage, TrackingMode], int]:
    """Return how many copies arrived, by what of them can be measured and how their opens are tracked; one statement.

    A copy of which only privacy protection was heard counts as `privacy_client`, whatever was expected of it.
    """
    coverage = case((and_(_PRIVATE, not_(_SEEN)), Coverage.PRIVACY_CLIENT), else_=messages.c.coverage)
    query = (
        select(coverage.label("coverage"), messages.c.track_opens, func.count().label("messages"))
        .where(messages.c.submission_id == submission_id, messages.c.state.in_(ARRIVED))
        .group_by(coverage, messages.c.track_opens)
    )
    return {(Coverage(row.coverage), row.track_opens): row.messages for row in tx.execute(query)}


def arrived_by_gateway(tx: Tx, submission_id: UUID) -> dict[str | None, int]:
    """Return how many copies arrived, by who scans the recipient's mail or takes tracking out of it; one statement.

    Under the empty name those behind nobody, under None those of whom it is not known.
    """
    query = (
        select(messages.c.gateway, func.count().label("messages"))
        .where(messages.c.submission_id == submission_id, messages.c.state.in_(ARRIVED))
        .group_by(messages.c.gateway)
    )
    return {row.gateway: row.messages for row in tx.execute(query)}
