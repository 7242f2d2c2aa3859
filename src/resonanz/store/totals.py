"""Totals over many facts at once, counted by the database: what a rebuild compares and replaces."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, delete, func, insert, or_, select, type_coerce, update

from resonanz.model import EventKind, Verdict, Who, from_microseconds
from resonanz.store.engine import Tx
from resonanz.store.rollup import BUCKET
from resonanz.store.rows import upsert
from resonanz.store.tables import events, link_tallies, moments, rollup, submissions
from resonanz.store.tallying import hold_counted

_BUCKET_US = BUCKET // timedelta(microseconds=1)
_MACHINE = [verdict for verdict in Verdict if verdict.who is Who.MACHINE]

BucketKey = tuple[datetime, EventKind, Who]


@dataclass(slots=True)
class Totals:
    """Counts of facts that repeat nothing: by bucket; and of those without names, by submission: opens and clicks,
    clicks by link, both by bucket."""

    buckets: Counter[BucketKey] = field(default_factory=Counter)
    opens: Counter[UUID] = field(default_factory=Counter)
    clicks: Counter[UUID] = field(default_factory=Counter)
    links: Counter[tuple[UUID, int]] = field(default_factory=Counter)
    opens_at: Counter[tuple[UUID, datetime]] = field(default_factory=Counter)
    clicks_at: Counter[tuple[UUID, datetime]] = field(default_factory=Counter)


def settled_id(tx: Tx) -> int:
    """Return an id up to which no fact can appear any more: wait until everyone who holds ids has committed.

    For a transaction that ends at once: on PostgreSQL, nobody records while it lasts.
    """
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE")
    return tx.execute(select(func.max(events.c.id))).scalar_one() or 0


def add_totals(tx: Tx, totals: Totals, *, after: int, upto: int | None = None) -> None:
    """Count the facts with ids in (after, upto] into `totals`; without `upto`, all behind `after`."""
    counted = [events.c.id > after, events.c.repeat_of.is_(None)]
    if upto is not None:
        counted.append(events.c.id <= upto)
    _add_buckets(tx, totals, counted)
    _add_anonymous(tx, totals, counted)


def _add_buckets(tx: Tx, totals: Totals, counted: list[ColumnElement[bool]]) -> None:
    moment = type_coerce(events.c.occurred_at, BigInteger)
    bucket = (moment - moment % _BUCKET_US).label("bucket")
    query = (
        select(bucket, events.c.kind, events.c.verdict, func.count().label("facts"))
        .where(*counted)
        .group_by(bucket, events.c.kind, events.c.verdict)
    )
    for row in tx.execute(query):
        side = row.verdict.who if row.verdict is not None else Who.HUMAN
        totals.buckets[from_microseconds(row.bucket), row.kind, side] += row.facts


def _add_anonymous(tx: Tx, totals: Totals, counted: list[ColumnElement[bool]]) -> None:
    moment = type_coerce(events.c.occurred_at, BigInteger)
    bucket = (moment - moment % _BUCKET_US).label("bucket")
    query = (
        select(events.c.submission_id, events.c.kind, events.c.link, bucket, func.count().label("facts"))
        .where(
            *counted,
            events.c.message_id.is_(None),
            events.c.submission_id.is_not(None),
            events.c.kind.in_([EventKind.OPENED, EventKind.CLICKED]),
            or_(events.c.verdict.is_(None), events.c.verdict.not_in(_MACHINE)),
        )
        .group_by(events.c.submission_id, events.c.kind, events.c.link, bucket)
    )
    for row in tx.execute(query):
        opened = row.kind is EventKind.OPENED
        at = (row.submission_id, from_microseconds(row.bucket))
        (totals.opens if opened else totals.clicks)[row.submission_id] += row.facts
        (totals.opens_at if opened else totals.clicks_at)[at] += row.facts
        if not opened and row.link is not None:
            totals.links[row.submission_id, row.link] += row.facts


def lock_totals(tx: Tx) -> None:
    """Let nobody else count until this transaction ends; in the order in which recording takes its locks."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("LOCK TABLE submissions, rollup, link_tallies, moments IN SHARE ROW EXCLUSIVE MODE")


def replace_totals(tx: Tx, totals: Totals) -> tuple[set[UUID], int]:
    """Bring the stored totals to these. Returns which submissions and how many buckets were not so."""
    wrong = _replace_anonymous(tx, totals) | _replace_links(tx, totals) | _replace_moments(tx, totals)
    return wrong, _replace_rollup(tx, totals)


def _replace_anonymous(tx: Tx, totals: Totals) -> set[UUID]:
    columns = (submissions.c.id, submissions.c.anonymous_opens, submissions.c.anonymous_clicks)
    counted = or_(submissions.c.anonymous_opens != 0, submissions.c.anonymous_clicks != 0)
    stored = {
        row.id: (row.anonymous_opens, row.anonymous_clicks) for row in tx.execute(select(*columns).where(counted))
    }
    right = {id: (totals.opens[id], totals.clicks[id]) for id in {*totals.opens, *totals.clicks}}
    wrong = [id for id in {*stored, *right} if stored.get(id, (0, 0)) != right.get(id, (0, 0))]
    for id in sorted(wrong):
        opens, clicks = right.get(id, (0, 0))
        tx.execute(
            update(submissions).where(submissions.c.id == id).values(anonymous_opens=opens, anonymous_clicks=clicks)
        )
    return set(wrong)


def _replace_links(tx: Tx, totals: Totals) -> set[UUID]:
    query = select(link_tallies).where(link_tallies.c.nameless != 0)
    stored = {(row.submission_id, row.link): row.nameless for row in tx.execute(query)}
    wrong = [key for key in {*stored, *totals.links} if stored.get(key, 0) != totals.links[key]]
    for id, link in sorted(wrong):
        upsert(tx, link_tallies, {"submission_id": id, "link": link}, {"nameless": totals.links[id, link]})
    return {id for id, _ in wrong}


def _replace_moments(tx: Tx, totals: Totals) -> set[UUID]:
    query = select(moments).where(or_(moments.c.nameless_opens != 0, moments.c.nameless_clicks != 0))
    stored = {(row.submission_id, row.bucket): (row.nameless_opens, row.nameless_clicks) for row in tx.execute(query)}
    counted = hold_counted(tx, {id for id, _ in (*totals.opens_at, *totals.clicks_at)})
    right = {
        key: (totals.opens_at[key], totals.clicks_at[key])
        for key in {*totals.opens_at, *totals.clicks_at}
        if key[0] in counted
    }
    wrong = [key for key in {*stored, *right} if stored.get(key, (0, 0)) != right.get(key, (0, 0))]
    for id, bucket in sorted(wrong):
        opens, clicks = right.get((id, bucket), (0, 0))
        key = {"submission_id": id, "bucket": bucket}
        upsert(tx, moments, key, {"nameless_opens": opens, "nameless_clicks": clicks})
    return {id for id, _ in wrong}


def _replace_rollup(tx: Tx, totals: Totals) -> int:
    stored = {(row.bucket, row.kind, row.who): row.events for row in tx.execute(select(rollup))}
    wrong = [key for key in {*stored, *totals.buckets} if stored.get(key, 0) != totals.buckets[key]]
    for bucket, kind, side in wrong:
        tx.execute(delete(rollup).where(rollup.c.bucket == bucket, rollup.c.kind == kind, rollup.c.who == side))
        if amount := totals.buckets[bucket, kind, side]:
            tx.execute(insert(rollup).values(bucket=bucket, kind=kind, who=side, events=amount))
    return len(wrong)
