"""Figures that come out of the API: opens as a range, rates with their intervals, what cannot be measured."""

from __future__ import annotations

import math

from pydantic import Field

from resonanz.api.shaping import Outgoing
from resonanz.insight import Behind, Estimate, Interval, Rate, Rates, Unmeasured


class IntervalOut(Outgoing):
    """From `low` to `high` people."""

    low: int
    high: int

    @classmethod
    def of(cls, interval: Interval) -> IntervalOut:
        """In whole people, the ends rounded outwards."""
        return cls(low=math.floor(interval.low), high=math.ceil(interval.high))


class OpensOut(Outgoing):
    """How many opened, of those whose copy arrived and is tracked by name, opens and clicks."""

    delivered: int
    seen: int = Field(description="Proven: a person's program fetched an image, or a person followed a link.")
    possible: int = Field(description="`seen` and `indeterminate` together.")
    indeterminate: int = Field(description="Apple's privacy protection hides whether they opened.")
    estimate: int | None = Field(
        description="How many opened in truth: seen openers ÷ the share of clickers who were seen opening (Chapman); "
        "readers behind privacy protection by their clicks. Null when refused."
    )
    interval: IntervalOut | None = Field(
        description="Holds in 95 of 100 mailings if who loads images clicks neither more nor less, no machine's click "
        "is among the people's, and Apple's readers click like others."
    )
    sensitivity: IntervalOut | None = Field(
        description="The interval with image loaders clicking at up to twice the odds, and machines' clicks left of up "
        "to 1 in 100 who did not open."
    )
    refused: str | None = Field(description="Why there is no estimate.")

    @classmethod
    def of(cls, found: Estimate) -> OpensOut:
        """The shape of an estimate."""
        return cls(
            delivered=found.delivered,
            seen=found.seen,
            possible=found.possible,
            indeterminate=found.indeterminate,
            estimate=None if found.estimate is None else round(found.estimate),
            interval=IntervalOut.of(found.interval) if found.interval is not None else None,
            sensitivity=IntervalOut.of(found.sensitivity) if found.sensitivity is not None else None,
            refused=str(found.refused) if found.refused is not None else None,
        )


class RateOut(Outgoing):
    """A share with what so many can tell of the like: Wilson's interval at 95 %, `low` to `high`; all in 0…1."""

    part: int
    whole: int
    of: str = Field(
        description="What the whole is: copies that were tried (handed over or refused), that were "
        "arrived (handed over, and did not come back), or arrived with opens or clicks tracked by name."
    )
    share: float
    low: float
    high: float

    @classmethod
    def of_rate(cls, rate: Rate | None) -> RateOut | None:
        """The shape of a rate; None for none."""
        if rate is None:
            return None
        share = rate.part / rate.whole
        return cls(
            part=rate.part, whole=rate.whole, of=rate.of, share=share, low=rate.around.low, high=rate.around.high
        )


class RatesOut(Outgoing):
    """Simple rates of a submission; null where there is nothing to be a share of."""

    arrived: RateOut | None
    bounced: RateOut | None
    opened: RateOut | None = Field(description="Seen, by the image alone; `opens` tells what that leaves out.")
    clicked: RateOut | None
    unsubscribed: RateOut | None

    @classmethod
    def of(cls, rates: Rates) -> RatesOut:
        """The shape of a submission's rates."""
        return cls(
            arrived=RateOut.of_rate(rates.arrived),
            bounced=RateOut.of_rate(rates.bounced),
            opened=RateOut.of_rate(rates.opened),
            clicked=RateOut.of_rate(rates.clicked),
            unsubscribed=RateOut.of_rate(rates.unsubscribed),
        )


class UnmeasuredOut(Outgoing):
    """Copies that arrived and cannot be measured, or not fully, for one reason."""

    reason: str
    text: str
    messages: int

    @classmethod
    def of(cls, found: Unmeasured) -> UnmeasuredOut:
        """The shape of one reason's share."""
        return cls(reason=found.reason.code, text=found.reason.text, messages=found.messages)


class BehindOut(Outgoing):
    """Copies that arrived at recipients whose mail somebody scans, or takes tracking out of."""

    gateway: str = Field(description="By name, such as `Proofpoint`.")
    strips: bool = Field(description="Whether they remove tracking images; otherwise they scan.")
    text: str = Field(description="What that means for the figures.")
    messages: int
    share: float = Field(description="Of the copies that arrived; in 0…1.")

    @classmethod
    def of(cls, found: Behind, arrived: int) -> BehindOut:
        """The shape of one name's share."""
        return cls(
            gateway=found.who.title,
            strips=found.who.code == "stripping",
            text=found.who.text,
            messages=found.messages,
            share=found.messages / arrived,
        )
