"""Who carries mail out right now: the default transport and the named ones, each with its gate, and the gates of
recipient domains. A worker has one, and brings it up to date from the database every second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from resonanz.sending.gates import PAUSED_SECONDS, Gate
from resonanz.sending.limits import Limit, Share, default_limit, destination_of
from resonanz.sending.queue_control import is_queue_paused
from resonanz.sending.routing import may_end_at_default, routes_for
from resonanz.sending.transports.base import Transport
from resonanz.store import Tx
from resonanz.store.destinations import Destination, list_destinations
from resonanz.store.transports import EVERYBODY, StoredTransport, list_transports
from resonanz.store.workers import list_workers

log = structlog.get_logger(__name__)

MAX_GATES = 10_000
RESTS_SECONDS = (1, 2, 5, 10, 30, 60)  # after the n-th failure in a row to reach the other side

Open = Callable[[StoredTransport], Transport]


@dataclass(eq=False, slots=True)
class Carrier:
    """A transport at work: `gate` says how fast, `rests_until` when it is tried again after it could not be reached."""

    name: str
    transport: Transport
    gate: Gate = field(default_factory=Gate)
    usable: bool = True
    rests: int = 0
    rests_until: float = 0.0
    stored: StoredTransport | None = None
    trouble: str = ""

    def rest(self, now: float) -> float:
        """Hand nothing over for a while: each mail would lose one of its attempts. Returns until when."""
        if self.rests_until <= now:
            self.rests_until = now + RESTS_SECONDS[min(self.rests, len(RESTS_SECONDS) - 1)]
            self.rests += 1
        return self.rests_until

    def answered(self) -> None:
        """It can be reached."""
        self.rests, self.rests_until = 0, 0.0

    def opens_at(self, now: float, *, waited: bool) -> float:
        """When it takes the next mail, in seconds since the epoch; at or before `now`: at once."""
        if not self.usable:
            return now + PAUSED_SECONDS
        return max(self.rests_until, self.gate.opens_at(now, waited=waited))


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says about transports and domains, and who shares their limits."""

    queue_paused: bool
    transports: Sequence[StoredTransport]
    destinations: Sequence[Destination]
    share: Share = Share()  # noqa: RUF009  # holds nothing that changes

    @classmethod
    def read(cls, tx: Tx, worker: str, *, gone_before: datetime) -> Known:
        """Read it, for one of the workers seen since `gone_before`."""
        others = [name for name in list_workers(tx, gone_before=gone_before) if name != worker]
        share = Share(sum(name < worker for name in others), len(others) + 1)
        return cls(is_queue_paused(tx), list_transports(tx), list_destinations(tx), share)


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update changed: transports that are not needed any more, whether mail may go other ways than before,
    whether somebody has set transports anew, and domains that are neither paused nor slow. What was put off for those
    may go now."""

    gone: list[Transport]
    rerouted: bool
    transports_set: bool
    domains_open: list[str]


@dataclass(frozen=True, slots=True)
class Route:
    """The carriers that may take a mail, in order, and the gate of where it goes."""

    carriers: tuple[Carrier, ...]
    destination: str
    gate: Gate

    def carrier(self, now: float) -> Carrier:
        """Return whose turn it is: the first that works; the one that rests least when none does. A carrier whose rest
        is over is tried again, so mail comes back to it when it answers."""
        for carrier in self.carriers:
            if carrier.usable and carrier.rests_until <= now:
                return carrier
        return min(self.carriers, key=lambda one: (not one.usable, one.rests_until))

    def waits(self, now: float, *, waited: bool) -> tuple[float, Gate, str]:
        """Return when the next mail may go, the gate that it stands at, and the word for that."""
        carrier = self.carrier(now)
        by_carrier, by_domain = carrier.opens_at(now, waited=waited), self.gate.opens_at(now, waited=waited)
        if by_carrier >= by_domain:
            return by_carrier, carrier.gate, f"transport {carrier.name}"
        return by_domain, self.gate, f"domain {self.destination}"


class Directory:
    """Every carrier and gate of one worker. Used in its event loop only."""

    def __init__(self, default: Transport, open_named: Open | None) -> None:
        self._default = Carrier("default", default)
        self._open = open_named
        self._named: dict[UUID, Carrier] = {}
        self._stored: tuple[StoredTransport, ...] = ()
        self._gates: dict[str, Gate] = {}
        self._known: dict[str, Destination] = {}
        self._share = Share()
        self.queue_paused = False

    @property
    def carriers(self) -> list[Carrier]:
        """All of them, the default one first."""
        return [self._default, *self._named.values()]

    def update(self, known: Known) -> Changes:
        """Take over what the database says; return what is different."""
        self.queue_paused = known.queue_paused
        if known.share != self._share:
            self._divide(known.share)
        is_changed = self._open is not None and tuple(known.transports) != self._stored
        is_reset = is_changed and _as_set(known.transports) != _as_set(self._stored)
        gone = self._update_named(self._open, known.transports) if is_changed and self._open else []
        opened: list[str] = []
        for destination in known.destinations:
            if self._known.get(destination.domain) != destination:
                self._set(self.gate(destination.domain), destination)
                opened += [] if destination.paused or destination.slow_until else [destination.domain]
        self._known = {one.domain: one for one in known.destinations}
        self._forget_idle_gates()
        return Changes(gone, is_changed, is_reset, opened)

    def route(self, sender: str, account_id: UUID | None, recipient: str) -> Route:
        """Return how a mail goes out."""
        chosen = routes_for(self._stored, sender, account_id)
        carriers = tuple(self._named[one.id] for one in chosen)
        if not chosen or (may_end_at_default(chosen) and self._default.transport.name != "outbox"):
            carriers += (self._default,)  # behind the named ones, and never a folder in place of a server
        destination = destination_of(recipient)
        return Route(carriers, destination, self.gate(destination))

    def gate(self, destination: str) -> Gate:
        """Return the gate of a recipient domain."""
        gate = self._gates.get(destination)
        if gate is None:
            gate = self._gates[destination] = Gate(self._share.of(default_limit(destination)))
        return gate

    def _divide(self, share: Share) -> None:
        """Take this worker's part of every limit: another one has come, or has ended."""
        log.info("limits are shared", workers=share.workers)
        self._share = share
        for carrier in self._named.values():
            if carrier.stored is not None:
                carrier.gate.limit = share.of(_limit_of(carrier.stored))
        for name, gate in self._gates.items():
            known = self._known.get(name)
            gate.limit = share.of(_limit_to(known) if known else default_limit(name))

    def _forget_idle_gates(self) -> None:
        """Keep the number of gates in bounds: those that hold nothing back are made again when they are needed."""
        if len(self._gates) > MAX_GATES:
            kept = {
                name: gate
                for name, gate in self._gates.items()
                if gate.running or gate.slow_steps or name in self._known
            }
            self._gates = kept

    def rest_until(self, now: float) -> float:
        """Return until when every carrier rests, `now` if one does not."""
        usable = [carrier for carrier in self.carriers if carrier.usable and self._serves(carrier)]
        return max(now, min((carrier.rests_until for carrier in usable), default=now))

    def _serves(self, carrier: Carrier) -> bool:
        """Whether mail can come to it: an outbox is idle where a named transport carries everybody's."""
        if carrier is not self._default or carrier.transport.name != "outbox":
            return True
        return not any(one.account_id is None and EVERYBODY in one.senders for one in self._stored)

    def _update_named(self, open_named: Open, stored: Sequence[StoredTransport]) -> list[Transport]:
        gone: list[Transport] = []
        named: dict[UUID, Carrier] = {}
        for one in stored:
            carrier = self._named.get(one.id)
            if carrier is None or carrier.stored is None or _server_of(carrier.stored) != _server_of(one):
                gone += [carrier.transport] if carrier else []
                carrier = Carrier(one.name, open_named(one), trouble=one.trouble)
            if carrier.stored != one:
                carrier.gate.limit = self._share.of(_limit_of(one))
                carrier.gate.forget_reservations()
                carrier.usable, carrier.stored, carrier.trouble = one.is_usable, one, one.trouble
            named[one.id] = carrier
        gone += [carrier.transport for id, carrier in self._named.items() if id not in named]
        self._named, self._stored = named, tuple(stored)
        return gone

    def _set(self, gate: Gate, destination: Destination) -> None:
        gate.limit = self._share.of(_limit_to(destination))
        gate.paused = destination.paused
        gate.slow_until = destination.slow_until.timestamp() if destination.slow_until else 0.0
        gate.slow_steps = destination.slow_steps
        gate.forget_reservations()


