"""Taking the journals over: batches of hits become events, once each, and leave the journal when they are safe.

Facts and the journal's cursor are written in one transaction. A crash before its end leaves the batch to be read again;
a crash after it leaves entries that the cursor has passed, which nobody reads again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from resonanz.accounts.instance import own_sites
from resonanz.ingest import metrics
from resonanz.ingest.choices import follow_choice
from resonanz.ingest.judge.folding import FOLDED_FOR
from resonanz.ingest.judging import Judging
from resonanz.ingest.own import NOTHING, Own, find_own
from resonanz.ingest.pipeline import STEPS, DropReason, Surroundings, span_folded
from resonanz.ingest.record import write_facts
from resonanz.ingest.sources.edge import EVENT_KINDS, Draft, to_event
from resonanz.ingest.sources.site import about_of
from resonanz.journal import JournalUnavailable, decode, encode, whole_row
from resonanz.model import Event, EventKind, Hit, HitKind, JournalEntry, NotFound, from_microseconds, to_microseconds
from resonanz.people import allowed_among
from resonanz.store import Database, Tx, cursors
from resonanz.store import events as store
from resonanz.store.aside import AsideRow, drop_aside, keep_aside, list_aside
from resonanz.store.evidence import Kept, keep
from resonanz.store.messages import existing_submissions
from resonanz.store.standings import Standing, lock_standings

DEFAULT_BATCH = 2_000

# So many batches of one journal are taken before the next one gets its turn.
_BATCHES_AT_A_TIME = 20

# What a database says of one row that it cannot hold. Everything else is no fault of a hit: it stops the round, and
# the hits stay in the journal.
_REFUSALS = (DataError, IntegrityError, OverflowError, UnicodeError)

_TELL_SECONDS = 60.0
_told_at: dict[str, float] = {}

_log = structlog.get_logger("resonanz.ingest")


Sites = Callable[[Tx], frozenset[str]]


class Reader(Protocol):
    """What is asked of the journals; `resonanz.journal.JournalReader` is one."""

    def journals(self) -> list[str]: ...
    def read(self, journal: str, after: int, limit: int) -> list[JournalEntry]: ...
    def trim(self, journal: str, upto: int) -> None: ...
    def depth(self, journal: str) -> int: ...


@dataclass(slots=True)
class Outcome:
    """What became of one batch."""

    events: list[Event] = field(default_factory=list)
    evidence: list[Kept] = field(default_factory=list)
    dropped: Counter[DropReason] = field(default_factory=Counter)
    aside: list[AsideRow] = field(default_factory=list)


def take_journals(
    database: Database,
    reader: Reader,
    *,
    now: Callable[[], datetime],
    batch: int = DEFAULT_BATCH,
    sites: Sites = own_sites,
    judging: Judging | None = None,
) -> int:
    """Take over what stands in all journals, one round, and return how many hits that were; 0 when there is nothing.

    `sites` tells which sites are the sender's own: of others no visit is recorded. Raises TemporaryFailure when the
    database cannot be used: nothing is lost, call again. A journal that cannot be
    read is logged and left for the next round.
    """
    taking = Taking(database, now, sites, judging or Judging())
    return sum(_take_journal(taking, reader, journal, batch) for journal in reader.journals())


class Taking(NamedTuple):
    """What stays the same while journals are taken over."""

    database: Database
    now: Callable[[], datetime]
    sites: Sites
    judging: Judging


def _take_journal(taking: Taking, reader: Reader, journal: str, batch: int) -> int:
    with taking.database.read() as tx:
        position = cursors.cursor(tx, journal)
    taken = 0
    try:
        for _ in range(_BATCHES_AT_A_TIME):
            entries = reader.read(journal, position, batch)
            if not entries:
                break
            _take_batch(taking, entries)
            position = entries[-1].position
            taken += len(entries)
        if taken or (position and reader.depth(journal)):  # a crash may have left what the cursor has passed
            reader.trim(journal, position)
    except JournalUnavailable as failure:
        _tell_unreadable(journal, failure)
    except NotFound:
        pass  # since it was listed, an edge was started that goes on in its file, and nothing waited in it any more
    return taken


def _tell_unreadable(journal: str, failure: Exception) -> None:
    """Log it, but not again within a minute: rounds follow each other ten times a second."""
    moment = time.monotonic()
    if moment - _told_at.get(journal, -_TELL_SECONDS) >= _TELL_SECONDS:
        _told_at[journal] = moment
        _log.error("ingest.journal_unreadable", journal=journal, error=str(failure))


def _take_batch(taking: Taking, entries: Sequence[JournalEntry]) -> None:
    """Take one batch over in one transaction. If the database refuses a hit in it, halve it until that hit is found."""
    started = time.perf_counter()
    try:
        with taking.database.write() as tx:
            outcome = _write_batch(tx, entries, taking, taking.now())
    except _REFUSALS as error:
        if len(entries) > 1:
            middle = len(entries) // 2
            _take_batch(taking, entries[:middle])
            _take_batch(taking, entries[middle:])
            return
        outcome = Outcome(aside=[_set_aside(entries[0], error, taking.now())])
        with taking.database.write() as tx:
            keep_aside(tx, outcome.aside)
            cursors.move_cursor(tx, entries[0].journal, entries[0].position, taking.now())
    _count(outcome, time.perf_counter() - started, taking.now())


def _write_batch(tx: Tx, entries: Sequence[JournalEntry], taking: Taking, now: datetime) -> Outcome:
    journal = entries[0].journal
    position = cursors.lock_cursor(tx, journal, now)
    fresh = [entry for entry in entries if entry.position > position]
    if not fresh:
        return Outcome()
    outcome = _write_fresh(tx, fresh, taking, now)
    cursors.move_cursor(tx, journal, fresh[-1].position, now)
    return outcome


def _write_fresh(tx: Tx, fresh: Sequence[JournalEntry], taking: Taking, now: datetime) -> Outcome:
    """Turn hits that nobody has taken yet into facts, and keep those aside with which that is not possible."""
    around = look_around(tx, fresh, taking, now)
    outcome = Outcome()
    for entry, id in zip(fresh, store.reserve_ids(tx, len(fresh)), strict=True):
        if take_hit(entry, id, around, now, outcome) and entry.hit.kind is HitKind.PREFERENCES:
            follow_choice(tx, entry.hit, around, now)
    write_facts(tx, outcome.events, around.standings)
    keep(tx, outcome.evidence)
    keep_aside(tx, outcome.aside)
    return outcome


def look_around(tx: Tx, entries: Sequence[JournalEntry], taking: Taking, now: datetime) -> Surroundings:
    named = {entry.hit.id for entry in entries if not entry.hit.anonymous}
    standings = lock_standings(tx, named)
    around = Surroundings(
        standings=standings,
        submissions=existing_submissions(tx, {entry.hit.id for entry in entries if entry.hit.anonymous}),
        allowed=allowed_among(tx, standings.values()),
        sites=taking.sites(tx) if any(entry.hit.kind is HitKind.BEACON for entry in entries) else frozenset(),
        judging=taking.judging,
        received_us=to_microseconds(now),
        own=_find_own(tx, entries, standings, taking.judging, now),
    )
    _find_firsts(tx, entries, around)
    return around


def _find_own(
    tx: Tx, entries: Sequence[JournalEntry], standings: Mapping[UUID, Standing], judging: Judging, now: datetime
) -> Own:
    if judging.own_key is None:
        return NOTHING
    return find_own(tx, (entry.hit for entry in entries), standings, judging.own_key, now)


def _find_firsts(tx: Tx, entries: Sequence[JournalEntry], around: Surroundings) -> None:
    """Put in the earlier events that these hits may repeat: of each kind, of the messages that it happened to."""
    hits: dict[EventKind, list[Hit]] = {}
    for entry in entries:
        if entry.hit.id in around.standings and not entry.hit.anonymous:
            hits.setdefault(EVENT_KINDS[entry.hit.kind], []).append(entry.hit)
    for kind, of_kind in hits.items():
        if kind in FOLDED_FOR:
            for first in _firsts(tx, kind, of_kind):
                around.firsts.setdefault(first.message_id, []).append(first)


def _firsts(tx: Tx, kind: EventKind, hits: Sequence[Hit]) -> list[store.First]:
    ids, span = {hit.id for hit in hits}, span_folded(kind, hits)
    if kind is EventKind.VISITED:
        assert span is not None, "visits are folded within a window"
        return store.first_visits_of(tx, ids, about_of, since=from_microseconds(max(span[0], 0)))
    return store.firsts_of(tx, kind, ids, span=span)


def take_hit(entry: JournalEntry, id: int, around: Surroundings, now: datetime, outcome: Outcome) -> bool:
    """Add the hit's event, or what became of it instead, to the outcome. Returns whether it became an event."""
    try:
        draft = Draft.of(entry.hit, id)
        for step in STEPS:
            dropped = step(draft, around)
            if dropped is not None:
                outcome.dropped[dropped] += 1
                return False
        outcome.events.append(to_event(draft, now))
        if draft.kept is not None:
            outcome.evidence.append(draft.kept)
        return True
    except Exception as error:  # whatever is wrong with this hit, those behind it must not wait for it
        outcome.aside.append(_set_aside(entry, error, now))
        return False


