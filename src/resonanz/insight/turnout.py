"""The simple rates of a submission, each with what it is a share of and how far so many copies can tell."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from resonanz.insight.rates import Rate, rate
from resonanz.store import Tx
from resonanz.store.turnout import turnout_of


@dataclass(frozen=True, slots=True)
class Rates:
    """Each is None where there is nothing it could be a share of. `opened` is what was seen, by the image alone."""

    arrived: Rate | None
    bounced: Rate | None
    opened: Rate | None
    clicked: Rate | None
    unsubscribed: Rate | None


def rates_of(tx: Tx, submission_id: UUID) -> Rates:
    """Return the rates of one submission; one statement."""
    count = turnout_of(tx, submission_id)
    return Rates(
        arrived=rate(count.arrived, count.tried, "tried"),
        bounced=rate(count.bounced, count.tried, "tried"),
        opened=rate(count.opened, count.named_opens, "arrived by name"),
        clicked=rate(count.clicked, count.named_clicks, "arrived by name"),
        unsubscribed=rate(count.unsubscribed, count.arrived, "arrived"),
    )
