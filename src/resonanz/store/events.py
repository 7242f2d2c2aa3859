"""Facts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select, text

from resonanz.model import (
    Event,
    EventKind,
    Verdict,
    to_microseconds,
)
from resonanz.store.bulk import (
    Ids,
    insert_many,
    plain,
    select_by_ids,
    select_by_numbers,
    update_many,
)
from resonanz.store.engine import Tx
from resonanz.store.event_rows import (
    JUDGED,
    KINDS,
    NAMES,
    VERDICTS,
    event_of,
    judged_row,
    plain_row,
    read_plain,
    read_words,
    values_of,
)
from resonanz.store.rows import in_portions, insert_missing
from resonanz.store.tables import contents, events, messages, submissions


def reserve_ids(tx: Tx, amount: int) -> list[int]:
    """Take ids for facts to come, in rising order. Those that are not used in the end stay gaps for ever.

    On SQLite nobody else can write before this transaction ends. On PostgreSQL the sequence hands each id out once; the
    (weak) lock on the table lets `settled_id` wait for everyone who holds ids.
    """
    if amount == 0:
        return []
    if tx.dialect.name == "sqlite":
        last = tx.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'events'").scalar_one_or_none() or 0
        return list(range(last + 1, last + 1 + amount))
    tx.exec_driver_sql("LOCK TABLE events IN ROW EXCLUSIVE MODE")
    taken = text("SELECT array_agg(nextval('events_id_seq')) FROM generate_series(1, :amount)")
    return sorted(tx.execute(taken, {"amount": amount}).scalar_one())


def add_events(tx: Tx, facts: Sequence[Event]) -> None:
    """Append facts that have their ids already. A source key that is known raises IntegrityError."""
    as_plain, rows = plain(tx), []
    received_at, received_us = None, 0
    for event in facts:
        if event.received_at is not received_at:  # the same moment for all of a batch
            received_at, received_us = event.received_at, to_microseconds(event.received_at)
        rows.append(plain_row(event, received_us, as_plain))
    insert_many(tx, events, rows)


def add_event_once(tx: Tx, event: Event) -> bool:
    """Append a fact that has its id already, unless its source has told us before. Returns whether it was new.

    Safe against another transaction doing the same: on PostgreSQL it waits for the other one's end.
    """
    return insert_missing(tx, events, [{"id": event.id, **values_of(event)}]) == 1


def has_event(tx: Tx, source: str, source_key: str) -> bool:
    """Whether this source has told us this already."""
    query = select(events.c.id).where(events.c.source == source, events.c.source_key == source_key).limit(1)
    return tx.execute(query).first() is not None


def of_message(tx: Tx, message_id: UUID, *, after: int = 0, limit: int = 1000) -> list[Event]:
    """Return a message's events behind the event `after`, oldest first, repeats included."""
    query = (
        select(events).where(events.c.message_id == message_id, events.c.id > after).order_by(events.c.id).limit(limit)
    )
    return [event_of(row) for row in tx.execute(query)]


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often an event was repeated, and when last."""

    times: int
    last_at: datetime


def firsts_in_full(tx: Tx, message_id: UUID, *, limit: int) -> list[Event]:
    """Return a message's events that repeat nothing, oldest first."""
    query = (
        select(events)
        .where(events.c.message_id == message_id, events.c.repeat_of.is_(None))
        .order_by(events.c.id)
        .limit(limit)
    )
    return [event_of(row) for row in tx.execute(query)]


def repeats_of(tx: Tx, message_id: UUID) -> dict[int, Repeats]:
    """Return for each event of a message that was repeated how often and when last, by its id."""
    query = (
        select(events.c.repeat_of, func.count().label("times"), func.max(events.c.occurred_at).label("last_at"))
        .where(events.c.message_id == message_id, events.c.repeat_of.is_not(None))
        .group_by(events.c.repeat_of)
    )
    return {row.repeat_of: Repeats(row.times, row.last_at) for row in tx.execute(query)}


def of_messages(tx: Tx, message_ids: Collection[UUID]) -> dict[UUID, list[Event]]:
    """Return all events of each of these messages, oldest first, repeats included."""
    found: dict[UUID, list[Event]] = {id: [] for id in message_ids}
    known = Ids.known(tx, message_ids)
    for row in select_by_ids(tx, events, NAMES, message_ids, by="message_id"):
        event = read_plain(row, known)
        assert event.message_id is not None
        found[event.message_id].append(event)
    return found


