"""Counts of first events by quarter of an hour: every time zone's day is made of whole ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import select

from resonanz.model import EventKind, Who, from_microseconds, to_microseconds
from resonanz.store.bulk import WORDS, add_up_many
from resonanz.store.engine import Tx
from resonanz.store.tables import rollup

BUCKET = timedelta(minutes=15)  # the day of every time zone in use begins and ends with one of these


def bucket_of(moment: datetime) -> datetime:
    """Return the start of the bucket that an aware time falls into, in UTC."""
    return _bucket(to_microseconds(moment) // _BUCKET_US)


_BUCKET_US = BUCKET // timedelta(microseconds=1)


@lru_cache(maxsize=1_000)
def _bucket(number: int) -> datetime:
    return from_microseconds(number * _BUCKET_US)


def count(tx: Tx, amounts: Mapping[tuple[datetime, EventKind, Who], int]) -> None:
    """Add to the counts of buckets, given by bucket, kind and side; one statement."""
    rows = [
        (to_microseconds(bucket), WORDS[kind], WORDS[who], amount)
        for (bucket, kind, who), amount in sorted(amounts.items())
    ]
    add_up_many(tx, rollup, 3, rows)


def counts_between(tx: Tx, start: datetime, end: datetime) -> list[tuple[datetime, EventKind, Who, int]]:
    """Return the counts of the buckets that begin in [start, end), in order of time."""
    query = select(rollup).where(rollup.c.bucket >= start, rollup.c.bucket < end).order_by(*rollup.primary_key)
    return [(row.bucket, row.kind, row.who, int(row.events)) for row in tx.execute(query)]
