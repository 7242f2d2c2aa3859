"""How many opened a mail: what was seen, what is possible, and an estimate of the truth, or the reason there is none.

Every person who followed a link has opened the mail, whether the image was seen or not. So the share of clickers whose
image was seen tells how much of the opening an image shows: capture and recapture, as fish in a pond are counted
(Chapman 1951; Seber 1982, section 3.1). The interval is Wilson's for that share, inverted. Where Apple loads images
by itself they show nothing; those recipients are estimated from their clicks alone, with the click-to-open rate of the
others; the two uncertainties are combined on the scale of logarithms (MOVER: Zou and Donner 2008).

It assumes that who loads images clicks neither more nor less, that no machine's click is left among the people's, and
that Apple's readers click like the others. The first two never hold exactly; the band of sensitivity is what the
interval becomes when loaders click with up to twice the odds, and when machines' clicks remain at up to one in a
hundred who did not open.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from resonanz.insight.rates import Interval, Rate, rate, wilson

FEWEST_CLICKERS = 30
FEWEST_RECAPTURED = 10
MOST_ODDS = 2.0  # of a click, by who loads images against who does not
MOST_LEAKED = 0.01  # of those who did not open, a machine's click taken for theirs


class ReaderClass(StrEnum):
    """How a recipient reads, as far as it matters for what an image can show."""

    DIRECT = "direct"
    PROXIED = "proxied"
    PRIVACY = "privacy"  # Apple loads the images; a fetch shows nothing
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reader:
    """One recipient the mail was delivered to. `opened`: an image was fetched for a person. `clicked`: a person did."""

    reads: ReaderClass
    opened: bool
    clicked: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Recipients by what was seen of them; those behind Apple's privacy protection apart, in the `private_` fields.

    `opened` and `clicked` overlap by `both`.
    """

    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    both: int = 0
    private: int = 0
    private_seen: int = 0  # opened or clicked all the same
    private_clicked: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no estimate: how many clickers there were, and how many of them were seen opening."""

    clickers: int
    recaptured: int

    def __str__(self) -> str:
        if self.clickers < FEWEST_CLICKERS:
            return f"too few people clicked to estimate from: {self.clickers} of at least {FEWEST_CLICKERS}"
        return (
            "too few of those who clicked were also seen opening to estimate from: "
            f"{self.recaptured} of at least {FEWEST_RECAPTURED}"
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many of `delivered` opened: at least `seen`, at most `possible` by what images can show, `estimate` by the
    clicks. `interval` holds at 95 % where the assumptions do, `sensitivity` also where they bend as declared; they and
    the estimate are None when it is `refused`. `indeterminate` are those of whom Apple hides whether they opened."""

    delivered: int
    seen: int
    possible: int
    indeterminate: int
    estimate: float | None
    interval: Interval | None
    sensitivity: Interval | None
    refused: Refusal | None

    @property
    def seen_rate(self) -> Rate | None:
        """What was seen, as a share of the delivered."""
        return rate(self.seen, self.delivered, "arrived by name")


def tally(readers: Iterable[Reader]) -> Tally:
    """Count readers by what was seen of them."""
    private = Counter[tuple[bool, bool]]()
    plain = Counter[tuple[bool, bool]]()
    for reader in readers:
        (private if reader.reads is ReaderClass.PRIVACY else plain)[reader.opened, reader.clicked] += 1
    return Tally(
        delivered=plain.total() + private.total(),
        opened=plain[True, False] + plain[True, True],
        clicked=plain[False, True] + plain[True, True],
        both=plain[True, True],
        private=private.total(),
        private_seen=private.total() - private[False, False],
        private_clicked=private[False, True] + private[True, True],
    )


def estimate(counts: Tally) -> Estimate:
    """Return how many opened, or why that cannot be told."""
    seen = counts.opened + counts.clicked - counts.both + counts.private_seen
    indeterminate = counts.private - counts.private_seen
    possible = seen + indeterminate
    refused = None
    if counts.clicked < FEWEST_CLICKERS or counts.both < FEWEST_RECAPTURED:
        refused = Refusal(counts.clicked, counts.both)
    if refused is not None:
        return Estimate(counts.delivered, seen, possible, indeterminate, None, None, None, refused)
    plain = _opened(counts, odds=1.0, leaked=0.0)
    least, most = _opened(counts, odds=1.0, leaked=MOST_LEAKED), _opened(counts, odds=MOST_ODDS, leaked=0.0)
    band = Interval(min(least.interval.low, plain.interval.low), max(most.interval.high, plain.interval.high))
    return Estimate(
        counts.delivered,
        seen,
        possible,
        indeterminate,
        _between(plain.opened, seen, counts.delivered),
        Interval(
            _between(plain.interval.low, seen, counts.delivered), _between(plain.interval.high, seen, counts.delivered)
        ),
        Interval(_between(band.low, counts.opened, counts.delivered), _between(band.high, seen, counts.delivered)),
        None,
    )


