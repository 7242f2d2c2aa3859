"""Rates and what they can tell."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.insight.rates import prior_of, shrunk, wilson


@given(st.integers(1, 10_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_the_interval_is_wilsons(share: tuple[int, int]) -> None:
    """It is what scipy computes, and holds the share itself."""
    from scipy.stats import binomtest  # every test process would load it, for this one test

    part, whole = share
    ours, theirs = wilson(part, whole), binomtest(part, whole).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0 <= ours.low <= part / whole <= ours.high <= 1


def test_nothing_tells_nothing_and_more_than_all_is_refused() -> None:
    """Without a single try any share is possible; three out of two is a mistake of the caller's."""
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)
    with pytest.raises(ValueError, match="no part"):
        wilson(3, 2)


def test_small_mailings_are_drawn_to_the_history_and_large_ones_are_not() -> None:
    """Two of two is no 100 % where mailings open at about 30 %; 900 of 1,000 is 90 %."""
    prior = prior_of([(30, 100), (45, 160), (290, 1000), (170, 500), (25, 90)])
    assert prior is not None
    assert prior.mean == pytest.approx(560 / 1850)
    assert shrunk(2, 2, prior) < 0.35
    assert shrunk(900, 1000, prior) > 0.55
    assert shrunk(0, 0, prior) == pytest.approx(prior.mean)


def test_the_history_tells_how_much_mailings_differ() -> None:
    """Where rates were drawn from a beta distribution, its weight comes back; without a history nothing is drawn."""
    generator = random.Random(5)
    history = []
    for _ in range(400):
        rate = generator.betavariate(6, 14)
        history.append((sum(generator.random() < rate for _ in range(200)), 200))
    prior = prior_of(history)
    assert prior is not None
    assert prior.mean == pytest.approx(0.3, abs=0.02)
    assert 14 < prior.weight < 28  # 20 in truth
    assert prior_of(history[:2]) is None
    assert shrunk(1, 2, None) == 0.5


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(sorted).map(tuple), max_size=8))
def test_any_history_gives_a_rate(history: list[tuple[int, int]]) -> None:
    """All the same, all nothing, all everything: the rate to rank by stays between 0 and 1."""
    assert 0 <= shrunk(1, 3, prior_of(history)) <= 1
