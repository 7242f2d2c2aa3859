"""How a mailing went over time: when its recipients first opened and clicked, hour by hour, later day by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from resonanz.insight.submissions import SubmissionPage
from resonanz.store import Database
from resonanz.store.tallies import Moments, is_counted, moments_of

HOURLY_FOR = timedelta(hours=48)
DAYS = 30  # what is opened later hardly shows, and a drawing has an end


@dataclass(frozen=True, slots=True)
class Span:
    """An hour, or a day, that begins at `start` in the dashboard's time zone: so many recipients first opened and
    clicked in it, by name and proof, and so many opens and clicks belong to nobody."""

    start: datetime
    opened: int
    clicked: int
    nameless_opens: int
    nameless_clicks: int


@dataclass(frozen=True, slots=True)
class Course:
    """The hours (`hourly`) or days since a mailing was handed in; thirty days at most."""

    hourly: bool
    spans: tuple[Span, ...]


def course_of(database: Database, page: SubmissionPage, *, zone: ZoneInfo, now: datetime) -> Course | None:
    """Return how a mailing went, or None for one to a few: each of their mails tells its own times."""
    submission = page.submission
    hourly = now - submission.created_at <= HOURLY_FOR
    starts = list(_hours(submission.created_at, zone, now) if hourly else _days(submission.created_at, zone, now))
    until = starts[-1] + timedelta(days=2)  # the last day may have 25 hours; what lies behind it is left out below
    with database.read() as tx:
        if not is_counted(tx, submission.id):
            return None
        found = moments_of(tx, submission.id, since=starts[0].astimezone(UTC), until=until.astimezone(UTC))
    sums = {start.astimezone(UTC): [0, 0, 0, 0] for start in starts}
    for one in found:
        start = _floor(one.bucket, zone, hourly=hourly).astimezone(UTC)
        if start in sums:
            sums[start] = [have + more for have, more in zip(sums[start], _figures(one, page), strict=True)]
    return Course(hourly, tuple(Span(start, *sums[start.astimezone(UTC)]) for start in starts))


def _figures(one: Moments, page: SubmissionPage) -> tuple[int, int, int, int]:
    """Totals without names are told where they are told for the whole mailing."""
    opens = one.nameless_opens if page.anonymous_opens is not None else 0
    clicks = one.nameless_clicks if page.anonymous_clicks is not None else 0
    return one.opened, one.clicked, opens, clicks


def _floor(moment: datetime, zone: ZoneInfo, *, hourly: bool) -> datetime:
    local = moment.astimezone(zone)
    if hourly:
        return local.replace(minute=0, second=0, microsecond=0)
    return datetime.combine(local.date(), time(), zone)


def _hours(begin: datetime, zone: ZoneInfo, now: datetime) -> Iterable[datetime]:
    first = _floor(begin, zone, hourly=True).astimezone(UTC)
    amount = max(int((now - first) / timedelta(hours=1)), 11) + 1  # never fewer than look like a course
    return ((first + timedelta(hours=number)).astimezone(zone) for number in range(amount))


def _days(begin: datetime, zone: ZoneInfo, now: datetime) -> Iterable[datetime]:
    first, last = begin.astimezone(zone).date(), now.astimezone(zone).date()
    amount = min((last - first).days + 1, DAYS)
    return (datetime.combine(first + timedelta(days=number), time(), zone) for number in range(amount))
