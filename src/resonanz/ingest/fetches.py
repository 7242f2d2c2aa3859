"""Opens and clicks that others have counted: judged, folded and recorded by the same steps as our own edge's hits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from resonanz.ingest.journals import Outcome, Taking, look_around, take_hit
from resonanz.ingest.record import write_facts
from resonanz.model import Event, Hit, JournalEntry
from resonanz.store import Tx
from resonanz.store import events as store
from resonanz.store.aside import keep_aside
from resonanz.store.evidence import keep


@dataclass(frozen=True, slots=True)
class Fetch:
    """One open or click as a hit, and its name within its source, for ever."""

    hit: Hit
    source_key: str


def record_fetches(tx: Tx, fetches: Sequence[Fetch], *, source: str, taking: Taking, now: datetime) -> list[Event]:
    """Record what is new of these. Returns its events; what the recipient does not allow leaves none."""
    new = [one for one in fetches if not store.has_event(tx, source, one.source_key)]
    if not new:
        return []
    around = look_around(tx, [JournalEntry(source, 0, one.hit) for one in new], taking, now)  # locks before ids
    outcome = Outcome()
    ids = store.reserve_ids(tx, len(new))
    keys = {id: one.source_key for id, one in zip(ids, new, strict=True)}
    for id, one in zip(ids, new, strict=True):
        take_hit(JournalEntry(source, id, one.hit), id, around, now, outcome)
    events = [replace(event, source=source, source_key=keys[event.id]) for event in outcome.events]
    written = write_facts(tx, events, around.standings)
    keep_aside(tx, outcome.aside)
    recorded = {event.id for event in written}
    keep(tx, [kept for kept in outcome.evidence if kept.id in recorded])
    return written