def _as_set(stored: Sequence[StoredTransport]) -> list[StoredTransport]:
    """Transports as somebody has set them, whatever trouble they are in."""
    return [replace(one, trouble="") for one in stored]


def _limit_of(stored: StoredTransport) -> Limit:
    return Limit(stored.connections, stored.rate_per_minute)


def _limit_to(destination: Destination) -> Limit:
    """What is set for a domain; where nothing is, as the built-in table has it."""
    built_in = default_limit(destination.domain)
    return Limit(
        destination.connections if destination.connections is not None else built_in.connections,
        destination.rate_per_minute if destination.rate_per_minute is not None else built_in.per_minute,
    )


def _server_of(stored: StoredTransport) -> tuple[Any, ...]:
    """What a connection depends on: when none of it changes, open connections are kept. A refresh token is read anew
    whenever it is used, because providers replace it."""
    secret = None if stored.authentication == "xoauth2" else stored.secret
    return (
        stored.name, stored.account_id, stored.host, stored.port, stored.security, stored.authentication,
        stored.username, secret, stored.provider, stored.client_id, stored.client_secret, stored.tenant,
    )  # fmt: skip


def as_moment(seconds: float, like: datetime) -> datetime:
    """Return seconds since the epoch as a moment."""
    return datetime.fromtimestamp(seconds, like.tzinfo)