def by_ids(tx: Tx, ids: Collection[int]) -> list[Event]:
    """Return these events, in order of their ids; those that do not exist are left out."""
    known = Ids()
    rows = select_by_numbers(tx, events, NAMES, ids)
    return sorted((read_plain(row, known) for row in rows), key=lambda event: event.id)


def judgements_of(tx: Tx, ids: Collection[int]) -> dict[int, tuple[str, str, tuple[str, ...]]]:
    """Return verdict, confidence and reasons of these events by their ids, as words: thousands are compared at a time.

    Empty words stand for what an event has not.
    """
    rows = select_by_numbers(tx, events, ("id", "verdict", "confidence", "reasons"), ids)
    return {id: (verdict or "", confidence or "", read_words(reasons)) for id, verdict, confidence, reasons in rows}


def correct(tx: Tx, facts: Sequence[Event]) -> None:
    """Bring what the judge says of these events to what stands in them. Nothing else changes."""
    as_plain = plain(tx)
    update_many(tx, events, JUDGED, [judged_row(event, as_plain) for event in facts])


def fold(tx: Tx, facts: Sequence[Event]) -> None:
    """Bring which others these events repeat to what stands in them. Nothing else changes.

    Apart from `correct`, because an update that names the column writes two indexes anew.
    """
    update_many(tx, events, ("repeat_of",), [(event.repeat_of, event.id) for event in facts])


def latest_of(tx: Tx, message_id: UUID, kind: EventKind, *, limit: int = 50) -> list[Event]:
    """Return the newest events of one kind for one message, newest first; what repeats are folded against."""
    query = (
        select(events)
        .where(events.c.message_id == message_id, events.c.kind == kind)
        .order_by(events.c.id.desc())
        .limit(limit)
    )
    return [event_of(row) for row in tx.execute(query)]


class First(NamedTuple):
    """The few columns of an event that later hits are compared with. `occurred_us`: microseconds since the epoch;
    `about`: of a site visit, what was looked at."""

    id: int
    message_id: UUID
    kind: EventKind
    link: int | None
    verdict: Verdict | None
    occurred_us: int
    about: str = ""


_FIRST_COLUMNS = ("id", "message_id", "kind", "link", "verdict", "occurred_at")
# Looked up a hundred thousand times a second, where calling the enums would take twenty times as long.


def firsts_of(
    tx: Tx, kind: EventKind, message_ids: Collection[UUID], *, span: tuple[int, int] | None = None
) -> list[First]:
    """Return the events of one kind and these messages that repeat nothing, each message's in order of time.

    `span` leaves out what occurred outside of it (first and last microsecond since the epoch). The index has the time,
    so that a link which has been followed every minute for years costs no more than a new one.
    """
    condition = f"repeat_of IS NULL AND kind = '{kind.value}'"
    if span is not None:
        condition += f" AND occurred_at BETWEEN {span[0]:d} AND {span[1]:d}"
    rows = select_by_ids(
        tx, events, _FIRST_COLUMNS, message_ids, by="message_id", where=condition, order="occurred_at, id"
    )
    known = Ids.known(tx, message_ids)
    return [
        First(id, known[message_id], KINDS[kind], link, VERDICTS[verdict], occurred_us)
        for id, message_id, kind, link, verdict, occurred_us in rows
    ]


def first_visits_of(
    tx: Tx, message_ids: Collection[UUID], about: Callable[[str, Mapping[str, object]], str], *, since: datetime
) -> list[First]:
    """Return the site visits of these messages since a moment that repeat nothing, each message's in order of time;
    `about` says from URL and detail what each is about."""
    columns = [events.c[name] for name in _FIRST_COLUMNS]
    visited = (events.c.kind == EventKind.VISITED, events.c.repeat_of.is_(None), events.c.occurred_at >= since)
    return [
        First(*row[:5], to_microseconds(row.occurred_at), about(row.url, row.detail))
        for portion in in_portions(message_ids)
        for row in tx.execute(
            select(*columns, events.c.url, events.c.detail)
            .where(events.c.message_id.in_(portion), *visited)
            .order_by(events.c.occurred_at, events.c.id)
        )
    ]


