"""Writing facts down: the one place where an event enters the database, with everything derived from it.

Use one `record` or `record_all` per transaction: it takes its locks in one order (messages, contacts, submissions,
rollup; the tallies of submissions at the transaction's very end), and two in a row could wait for another transaction
that does the same the other way round (PostgreSQL then ends one of them with TemporaryFailure).

What an event's `detail` may hold that is acted upon:

- `reply`: what the other server said; shown beside the message's state.
- `bounce`: `hard` (the address does not exist) or `soft`; a hard one suppresses the address, and so do five soft ones
  in a row.
- `uncertain`: with `failed`, that the mail may have gone out all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from resonanz.ingest.corrections import confirm_by_replies
from resonanz.ingest.projections import COUNTED, NOTHING, apply, count_buckets, nameless
from resonanz.ingest.softly import Step, follow, step_of
from resonanz.mail.address import parse_address
from resonanz.model import Event, EventKind, InvalidInput, to_microseconds
from resonanz.people import Reason, is_pseudonym, suppress, without_person
from resonanz.store import Tx, rollup
from resonanz.store import events as store
from resonanz.store.messages import add_anonymous
from resonanz.store.standings import Standing, lock_standings, save_counts, save_standings
from resonanz.store.tallying import moves
from resonanz.store.wanted import Action, note


def record(tx: Tx, event: Event) -> Event | None:
    """Write one fact and everything derived from it. Returns it with its id, or None when its source key is known."""
    return next(iter(record_all(tx, [event])), None)


def record_all(tx: Tx, events: Sequence[Event]) -> list[Event]:
    """Write facts and everything derived from them, in their order. Returns those that were new, with their ids."""
    standings = lock_standings(tx, {event.message_id for event in events if event.message_id is not None})
    ids = store.reserve_ids(tx, len(events))
    return write_facts(tx, [replace(event, id=id) for event, id in zip(events, ids, strict=True)], standings)


def write_facts(tx: Tx, events: Sequence[Event], standings: Mapping[UUID, Standing]) -> list[Event]:
    """Write facts that have their ids, given the locked standings of their messages; what `record_all` ends with."""
    if any(standing.contact_id is None for standing in standings.values()):
        events = [_without_person(event, standings) for event in events]
    store.add_events(tx, [event for event in events if not event.source_key])
    new = [event for event in events if not event.source_key or store.add_event_once(tx, event)]
    given_up = follow(tx, _project_messages(tx, new, standings))
    _project_submissions(tx, new)
    _project_rollup(tx, new)
    _suppress(tx, new, given_up)
    confirm_by_replies(tx, new, standings)
    _tell_senders(tx, new)
    return new


def _without_person(event: Event, standings: Mapping[UUID, Standing]) -> Event:
    """Leave out of a fact about an erased contact's message what could name them: it came in after the erasure."""
    standing = standings.get(event.message_id) if event.message_id is not None else None
    if standing is None or standing.contact_id is not None:
        return event
    return replace(event, recipient=standing.recipient, url="", place=None, detail=without_person(event.detail))


def _project_messages(tx: Tx, events: Sequence[Event], standings: Mapping[UUID, Standing]) -> list[Step]:
    """Bring messages to where these events lead. Returns what that means for their contacts' runs of soft bounces."""
    moved: dict[int, Standing] = {}  # by the numbers of their ids, whose hashes cost a fifth of the ids' own
    counted: dict[int, Standing] = {}
    steps: list[Step] = []
    for event in events:
        standing = standings.get(event.message_id) if event.message_id is not None else None
        if standing is None or (change := apply(standing, event)) == NOTHING:
            continue
        if change == COUNTED:
            counted[standing.id.int] = standing
            continue
        moved[standing.id.int] = standing
        if (step := step_of(standing, event)) is not None:
            steps.append(step)
    # Rows that lie side by side are written side by side.
    save_standings(tx, [moved[number] for number in sorted(moved)])
    save_counts(tx, [counted[number] for number in sorted(counted.keys() - moved.keys())])
    return steps


def _project_submissions(tx: Tx, events: Sequence[Event]) -> None:
    gathered = moves(tx)
    opens, clicks = Counter[UUID](), Counter[UUID]()
    for event in nameless(events):
        assert event.submission_id is not None
        moment_us = to_microseconds(event.occurred_at)
        if event.kind is EventKind.OPENED:
            opens[event.submission_id] += 1
            gathered.add_open(event.submission_id, moment_us)
        else:
            clicks[event.submission_id] += 1
            gathered.add_click(event.submission_id, moment_us, event.link)
    for submission_id in sorted({*opens, *clicks}):
        add_anonymous(tx, submission_id, opens=opens[submission_id], clicks=clicks[submission_id])


def _project_rollup(tx: Tx, events: Sequence[Event]) -> None:
    rollup.count(tx, count_buckets(events))


# ── Suppression: an act, not a projection; a rebuild must not undo what a person restored since ─────────────────────


def _suppress(tx: Tx, events: Sequence[Event], given_up: Mapping[str, Event]) -> None:
    """Suppress addresses in their order, as every transaction does. A first reason stays."""
    wanted: dict[str, tuple[Reason, Event]] = {}
    for event in events:
        reason = _reason_to_suppress(event)
        address = _normalised(event.recipient) if reason is not None else None
        if reason is not None and address is not None:
            wanted.setdefault(address, (reason, event))
    for address, event in given_up.items():
        wanted.setdefault(address, (Reason.SOFT_BOUNCED, event))
    for address in sorted(wanted):
        reason, event = wanted[address]
        note = str(event.detail.get("reply", ""))
        suppress(tx, address, reason, now=event.occurred_at, source=event.source, note=note)


_TO_TELL = {
    EventKind.BOUNCED: Action.FAILED,
    EventKind.FAILED: Action.FAILED,
    EventKind.SUPPRESSED: Action.FAILED,
    EventKind.DELIVERED: Action.DELIVERED,
}


def _tell_senders(tx: Tx, events: Sequence[Event]) -> None:
    """Note what senders asked to be told; the worker writes to them (`sending.returns`). Of a mail that may have gone
    out when its worker died there is nothing to tell yet."""
    told: dict[Action, list[UUID]] = {}
    for event in events:
        action = _TO_TELL.get(event.kind)
        if action and event.message_id and not event.detail.get("uncertain"):
            told.setdefault(action, []).append(event.message_id)
    for action in sorted(told):
        note(tx, action, sorted(told[action]))


def _reason_to_suppress(event: Event) -> Reason | None:
    """A repeat counts here: who unsubscribes again had been put back on the list meanwhile."""
    match event.kind:
        case EventKind.BOUNCED if event.detail.get("bounce") == "hard":
            return Reason.BOUNCED
        case EventKind.COMPLAINED:
            return Reason.COMPLAINED
        case EventKind.UNSUBSCRIBED:
            return Reason.UNSUBSCRIBED
        case _:
            return None


def _normalised(recipient: str) -> str | None:
    """Return the address as the list keeps it. An erased recipient has none."""
    try:
        address = parse_address(recipient).normalised
    except InvalidInput:
        return None
    return None if is_pseudonym(address) else address
