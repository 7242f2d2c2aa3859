"""What became of a submission's copies: its simple rates, each with what it is a share of and how far so many tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from resonanz.insight.rates import Rate, rate
from resonanz.model import MessageState
from resonanz.store import Tx
from resonanz.store.standings import Act
from resonanz.store.tallies import Alike, tallies_of


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


@dataclass(frozen=True, slots=True)
class Rates:
    """Each is None where there is nothing it could be a share of. `opened` is what was seen, by the image alone."""

    arrived: Rate | None
    bounced: Rate | None
    opened: Rate | None
    clicked: Rate | None
    unsubscribed: Rate | None


def count(tallies: Sequence[Alike], which: Callable[[Alike], object]) -> int:
    """Return how many messages are in those of these tallies that `which` chooses."""
    return sum(one.messages for one in tallies if which(one))


def turnout(tallies: Sequence[Alike]) -> Turnout:
    """Return what became of the copies that stand like this."""
    arrived = [one for one in tallies if one.arrived]
    by_opens = [one for one in arrived if one.names_opens]
    by_clicks = [one for one in arrived if one.names_clicks]
    whole = count(arrived, bool)
    bounced = count(tallies, lambda one: one.state is MessageState.BOUNCED)
    return Turnout(
        tried=whole + bounced,
        arrived=whole,
        bounced=bounced,
        named_opens=count(by_opens, bool),
        opened=count(by_opens, lambda one: one.acts & Act.OPENED),
        named_clicks=count(by_clicks, bool),
        clicked=count(by_clicks, lambda one: one.acts & Act.CLICKED),
        unsubscribed=count(arrived, lambda one: one.acts & Act.UNSUBSCRIBED),
    )


def rates(tallies: Sequence[Alike]) -> Rates:
    """Return the rates of copies that stand like this."""
    count = turnout(tallies)
    return Rates(
        arrived=rate(count.arrived, count.tried, "tried"),
        bounced=rate(count.bounced, count.tried, "tried"),
        opened=rate(count.opened, count.named_opens, "arrived by name"),
        clicked=rate(count.clicked, count.named_clicks, "arrived by name"),
        unsubscribed=rate(count.unsubscribed, count.arrived, "arrived"),
    )


def rates_of(tx: Tx, submission_id: UUID) -> Rates:
    """Return the rates of one submission."""
    return rates(tallies_of(tx, submission_id))