def seconds_of_visits(tx: Tx, message_id: UUID) -> dict[int, int]:
    """Return for how many seconds the pages of a message's site visits were looked at, by the first event of each."""
    query = (
        select(events.c.id, events.c.repeat_of, events.c.detail)
        .where(events.c.message_id == message_id, events.c.kind == EventKind.VISITED)
        .order_by(events.c.id)
        .limit(_VISITS_READ)
    )
    found: dict[int, int] = {}
    for row in tx.execute(query):
        if (seconds := row.detail.get("seconds")) is not None:
            first = row.repeat_of or row.id
            found[first] = max(found.get(first, 0), int(seconds))
    return found


_VISITS_READ = 5000  # of one message; whoever reloads a page for ever costs no more than that


def after(tx: Tx, event_id: int, *, limit: int, received_before: datetime | None = None) -> list[Event]:
    """Return events in order from the one behind `event_id`, up to the first that was received too late."""
    query = select(events).where(events.c.id > event_id).order_by(events.c.id).limit(limit)
    if received_before is not None:
        query = query.where(events.c.received_at < received_before)
    return [event_of(row) for row in tx.execute(query)]


def firsts_between(tx: Tx, after_id: int, upto: int, kinds: Collection[EventKind], *, limit: int) -> list[Event]:
    """Return events of these kinds that repeat nothing, behind one id up to another, in order."""
    wanted = (events.c.id > after_id, events.c.id <= upto, events.c.repeat_of.is_(None), events.c.kind.in_(kinds))
    return [event_of(row) for row in tx.execute(select(events).where(*wanted).order_by(events.c.id).limit(limit))]


def after_or_among(tx: Tx, event_id: int, missing: Collection[int], *, limit: int) -> list[Event]:
    """Return events behind `event_id` and those of the `missing` ids that exist by now, in order, `limit` at most."""
    wanted = events.c.id > event_id
    if missing:
        wanted = or_(wanted, events.c.id.in_(list(missing)))
    return [event_of(row) for row in tx.execute(select(events).where(wanted).order_by(events.c.id).limit(limit))]


def latest(tx: Tx, *, limit: int, kinds: Sequence[EventKind] = (), repeats: bool = False) -> list[Event]:
    """Return the newest events, newest first. What was judged anew is no news; it stands with the event itself."""
    query = select(events).where(events.c.kind != EventKind.CORRECTED).order_by(events.c.id.desc()).limit(limit)
    if kinds:
        query = query.where(events.c.kind.in_(kinds))
    if not repeats:
        query = query.where(events.c.repeat_of.is_(None))
    return [event_of(row) for row in tx.execute(query)]


@dataclass(frozen=True, slots=True)
class Headline:
    """What a feed shows of an event's mail: its subject, and how many recipients the submission had."""

    subject: str
    recipients: int


def headlines(tx: Tx, facts: Collection[Event]) -> dict[int, Headline]:
    """Return the headlines of these events by event id; two statements, whatever their number."""
    of_submission = {
        row.id: Headline(row.subject, row.recipients)
        for portion in in_portions({event.submission_id for event in facts if event.submission_id is not None})
        for row in tx.execute(
            select(submissions.c.id, submissions.c.recipients, contents.c.subject)
            .join(contents, contents.c.id == submissions.c.content_id)
            .where(submissions.c.id.in_(portion))
        )
    }
    of_message = {
        row.id: row.subject
        for portion in in_portions({event.message_id for event in facts if event.message_id is not None})
        for row in tx.execute(select(messages.c.id, messages.c.subject).where(messages.c.id.in_(portion)))
    }
    found: dict[int, Headline] = {}
    for event in facts:
        group = of_submission.get(event.submission_id) if event.submission_id is not None else None
        subject = of_message.get(event.message_id) if event.message_id is not None else None
        if group is not None or subject is not None:
            group = group or Headline("", 1)
            found[event.id] = Headline(group.subject if subject is None else subject, group.recipients)
    return found


def last_id(tx: Tx) -> int:
    """Return the id of the newest fact, 0 when there is none."""
    return tx.execute(select(func.max(events.c.id))).scalar_one() or 0


def every(tx: Tx, *, batch: int = 1000) -> Iterator[list[Event]]:
    """Yield all facts in order, in batches: what a rebuild replays."""
    position = 0
    while rows := after(tx, position, limit=batch):
        yield rows
        position = rows[-1].id
