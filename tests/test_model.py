"""The vocabulary's few calculations."""

import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.model import Verdict, Who, from_microseconds, new_id, to_microseconds

moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(moments)
def test_times_survive_the_trip_to_microseconds(moment: datetime) -> None:
    """Not one microsecond is lost, so that facts order the same everywhere."""
    assert from_microseconds(to_microseconds(moment)) == moment


def test_other_time_zones_mean_the_same_moment() -> None:
    """The zone a time was written in does not matter."""
    berlin = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=1)))
    assert to_microseconds(berlin) == to_microseconds(datetime(2026, 1, 1, tzinfo=UTC))


def test_a_naive_time_is_refused() -> None:
    """A time without a zone is a bug, not UTC."""
    with pytest.raises(ValueError, match="time zone"):
        to_microseconds(datetime(2026, 1, 1))


def test_ids_are_version_7_and_grow() -> None:
    """Each id is greater than the one before, which makes them cursors; the time in them is now."""
    ids = [new_id() for _ in range(5000)]
    assert {id.version for id in ids} == {7}
    assert {id.variant for id in ids} == {"specified in RFC 4122"}
    assert all(earlier < later for earlier, later in pairwise(ids))
    assert abs((ids[0].int >> 80) / 1000 - time.time()) < 60


def test_every_verdict_falls_on_one_side() -> None:
    """No verdict is left out of the counters, and what cannot be told is never a person."""
    assert {verdict: verdict.who for verdict in Verdict}[Verdict.PRIVACY_PREFETCH] is Who.INDETERMINATE
    assert all(isinstance(verdict.who, Who) for verdict in Verdict)
