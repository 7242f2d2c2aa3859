"""The estimate of true opens, held against campaigns whose truth is known."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.insight.estimate import Reader, ReaderClass, Tally, estimate, tally
from tests.kit.worlds import World

CAMPAIGNS = 1000


@dataclass
class Record:
    """How often the intervals held the truth, and the mean of estimate ÷ truth."""

    interval: float
    sensitivity: float
    ratio: float


def simulate(world: World, campaigns: int = CAMPAIGNS) -> Record:
    generator = random.Random(11)
    held = banded = ratio = 0.0
    for _ in range(campaigns):
        truth, readers = world.campaign(generator)
        found = estimate(tally(readers))
        assert found.interval is not None
        assert found.sensitivity is not None
        assert found.estimate is not None
        held += found.interval.low <= truth <= found.interval.high
        banded += found.sensitivity.low <= truth <= found.sensitivity.high
        ratio += found.estimate / truth
    return Record(held / campaigns, banded / campaigns, ratio / campaigns)


@pytest.mark.parametrize("world", [World(), World(private=0.4, clicks=0.3)], ids=["images", "privacy"])
def test_the_interval_holds_where_its_assumptions_do(world: World) -> None:
    """In 93 to 97 of 100 campaigns the truth is inside, with and without Apple's privacy protection; no bias."""
    record = simulate(world)
    assert 0.93 <= record.interval <= 0.97
    assert record.sensitivity >= record.interval
    assert record.ratio == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    "world",
    [
        World(2000, odds=2.0),
        World(4000, 0.5, 0.3, 0.5, odds=2.0),
        World(2000, 0.3, 0.7, 0.2, leaked=0.01),
        World(2000, odds=2.0, private=0.3),
    ],
    ids=["odds", "odds, where half of them click", "leak", "privacy"],
)
def test_the_band_holds_where_they_bend_as_declared(world: World) -> None:
    """Loaders who click at twice the odds, or machines' clicks left of one in a hundred: the band holds the truth
    where the interval alone does not."""
    record = simulate(world, 200)
    assert record.sensitivity >= 0.93
    assert record.interval < 0.9


def test_where_every_image_is_seen_nothing_is_uncertain() -> None:
    """All who opened were seen: the interval begins there, and not a hair above."""
    assert simulate(World(loads=1.0), 20).interval == 1


@pytest.mark.parametrize(
    ("clicked", "both", "told"),
    [(29, 20, "29 of at least 30"), (0, 0, "0 of at least 30"), (30, 9, "9 of at least 10")],
)
def test_small_samples_are_refused_with_the_reason(clicked: int, both: int, told: str) -> None:
    """Under 30 clickers, or 10 of them seen opening, there is no estimate; what was seen is still said."""
    found = estimate(Tally(delivered=1000, opened=100, clicked=clicked, both=both, private=50, private_seen=3))
    assert found.refused is not None
    assert told in str(found.refused)
    assert (found.estimate, found.interval, found.sensitivity) == (None, None, None)
    assert (found.seen, found.possible, found.indeterminate) == (103 + clicked - both, 150 + clicked - both, 47)


def test_the_least_that_is_enough() -> None:
    """30 clickers of whom 10 were seen opening are estimated from."""
    found = estimate(Tally(delivered=1000, opened=100, clicked=30, both=10))
    assert found.refused is None
    assert found.estimate == pytest.approx(101 * 31 / 11 - 1)  # Chapman


@given(
    st.lists(st.integers(0, 300), min_size=7, max_size=7).map(
        lambda n: Tally(
            delivered=sum(n),
            opened=n[0] + n[1],
            clicked=n[1] + n[2],
            both=n[1],
            private=n[3] + n[4] + n[5],
            private_seen=n[4] + n[5],
            private_clicked=n[5],
        )
    )
)
def test_figures_stand_in_their_order(counts: Tally) -> None:
    """Seen is possible, nothing exceeds what was delivered, the estimate lies in its interval and that in the band's
    upper half."""
    found = estimate(counts)
    assert 0 <= found.seen <= found.possible <= found.delivered
    if found.estimate is None or found.interval is None or found.sensitivity is None:
        assert found.refused is not None
        return
    assert found.seen <= found.interval.low <= found.estimate <= found.interval.high <= found.delivered
    assert found.sensitivity.low <= found.interval.low
    assert found.interval.high <= found.sensitivity.high <= found.delivered


def test_a_reader_behind_privacy_protection_counts_by_clicks_alone() -> None:
    """What Apple loads shows nothing; a click there does."""
    privacy, direct = ReaderClass.PRIVACY, ReaderClass.DIRECT
    readers = [Reader(privacy, False, False), Reader(privacy, False, True), Reader(direct, True, True)]
    assert tally(readers) == Tally(3, 1, 1, 1, private=2, private_seen=1, private_clicked=1)
