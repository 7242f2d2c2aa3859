"""Settling: hits are judged once more, together, when the windows around them have closed; then they are forgotten.

A click is pending until then. Whatever comes later on the same mail judges its earlier hits again, for as long as their
evidence is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from resonanz.ingest.corrections import Correction, correct
from resonanz.ingest.judge import Judgement, place_allowed
from resonanz.ingest.judging import Found, Judging, judge_rows
from resonanz.ingest.shadow import count_in_shadow
from resonanz.model import Event, to_microseconds
from resonanz.store import Database, Tx
from resonanz.store import events as event_store
from resonanz.store import evidence as store
from resonanz.store.bulk import WORDS
from resonanz.store.messages import lock
from resonanz.store.standings import lock_standings

# Hits, with all others on the same mails: a transaction of about the time that taking a batch over takes.
AT_A_TIME = 4_000


def settle(database: Database, judging: Judging, *, now: Callable[[], datetime], limit: int = AT_A_TIME) -> int:
    """Judge what is due, in one transaction, and return how many hits that were; 0 when there is nothing.

    Raises TemporaryFailure when the database cannot be used: nothing is lost, call again. Two workers may do this at
    once; the one that comes later finds nothing to change.
    """
    moment = now()
    with database.read() as tx:
        messages = store.due(tx, to_microseconds(moment), limit=limit)
    if not messages:
        return 0
    with database.write() as tx:
        return max(judge_messages(tx, messages, judging, moment).settled, 1)


def forget(database: Database, judging: Judging, *, now: Callable[[], datetime]) -> int:
    """Delete evidence that nobody needs any more. Returns how many hits' there was; call again while there is some."""
    with database.write() as tx:
        return store.forget(tx, to_microseconds(now()) - judging.kept_for_us)


class Judged(NamedTuple):
    """What became of the kept hits on some messages: which verdicts changed, and how many were due."""

    corrections: list[Correction]
    settled: int


def judge_messages(
    tx: Tx, message_ids: Collection[UUID], judging: Judging, now: datetime, *, since_us: int | None = None
) -> Judged:
    """Judge the kept hits on these messages together and write what changes. Returns what did.

    Hits that came in too long ago for others to touch them are left as they are, unless `since_us` names the moment
    from which on they are judged anew.
    """
    lock(tx, message_ids)
    rows = store.of_messages(tx, message_ids)
    now_us = to_microseconds(now)
    oldest = now_us - judging.windows.open_for if since_us is None else since_us
    open_ids = [row.id for row in rows if row.due_us is not None or row.received_us >= oldest]
    found = judge_rows(tx, rows, judging, now_us)
    stand = event_store.judgements_of(tx, open_ids)
    changed = [id for id, stands in stand.items() if stands != _as_words(found[id][1])]
    corrections = [_correction(event, found, judging) for event in event_store.by_ids(tx, changed)]
    correct(tx, corrections, lock_standings(tx, _messages_of(corrections)), now)
    count_in_shadow(tx, rows, [row.id for row in rows if row.due_us is not None], found, judging, now_us)
    settled = [row.id for row in rows if row.due_us is not None and row.due_us <= now_us]
    store.judged(tx, settled)
    return Judged(corrections, len(settled))


def _as_words(said: Judgement) -> tuple[str | None, str | None, tuple[str, ...]]:
    return WORDS[said.verdict], WORDS[said.confidence], said.reasons


def _messages_of(corrections: Collection[Correction]) -> set[UUID]:
    return {fix.event.message_id for fix in corrections if fix.event.message_id is not None}


def _correction(event: Event, found: Found, judging: Judging) -> Correction:
    hit, said = found[event.id]
    place = judging.place_of(hit.address) if place_allowed(hit, said) else None
    return Correction(event, said, place, hit.network.kind if hit.network is not None else None)
