"""Which facts become deliveries for one endpoint.

An endpoint is told of an event once, as soon as it is of a type and a side that it asked for: a click that was
`pending` when it came in is told when it has become a person's. What repeats an event is never told. When the verdict
on an event changes that it was told of, it is told so by `event.corrected`, whatever the verdict is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from resonanz.model import Event, EventKind, new_id
from resonanz.notify.webhooks.payload import correction, judgement
from resonanz.notify.webhooks.telling import Surroundings, look_around
from resonanz.notify.webhooks.types import CORRECTED, TYPES, name_of
from resonanz.store import Tx, events
from resonanz.store.webhook_deliveries import DeliveryRow, last_told
from resonanz.store.webhook_endpoints import EndpointRow

KEPT = timedelta(days=30)  # how long ended deliveries stay, and with them what an endpoint was told
# What was received longer ago is not brought up by a correction: nobody could tell any more whether it had been told.
_BROUGHT_UP = KEPT - timedelta(days=2)


def read_kinds(endpoint: EndpointRow) -> frozenset[EventKind]:
    """Return the kinds of facts that may concern an endpoint: also corrections, where it is told of judged events."""
    kinds = {TYPES[name].kind for name in endpoint.types if name in TYPES}
    return frozenset(kinds | {EventKind.CORRECTED} if _judged(endpoint) else kinds)


def choose(tx: Tx, endpoint: EndpointRow, facts: Sequence[Event], now: datetime) -> list[DeliveryRow]:
    """Return what an endpoint is to be told for these facts, in their order; six statements at most."""
    scene = _look(tx, endpoint, facts, now)
    chosen: list[DeliveryRow] = []
    for fact in facts:
        if fact.kind is EventKind.CORRECTED:
            chosen += _for_correction(scene, fact, now)
        elif scene.wants(fact):
            chosen.append(_first_telling(scene, fact, fact, now))
    return chosen


@dataclass(slots=True)
class _Scene:
    """What has to be known to choose. `told` grows: the verdict told last by the event's id."""

    endpoint: EndpointRow
    around: Surroundings
    told: dict[int, str]
    brought_up: dict[int, list[Event]]  # by the id of the correction

    def wants(self, event: Event) -> bool:
        """Whether an endpoint is to be told of an event that it was not told of yet."""
        endpoint = self.endpoint
        return (
            name_of(event.kind) in endpoint.types
            and event.repeat_of is None
            and event.id > endpoint.begins_after
            and event.id not in self.told
            and (event.verdict is None or event.verdict.who in endpoint.who)
            and self.may_tell(event)
        )

    def may_tell(self, event: Event) -> bool:
        """Whether an event may be told, and is of mail that concerns the endpoint."""
        is_theirs = self.endpoint.all_mail or self.around.accounts.get(event.id) == self.endpoint.account_id
        return is_theirs and event.id in self.around.tellable


def _look(tx: Tx, endpoint: EndpointRow, facts: Sequence[Event], now: datetime) -> _Scene:
    corrections = [fact for fact in facts if fact.kind is EventKind.CORRECTED]
    of_messages = _firsts(tx, endpoint, corrections)
    brought_up = {
        fact.id: [
            event
            for event in of_messages
            if event.message_id == fact.message_id and event.id < fact.id and event.received_at > now - _BROUGHT_UP
        ]
        for fact in corrections
    }
    about = {_corrected(fact) for fact in corrections} | {event.id for event in of_messages} | {f.id for f in facts}
    every = {event.id: event for event in (*facts, *of_messages)}
    return _Scene(endpoint, look_around(tx, list(every.values())), last_told(tx, endpoint.id, about), brought_up)


def _firsts(tx: Tx, endpoint: EndpointRow, corrections: Iterable[Event]) -> list[Event]:
    """Return the events that corrections may bring up: of the same mails, repeating nothing, in order of their ids.

    Not the corrected event alone: when a machine's fetch turns out to be one, what a person did afterwards is no repeat
    of it any more.
    """
    mails = {fact.message_id for fact in corrections if fact.message_id is not None}
    found = [
        first.id
        for kind in sorted(TYPES[name].kind for name in _judged(endpoint))
        for first in (events.firsts_of(tx, kind, mails) if mails else [])
        if first.verdict is not None and first.verdict.who in endpoint.who
    ]
    return events.by_ids(tx, found)


def _for_correction(scene: _Scene, fact: Event, now: datetime) -> list[DeliveryRow]:
    chosen: list[DeliveryRow] = []
    corrected = _corrected(fact)
    before = scene.told.get(corrected)
    if before is not None and before != (fact.verdict or "") and scene.may_tell(fact):
        scene.told[corrected] = fact.verdict or ""
        if CORRECTED in scene.endpoint.types:
            chosen.append(_delivery(scene, fact, corrected, CORRECTED, correction(fact, before), now))
    chosen += [_first_telling(scene, event, fact, now) for event in scene.brought_up[fact.id] if scene.wants(event)]
    return chosen


def _first_telling(scene: _Scene, event: Event, because: Event, now: datetime) -> DeliveryRow:
    scene.told[event.id] = event.verdict or ""
    found = TYPES[name_of(event.kind)]
    told = judgement(event) if found.is_judged else {}
    return _delivery(scene, because, event.id, found.name, told, now)


def _delivery(
    scene: _Scene, because: Event, about: int, type: str, told: Mapping[str, object], now: datetime
) -> DeliveryRow:
    return DeliveryRow(new_id(), scene.endpoint.id, because.id, about, type, created_at=now, due_at=now, told=told)


def _corrected(fact: Event) -> int:
    return int(str(fact.detail["event"]))


def _judged(endpoint: EndpointRow) -> list[str]:
    return [name for name in endpoint.types if name in TYPES and TYPES[name].is_judged]