# ── The arithmetic ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Opened:
    opened: float
    interval: Interval


_ROUNDS = 60  # until what leaked, which depends on who did not open, stands still


def _opened(counts: Tally, *, odds: float, leaked: float) -> _Opened:
    """Return how many opened in all, if image loaders click with these odds and machines' clicks leak at this share."""
    readable = counts.delivered - counts.private
    clickers, private_clickers = float(counts.clicked), float(counts.private_clicked)
    opened = private_opened = 0.0
    for _ in range(_ROUNDS if leaked else 1):
        opened = _captured(counts.opened, counts.both, clickers, odds)
        private_opened = private_clickers * opened / clickers
        if leaked:
            clickers = max(float(counts.both), counts.clicked - leaked * max(readable - opened, 0.0))
            false = leaked * max(counts.private - private_opened, 0.0)
            private_clickers = max(0.0, counts.private_clicked - false)
    chapman = (counts.opened + 1) * (clickers + 1) / (counts.both + 1) - 1
    correction = chapman / (counts.opened * clickers / counts.both)  # Chapman's, nearly 1: what makes it unbiased
    total = opened * correction + private_opened * correction
    # The share recaptured, and Apple's share among the clickers, each with its interval; apart, then together. Clickers
    # are drawn from the openers without putting them back, which tells more than draws with: the finite population
    # correction, taken into the sample's size (Cochran 1977, section 2.6).
    drawn = 1 / (1 - min(counts.both / counts.opened, 0.99))
    told = drawn / _spread(counts, clickers, odds)
    captured = wilson(counts.both * told, clickers * told)
    of_captured = Interval(
        _by_share(counts.opened, counts.both, captured.high, odds),
        _by_share(counts.opened, counts.both, captured.low, odds),
    )
    private = wilson(private_clickers * drawn, (private_clickers + clickers) * drawn)
    share = private_clickers / (private_clickers + clickers)
    # Nobody there, nothing to be uncertain about.
    growth = Interval(1 / (1 - private.low), 1 / (1 - private.high)) if counts.private else Interval(1.0, 1.0)
    return _Opened(total, _together((opened, of_captured), (1 / (1 - share), growth)))


def _captured(opened: int, both: int, clickers: float, odds: float) -> float:
    return _by_share(opened, both, both / clickers, odds)


def _by_share(opened: int, both: int, share: float, odds: float) -> float:
    """Return how many opened, seen or not, if `share` of the clickers were seen opening.

    Who was seen clicks at the rate both ÷ opened, who was not at one with its odds divided. At odds of 1 it is
    opened ÷ share (Lincoln and Petersen).
    """
    rate = both / opened
    other = rate / (rate + odds * (1 - rate))
    return opened * (1 + rate / other * (1 - share) / share)


def _spread(counts: Tally, clickers: float, odds: float) -> float:
    """Return by how much the estimate varies more than the share of the recaptured tells; as variances, by the delta
    method.

    Those not seen are their clickers ÷ their rate of clicks. Where that rate is a fraction of the seen ones', both vary
    by more; and how many clicks leaked varies like any count of rare things. 1 where the assumptions hold.
    """
    rate, leaked = counts.both / counts.opened, counts.clicked - clickers
    lower = rate + odds * (1 - rate)  # by so much their rate is lower than the seen ones'
    unseen = (clickers - counts.both) * lower / rate
    for_each = unseen / counts.opened
    told = unseen * (1 - rate) / rate * (lower + for_each)
    if not told:
        return 1.0
    true = unseen * (1 - rate) / rate * odds * (1 + odds * for_each / lower**2) + leaked * (lower / rate) ** 2
    return true / told


def _together(*factors: tuple[float, Interval]) -> Interval:
    """Return the interval of a product of independent positive figures, from each one's own."""
    logs = [(math.log(value), math.log(around.low), math.log(around.high)) for value, around in factors]
    middle = sum(value for value, _, _ in logs)
    below = math.sqrt(sum((value - low) ** 2 for value, low, _ in logs))
    above = math.sqrt(sum((high - value) ** 2 for value, _, high in logs))
    return Interval(math.exp(middle - below), math.exp(middle + above))


def _between(value: float, least: int, most: int) -> float:
    return min(max(round(value, 6), float(least)), float(most))  # no limit is missed by how numbers are kept