def _set_aside(entry: JournalEntry, error: Exception, now: datetime) -> AsideRow:
    """Keep the hit as it is: it was acknowledged. The log says where it stands and what sort of failure it was; the
    failure's text could quote personal data."""
    _log.error(
        "ingest.hit_set_aside",
        journal=entry.journal,
        position=entry.position,
        kind=entry.hit.kind.value,
        error=type(error).__name__,
    )
    return AsideRow(entry.journal, entry.position, encode([whole_row(entry.hit)]), type(error).__name__, now)


def retry_aside(
    database: Database, *, now: Callable[[], datetime], sites: Sites = own_sites, judging: Judging | None = None
) -> tuple[int, int]:
    """Try the hits that were set aside again; return how many were settled and how many stay.

    For after an upgrade that put right what was wrong. A hit is settled once: it becomes an event, or is dropped as it
    would have been at first.
    """
    taking = Taking(database, now, sites, judging or Judging())
    settled = stay = 0
    after = ("", 0)
    while True:
        with database.read() as tx:
            rows = list_aside(tx, after)
        if not rows:
            return settled, stay
        for row in rows:
            after = (row.journal, row.position)
            done = _retry(taking, row)
            settled, stay = settled + done, stay + (not done)


def _retry(taking: Taking, row: AsideRow) -> bool:
    entry, now = JournalEntry(row.journal, row.position, decode(row.hit)[0]), taking.now()
    try:
        with taking.database.write() as tx:
            if not drop_aside(tx, row.journal, row.position):
                return True
            outcome = _write_fresh(tx, [entry], taking, now)
    except _REFUSALS as error:
        _set_aside(entry, error, now)
        return False
    _count(outcome, 0.0, now)
    return not outcome.aside


def _count(outcome: Outcome, seconds: float, now: datetime) -> None:
    metrics.BATCH_SECONDS.observe(seconds)
    metrics.SET_ASIDE.inc(len(outcome.aside))
    for reason, amount in outcome.dropped.items():
        metrics.DROPPED.labels(reason.value).inc(amount)
    for kind, amount in Counter(event.kind for event in outcome.events).items():
        metrics.TAKEN.labels(kind.value).inc(amount)
    if outcome.events:
        metrics.LAG_SECONDS.observe((now - outcome.events[-1].occurred_at).total_seconds())
