"""The home page's question: what happened today, hour by hour, and how does it compare with yesterday."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from resonanz.model import EventKind, Who
from resonanz.store import Database
from resonanz.store.events import counts_by_hour

Counts = Mapping[tuple[EventKind, Who], int]


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
    """Return the counts of the local day that `now` falls into, and of the day before it."""
    local = now.astimezone(timezone)
    days = [local.date() - timedelta(days=1), local.date()]
    with database.read() as tx:
        rows = counts_by_hour(tx, _start(days[0], timezone), _start(days[1] + timedelta(days=1), timezone))
    yesterday, current = (_day(date, timezone, rows) for date in days)
    elapsed = now - _start(days[1], timezone)
    until = _start(days[0], timezone) + elapsed
    so_far: dict[tuple[EventKind, Who], int] = {}
    for hour, counts in yesterday.hours:
        if hour < until:
            _add(so_far, counts)
    return Today(current, yesterday, so_far)


def _day(date: date, timezone: ZoneInfo, rows: list[tuple[datetime, EventKind, Who, int]]) -> Day:
    start, end = _start(date, timezone), _start(date + timedelta(days=1), timezone)
    hours: list[tuple[datetime, Counts]] = []
    total: dict[tuple[EventKind, Who], int] = {}
    moment = start
    while moment < end:
        after = moment + timedelta(hours=1)
        counts: dict[tuple[EventKind, Who], int] = {}
        _add(counts, {(kind, side): amount for hour, kind, side, amount in rows if moment <= hour < after})
        _add(total, counts)
        hours.append((moment.astimezone(timezone), counts))
        moment = after
    return Day(date, total, tuple(hours))


def _start(date: date, timezone: ZoneInfo) -> datetime:
    """Return the UTC time at which a local day begins."""
    return datetime.combine(date, time(), timezone).astimezone(ZoneInfo("UTC"))


def _add(total: dict[tuple[EventKind, Who], int], more: Counts) -> None:
    for key, amount in more.items():
        total[key] = total.get(key, 0) + amount
