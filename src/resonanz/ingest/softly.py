"""Soft bounces in a row: an address whose mail comes back again and again, with nothing arriving between, is given up.

The count is a projection with the contact. It grows when a message to its address bounces softly, and is back at zero
when one arrives. That the address is suppressed at `SOFT_BOUNCES` is an act and stays, as with every suppression.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from resonanz.ingest.projections import MOVED, apply
from resonanz.mail.address import parse_address
from resonanz.model import Event, InvalidInput, MessageState
from resonanz.store import Database, Tx
from resonanz.store import events as event_store
from resonanz.store.softly import Run, lock_runs, may_be_running, messages_of, running, save_runs
from resonanz.store.standings import Standing, blank, lock_standings

SOFT_BOUNCES = 5  # in a row

_CONTACTS_AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class Step:
    """That a message to a contact arrived, or came back softly; by the event that took it there."""

    contact_id: UUID
    event: Event
    arrived: bool


def step_of(standing: Standing, event: Event) -> Step | None:
    """Return what an event that has just moved a message means for its contact's run."""
    if standing.contact_id is None:
        return None
    if standing.state is MessageState.DELIVERED:
        return Step(standing.contact_id, event, arrived=True)
    if standing.state is MessageState.BOUNCED and event.detail.get("bounce") == "soft":
        return Step(standing.contact_id, event, arrived=False)
    return None


def follow(tx: Tx, steps: Iterable[Step]) -> dict[str, Event]:
    """Let runs grow and end by these steps, in their order. Returns the addresses that are to be given up, each with
    the event that was one too many."""
    by_contact: defaultdict[UUID, list[Step]] = defaultdict(list)
    for step in steps:
        by_contact[step.contact_id].append(step)
    only_arrived = {id for id, theirs in by_contact.items() if all(step.arrived for step in theirs)}
    # An arrival is everyday and mostly ends nothing: only who is in a run, or comes into one, is written.
    concerned = (by_contact.keys() - only_arrived) | running(tx, only_arrived)
    given_up: dict[str, Event] = {}
    counts: dict[UUID, int] = {}
    for run in lock_runs(tx, concerned):
        counts[run.contact_id] = count = run.count
        for step in by_contact[run.contact_id]:
            counts[run.contact_id] = count = _next(run, count, step)
            if count >= SOFT_BOUNCES and not step.arrived:
                given_up.setdefault(run.address, step.event)
    save_runs(tx, counts)
    return given_up


def rebuild_runs(database: Database) -> int:
    """Recompute every run from the facts. Returns how many were not as the facts say. Raises TemporaryFailure."""
    with database.read() as tx:
        ids = may_be_running(tx)
    changed = 0
    for start in range(0, len(ids), _CONTACTS_AT_A_TIME):
        with database.write() as tx:
            portion = ids[start : start + _CONTACTS_AT_A_TIME]
            # Messages before contacts, as recording locks them.
            standings = lock_standings(tx, messages_of(tx, portion))
            stored = {run.contact_id: run for run in lock_runs(tx, portion)}
            counted = _replay(stored, standings, event_store.of_messages(tx, standings.keys()))
            wrong = {id: count for id, count in counted.items() if count != stored[id].count}
            save_runs(tx, wrong)
        changed += len(wrong)
    return changed


def _replay(
    runs: Mapping[UUID, Run], standings: Mapping[UUID, Standing], facts: Mapping[UUID, list[Event]]
) -> dict[UUID, int]:
    fresh = {id: blank(standing) for id, standing in standings.items()}
    counts = dict.fromkeys(runs, 0)
    for event in sorted((event for of_one in facts.values() for event in of_one), key=lambda event: event.id):
        assert event.message_id is not None
        standing = fresh[event.message_id]
        if apply(standing, event) != MOVED or (step := step_of(standing, event)) is None:
            continue
        run = runs.get(step.contact_id)
        if run is not None and (run.since is None or event.received_at > run.since):
            counts[run.contact_id] = _next(run, counts[run.contact_id], step)
    return counts


def _next(run: Run, count: int, step: Step) -> int:
    """A mail to an address that the contact had before says nothing about the one they have."""
    try:
        address = parse_address(step.event.recipient).normalised
    except InvalidInput:
        return count
    if address != run.address:
        return count
    return 0 if step.arrived else count + 1
