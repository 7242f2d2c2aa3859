"""The home page's question: what happened today, hour by hour, and how does it compare with yesterday."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from resonanz.model import EventKind, Who
from resonanz.store import Database
from resonanz.store.rollup import counts_between

Counts = Mapping[tuple[EventKind, Who], int]
Row = tuple[datetime, EventKind, Who, int]


@dataclass(frozen=True, slots=True)
class Day:
    """One local day: how many first events of each kind and side, in all and per hour.

    `hours` holds the start of each hour of the day in local time (23 or 25 of them when clocks change) and its counts.
    """

    date: date
    counts: Counts
    hours: tuple[tuple[datetime, Counts], ...]

    def count(self, kind: EventKind, *sides: Who) -> int:
        """Return how many events of a kind there were, of these sides or of all."""
        return sum(self.counts.get((kind, side), 0) for side in sides or tuple(Who))

    def series(self, kind: EventKind, *sides: Who) -> list[int]:
        """Return the counts of a kind per hour, in order of time: what a small chart draws."""
        return [sum(counts.get((kind, side), 0) for side in sides or tuple(Who)) for _, counts in self.hours]


@dataclass(frozen=True, slots=True)
class Today:
    """Today so far, and yesterday: the whole day, and what it had counted by this hour."""

    today: Day
    yesterday: Day
    yesterday_so_far: Counts


def today(database: Database, *, now: datetime, timezone: ZoneInfo) -> Today:
    """Return the counts of the local day that `now` falls into, and of the day before it; one statement."""
    date = now.astimezone(timezone).date()
    midnights = [_midnight(date + timedelta(days=days), timezone) for days in (-1, 0, 1)]
    with database.read() as tx:
        rows = counts_between(tx, midnights[0], midnights[2])
    yesterday = _day(midnights[0], midnights[1], timezone, rows)
    so_far = midnights[0] + (now - midnights[1])
    return Today(
        today=_day(midnights[1], midnights[2], timezone, rows),
        yesterday=yesterday,
        yesterday_so_far=_sum(row for row in rows if row[0] < min(so_far, midnights[1])),
    )


def _day(start: datetime, end: datetime, timezone: ZoneInfo, rows: Sequence[Row]) -> Day:
    hours = []
    moment = start
    while moment < end:
        after = min(moment + timedelta(hours=1), end)
        hours.append((moment.astimezone(timezone), _sum(row for row in rows if moment <= row[0] < after)))
        moment = after
    counts = _sum(row for row in rows if start <= row[0] < end)
    return Day(start.astimezone(timezone).date(), counts, tuple(hours))


def _midnight(date: date, timezone: ZoneInfo) -> datetime:
    """Return the time in UTC at which a local day begins."""
    return datetime.combine(date, time(), timezone).astimezone(UTC)


def _sum(rows: Iterable[Row]) -> Counts:
    counts: Counter[tuple[EventKind, Who]] = Counter()
    for _, kind, side, amount in rows:
        counts[kind, side] += amount
    return dict(counts)
