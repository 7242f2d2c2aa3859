"""Recomputing every projection from the facts, while everything else goes on.

Messages are replayed in batches, each under its own short lock; then each submission's are counted. The totals are
counted in portions first; one last transaction, in which nobody else counts, adds what came in meanwhile and replaces
what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from resonanz.ingest.projections import apply
from resonanz.ingest.softly import rebuild_runs
from resonanz.model import Event, MessageState
from resonanz.store import Database
from resonanz.store import events as store
from resonanz.store.standings import Standing, blank, lock_standings, next_ids, save_standings
from resonanz.store.tallies import next_counted, recount
from resonanz.store.totals import Totals, add_totals, lock_totals, replace_totals, settled_id

_MESSAGES_AT_A_TIME = 500
_FACTS_AT_A_TIME = 200_000

# States that sending sets by itself while it works; the facts only know what came before and what will come after.
_WHILE_SENDING = frozenset({MessageState.SENDING, MessageState.UNCERTAIN})
_BEFORE_SENT = frozenset({MessageState.QUEUED, MessageState.DEFERRED})


@dataclass(frozen=True, slots=True)
class Summary:
    """What a rebuild went through, and how much of it was not as the facts say."""

    messages: int
    messages_changed: int
    submissions_changed: int
    buckets_changed: int
    contacts_changed: int

    def __str__(self) -> str:
        return (
            f"{self.messages} messages replayed; {self.messages_changed} messages, {self.submissions_changed} "
            f"submissions, {self.buckets_changed} counts and {self.contacts_changed} contacts were not as the facts "
            "say, and are now"
        )


def rebuild(database: Database) -> Summary:
    """Recompute every projection. Safe while mail is sent and hits come in. Raises TemporaryFailure; run it again."""
    messages, changed = _rebuild_messages(database)
    recounted = _rebuild_tallies(database)
    without_names, buckets_changed = _rebuild_totals(database)
    contacts_changed = rebuild_runs(database)
    return Summary(messages, changed, len(recounted | without_names), buckets_changed, contacts_changed)


# ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rebuild_messages(database: Database) -> tuple[int, int]:
    messages = changed = 0
    last: UUID | None = None
    while True:
        with database.write() as tx:
            ids = next_ids(tx, last, limit=_MESSAGES_AT_A_TIME)
            if not ids:
                return messages, changed
            stored = lock_standings(tx, ids)
            replayed = [replay(stored[id], facts) for id, facts in store.of_messages(tx, ids).items()]
            wrong = [standing for standing in replayed if standing != stored[standing.id]]
            save_standings(tx, wrong)
        messages += len(ids)
        changed += len(wrong)
        last = ids[-1]


def replay(stored: Standing, facts: Sequence[Event]) -> Standing:
    """Return how a message stands by its facts alone, given in order of their ids."""
    standing = blank(stored)
    for fact in facts:
        apply(standing, fact)
    if standing.state in _BEFORE_SENT and stored.state in _WHILE_SENDING:
        standing.state, standing.state_at, standing.state_note = stored.state, stored.state_at, stored.state_note
    return standing


# ── Tallies ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rebuild_tallies(database: Database) -> set[UUID]:
    """Count the messages of each submission that has tallies. Returns those of which something was wrong."""
    wrong: set[UUID] = set()
    last: UUID | None = None
    while True:
        with database.read() as tx:
            ids = next_counted(tx, last, limit=_MESSAGES_AT_A_TIME)
        if not ids:
            return wrong
        for id in ids:
            with database.write() as tx:
                if recount(tx, id):
                    wrong.add(id)
        last = ids[-1]


# ── Totals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rebuild_totals(database: Database) -> tuple[set[UUID], int]:
    with database.write() as tx:
        settled = settled_id(tx)
    totals = Totals()
    for start in range(0, settled, _FACTS_AT_A_TIME):
        with database.read() as tx:
            add_totals(tx, totals, after=start, upto=min(start + _FACTS_AT_A_TIME, settled))
    with database.write() as tx:
        lock_totals(tx)
        add_totals(tx, totals, after=settled)
        return replace_totals(tx, totals)
