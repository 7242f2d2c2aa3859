"""Today's counts: of the local day, hour by hour, beside yesterday's."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from resonanz.ingest import record_all
from resonanz.insight import today
from resonanz.model import EventKind, Verdict, Who
from resonanz.store import Database
from tests.kit.cast import Cast, event

BERLIN = ZoneInfo("Europe/Berlin")


def given(database: Database, *opened: datetime, verdict: Verdict = Verdict.HUMAN_DIRECT) -> None:
    with database.write() as tx:
        message = Cast.enter(tx, now=datetime(2026, 1, 1, tzinfo=BERLIN)).mail(
            tx, now=datetime(2026, 1, 1, tzinfo=BERLIN)
        )
        record_all(tx, [event(message, EventKind.OPENED, at=moment, verdict=verdict) for moment in opened])


def test_a_day_begins_at_local_midnight(database: Database) -> None:
    """The last microsecond of yesterday is yesterday's, the first of today is today's."""
    midnight = datetime(2026, 3, 18, tzinfo=BERLIN)
    given(database, midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=9))
    found = today(database, now=midnight + timedelta(hours=15), timezone=BERLIN)
    assert (found.today.date, found.yesterday.date) == (date(2026, 3, 18), date(2026, 3, 17))
    assert found.today.count(EventKind.OPENED) == 2
    assert found.yesterday.count(EventKind.OPENED) == 1
    assert found.today.series(EventKind.OPENED) == [1, *[0] * 8, 1, *[0] * 14]


def test_sides_are_counted_apart(database: Database) -> None:
    """People, machines and what cannot be told each have their own number."""
    noon = datetime(2026, 3, 18, 12, tzinfo=BERLIN)
    given(database, noon)
    found = today(database, now=noon, timezone=BERLIN).today
    assert (found.count(EventKind.OPENED, Who.HUMAN), found.count(EventKind.OPENED, Who.MACHINE)) == (1, 0)
    assert found.count(EventKind.OPENED, Who.HUMAN, Who.MACHINE) == 1
    assert sum(found.series(EventKind.OPENED, Who.INDETERMINATE)) == 0


def test_yesterday_so_far_ends_at_the_same_time_of_day(database: Database) -> None:
    """At three in the afternoon today compares with yesterday until three."""
    noon = datetime(2026, 3, 17, 12, tzinfo=BERLIN)
    given(database, noon, noon + timedelta(hours=5))
    found = today(database, now=noon + timedelta(days=1, hours=3), timezone=BERLIN)
    assert found.yesterday.count(EventKind.OPENED) == 2
    assert found.yesterday_so_far == {(EventKind.OPENED, Who.HUMAN): 1}


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        (datetime(2026, 3, 29, 12, tzinfo=BERLIN), 23),  # clocks go forward
        (datetime(2026, 10, 25, 12, tzinfo=BERLIN), 25),  # clocks go back
        (datetime(2026, 6, 1, 12, tzinfo=BERLIN), 24),
    ],
)
def test_days_on_which_clocks_change_have_their_true_hours(database: Database, moment: datetime, hours: int) -> None:
    """No hour is lost or counted twice."""
    start = moment.replace(hour=0).astimezone(ZoneInfo("UTC"))
    given(database, *[start + timedelta(hours=number, minutes=30) for number in range(hours)])
    found = today(database, now=moment, timezone=BERLIN).today
    assert found.series(EventKind.OPENED) == [1] * hours
    assert found.count(EventKind.OPENED) == hours


@pytest.mark.parametrize("name", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Adelaide"])
def test_where_the_day_does_not_begin_at_a_full_hour_of_utc(database: Database, name: str) -> None:
    """Half the world's clocks differ by full hours; the others get their own day too."""
    zone = ZoneInfo(name)
    midnight = datetime(2026, 3, 18, tzinfo=zone)
    given(database, midnight - timedelta(minutes=10), midnight + timedelta(minutes=10))
    found = today(database, now=midnight + timedelta(hours=12), timezone=zone)
    assert (found.yesterday.count(EventKind.OPENED), found.today.count(EventKind.OPENED)) == (1, 1)
    assert found.today.hours[0][0] == midnight
