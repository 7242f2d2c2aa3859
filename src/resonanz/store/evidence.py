"""Evidence, as rows: address and user agent of hits whose verdict others may still change, and nothing older."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zlib import crc32

from sqlalchemy import delete, func, select

from resonanz.model import EventKind, HitKind, from_microseconds, value
from resonanz.store.bulk import (
    WORDS,
    Ids,
    Plain,
    Row,
    insert_many,
    plain,
    select_by_ids,
    select_by_numbers,
    update_by_numbers,
)
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.tables import events, evidence, links, messages, submissions

_NAMES = [column.name for column in evidence.columns]
_KINDS = {kind.value: kind for kind in HitKind}
_FROM_SOURCES_AT_MOST = 20_000  # a flood from one address is a crowd long before


@value
class Kept:
    """One hit's evidence. Moments are microseconds since the epoch; `id` is its event's. `due_us`: None once judged.
    `source` is the digest of who asked, as it was read."""

    id: int
    message_id: UUID
    kind: HitKind
    link: int | None
    occurred_us: int
    received_us: int
    method: str
    address: str
    user_agent: str
    headers: Mapping[str, str] = field(default_factory=dict)
    own: bool = False
    due_us: int | None = None
    source: int | None = None


def keep(tx: Tx, rows: Sequence[Kept]) -> None:
    """Write evidence of events that are written in the same transaction."""
    as_plain = plain(tx)
    insert_many(tx, evidence, [_row(row, as_plain) for row in rows])


def due(tx: Tx, now_us: int, *, limit: int) -> set[UUID]:
    """Return the messages of so much evidence that is due to be judged, the longest overdue first."""
    query = f"SELECT message_id FROM evidence WHERE due_at <= {now_us:d} ORDER BY due_at LIMIT {limit:d}"  # noqa: S608
    ids = Ids()
    return {ids[row[0]] for row in tx.exec_driver_sql(query).cursor.fetchall()}


def of_messages(tx: Tx, message_ids: Collection[UUID]) -> list[Kept]:
    """Return all evidence on these messages."""
    known = Ids.known(tx, message_ids)
    rows = select_by_ids(tx, evidence, _NAMES, message_ids, by="message_id")
    return [_kept(row, known) for row in rows]


def of_sources(tx: Tx, rows: Collection[Kept], *, around_us: int, messages: int) -> list[Kept]:
    """Return evidence from where these rows came, so long before the first and after the last of them.

    The rows are such as were read here. Only of sources that reached so many messages in that time; for most there are
    none, and that costs little.
    """
    if not rows:
        return []
    first = min(row.occurred_us for row in rows) - around_us
    last = max(row.occurred_us for row in rows) + around_us
    near = f"occurred_at BETWEEN {first:d} AND {last:d}"
    sources = {row.source for row in rows if row.source is not None}
    # The index alone tells who asked often; for most that is the end of it.
    for counted in ("*", "DISTINCT message_id"):
        enough = f"source HAVING count({counted}) >= {messages:d}"
        left = select_by_numbers(tx, evidence, ["source"], sources, by="source", where=near, group=enough)
        sources = {row[0] for row in left}
    known = Ids()
    found = select_by_numbers(tx, evidence, _NAMES, sources, by="source", where=near, limit=_FROM_SOURCES_AT_MOST)
    return [_kept(row, known) for row in found]


def judged(tx: Tx, ids: Sequence[int]) -> None:
    """Note that this evidence has been judged when it was due."""
    update_by_numbers(tx, evidence, "due_at = NULL", ids)


def forget(tx: Tx, received_before_us: int, *, limit: int = 10_000) -> int:
    """Delete what came in before a moment and has been judged, the oldest first. Returns how many rows."""
    moment = from_microseconds(received_before_us)
    # Ids grow with time: up to the first that is younger, and no look at the many behind it.
    younger = select(evidence.c.id).where(evidence.c.received_at >= moment).order_by(evidence.c.id).limit(1)
    end = tx.execute(younger).scalar_one_or_none()
    is_over = (evidence.c.received_at < moment) & evidence.c.due_at.is_(None)
    if end is not None:
        is_over &= evidence.c.id < end
    oldest = select(evidence.c.id).where(is_over).order_by(evidence.c.id).limit(limit)
    return tx.execute(delete(evidence).where(evidence.c.id.in_(oldest))).rowcount


def forget_messages(tx: Tx, message_ids: Collection[UUID]) -> None:
    """Delete all evidence on these messages, judged or not."""
    for portion in in_portions(message_ids):
        tx.execute(delete(evidence).where(evidence.c.message_id.in_(portion)))


def next_messages(tx: Tx, after: UUID | None, *, since_us: int, limit: int) -> list[UUID]:
    """Return messages that have evidence received since a moment, in order, from the one behind `after`."""
    query = select(evidence.c.message_id).where(evidence.c.received_at >= from_microseconds(since_us)).distinct()
    if after is not None:
        query = query.where(evidence.c.message_id > after)
    return list(tx.execute(query.order_by(evidence.c.message_id).limit(limit)).scalars())


def count_judged(tx: Tx, since_us: int, complete_us: int) -> tuple[int, int]:
    """Return of the judged hits that came in since a moment how many have all evidence around them, and have not.

    Evidence is complete from the second moment on.
    """
    since, complete = from_microseconds(since_us), from_microseconds(complete_us)
    kept = tx.execute(
        select(func.count()).where(evidence.c.received_at >= complete, evidence.c.kind != HitKind.UNSUBSCRIBE)
    ).scalar_one()
    judged_events = tx.execute(
        select(func.count()).where(
            events.c.received_at >= since,
            events.c.verdict.is_not(None),
            events.c.message_id.is_not(None),
            events.c.kind.in_([EventKind.OPENED, EventKind.CLICKED, EventKind.DOWNLOADED, EventKind.SHOWN]),
        )
    ).scalar_one()
    return kept, max(judged_events - kept, 0)


# ── What is known of the mails ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Facts:
    """What the judge asks about a message. Moments in microseconds since the epoch."""

    sent_us: int | None = None
    delivered_us: int | None = None
    links: int = 0
    replies_us: list[int] = field(default_factory=list)


def facts_of(tx: Tx, message_ids: Collection[UUID]) -> dict[UUID, Facts]:
    """Return when these messages were sent, delivered and answered, and how many links they have."""
    known = Ids.known(tx, message_ids)
    found = {id: Facts() for id in message_ids}
    columns = ("message_id", "submission_id", "kind", "occurred_at")
    told = "repeat_of IS NULL AND kind IN ('sent', 'delivered', 'replied')"
    submission_of: dict[UUID, Any] = {}
    for message_id, submission_id, kind, at in select_by_ids(
        tx, events, columns, message_ids, by="message_id", where=told
    ):
        id = known[message_id]
        submission_of[id] = submission_id
        _learn(found[id], kind, at)
    untold = found.keys() - submission_of.keys()
    for message_id, submission_id in select_by_ids(tx, messages, ("id", "submission_id"), untold):
        submission_of[known[message_id]] = submission_id
    counts = _count_links(tx, {known[submission_id] for submission_id in set(submission_of.values())})
    for id, submission_id in submission_of.items():
        found[id].links = counts.get(known[submission_id], 0)
    return found


def _count_links(tx: Tx, submission_ids: Collection[UUID]) -> dict[UUID, int]:
    counted = (
        select(submissions.c.id, func.count(links.c.link).label("links"))
        .join(links, links.c.content_id == submissions.c.content_id)
        .group_by(submissions.c.id)
    )
    return {
        row.id: row.links
        for portion in in_portions(submission_ids)
        for row in tx.execute(counted.where(submissions.c.id.in_(portion)))
    }


def _learn(facts: Facts, kind: str, at: int) -> None:
    if kind == EventKind.SENT:
        facts.sent_us = at if facts.sent_us is None else min(at, facts.sent_us)
    elif kind == EventKind.DELIVERED:
        facts.delivered_us = at if facts.delivered_us is None else min(at, facts.delivered_us)
    else:
        facts.replies_us.append(at)


# ── Rows and values ─────────────────────────────────────────────────────────────────────────────────────────────────


def source_of(address: str, user_agent: str) -> int:
    """Return a short digest of who asked. Several may share one: what is found by it is compared in full."""
    return crc32(f"{address}\n{user_agent}".encode("utf-8", "surrogatepass"))


def _row(row: Kept, as_plain: Plain) -> Row:
    return (
        row.id,
        as_plain.id(row.message_id),
        WORDS[row.kind],
        row.link,
        row.occurred_us,
        row.received_us,
        row.method,
        row.address,
        row.user_agent,
        as_plain.json(row.headers),
        row.own,
        source_of(row.address, row.user_agent),
        row.due_us,
    )


def _kept(row: Any, ids: Ids) -> Kept:
    """Read the driver's row."""
    id, message_id, kind, link, occurred, received, method, address, agent, headers, own, source, due_us = row
    if isinstance(headers, str):
        headers = json.loads(headers) if headers != "{}" else {}
    return Kept(
        id,
        ids[message_id],
        _KINDS[kind],
        link,
        occurred,
        received,
        method,
        address,
        agent,
        headers,
        bool(own),
        due_us,
        source,
    )
