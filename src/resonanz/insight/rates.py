"""Rates with their uncertainty: what a share of so many can tell, and what it tells beside all earlier ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both included."""

    low: float
    high: float


def wilson(part: float, whole: float, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the Wilson score interval of a share (Wilson 1927; Brown, Cai and DasGupta 2001), both ends in 0…1.

    Nothing out of nothing may be any share. Raises ValueError for a part that is more than the whole.
    """
    if not 0 <= part <= whole:
        raise ValueError(f"{part} is no part of {whole}")
    if whole == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, squared = part / whole, z * z
    middle = (share + squared / (2 * whole)) / (1 + squared / whole)
    half = z / (1 + squared / whole) * math.sqrt(share * (1 - share) / whole + squared / (4 * whole * whole))
    # At the ends the formula gives exactly 0 and 1 but for rounding.
    return Interval(0.0 if part == 0 else max(0.0, middle - half), 1.0 if part == whole else min(1.0, middle + half))


@dataclass(frozen=True, slots=True)
class Rate:
    """`part` of `whole` copies, which are all those that `of` names; `around` is Wilson's interval at 95 %."""

    part: int
    whole: int
    of: str
    around: Interval


def rate(part: int, whole: int, of: str) -> Rate | None:
    """Return a rate with its interval, or None where there is nothing to be a share of."""
    return Rate(part, whole, of, wilson(part, whole)) if whole else None


@dataclass(frozen=True, slots=True)
class Prior:
    """What earlier mailings let one expect: a beta distribution, as if `weight` recipients had shown `mean`."""

    mean: float
    weight: float


# With fewer earlier mailings there is no telling how far they differ from each other.
FEWEST = 3
# However little earlier mailings differ, they must not drown what a new one shows.
_HEAVIEST = 500.0


def prior_of(history: Sequence[tuple[int, int]]) -> Prior | None:
    """Return what (part, whole) of earlier mailings let one expect, or None when they are too few.

    Empirical Bayes for a beta-binomial, by moments weighted with the sizes (Kleinman 1973).
    """
    known = [(part, whole) for part, whole in history if whole > 0]
    total = sum(whole for _, whole in known)
    if len(known) < FEWEST or total <= len(known):
        return None
    mean = sum(part for part, _ in known) / total
    if not 0 < mean < 1:
        return Prior(mean, 1.0)
    spread = sum(whole * (part / whole - mean) ** 2 for part, whole in known)
    chance = mean * (1 - mean)
    degrees = total - sum(whole * whole for _, whole in known) / total
    between = (spread - chance * (len(known) - 1)) / (degrees * chance - chance * (len(known) - 1))
    weight = _HEAVIEST if between <= 0 else min(max(1 / between - 1, 1.0), _HEAVIEST)
    return Prior(mean, weight)


def shrunk(part: float, whole: float, prior: Prior | None) -> float:
    """Return the rate to rank by: a small mailing's is drawn towards what earlier ones let expect."""
    if prior is None:
        return part / whole if whole else 0.0
    return (part + prior.mean * prior.weight) / (whole + prior.weight)
