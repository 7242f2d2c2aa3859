"""Holding the queue, or one recipient domain, and letting it go on. Workers follow within seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from resonanz.model import InvalidInput
from resonanz.sending.domains import host_name
from resonanz.sending.limits import destination_of
from resonanz.sending.named_transports import MAX_CONNECTIONS, MAX_RATE
from resonanz.store import Database, Tx, accounts, queue
from resonanz.store.destinations import Destination, get_destination, list_destinations, save_destination

PAUSE = "queue_paused"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class QueueState:
    """How the queue stands, whether it is paused and by whom, and what is known of recipient domains."""

    standing: queue.Standing
    paused: bool
    paused_by: str
    destinations: list[Destination]


def is_queue_paused(tx: Tx) -> bool:
    """Whether nothing at all is to be sent."""
    return accounts.get_choice(tx, PAUSE) is not None


def queue_state(tx: Tx, now: datetime) -> QueueState:
    """Look at the queue."""
    paused = accounts.get_choice(tx, PAUSE)
    return QueueState(
        queue.standing(tx, now),
        paused is not None,
        str(paused.get("by", "")) if isinstance(paused, dict) else "",
        list_destinations(tx),
    )


def pause_queue(database: Database, *, actor: str, now: datetime) -> None:
    """Send nothing more, but what is on the wire."""
    with database.write() as tx:
        accounts.set_choice(tx, PAUSE, {"by": actor}, now)
    log.warning("queue paused", by=actor)


def resume_queue(database: Database, *, actor: str) -> None:
    """Go on sending."""
    with database.write() as tx:
        accounts.delete_choice(tx, PAUSE)
    log.warning("queue resumed", by=actor)


def find_domain(tx: Tx, domain: str) -> Destination:
    """Return what is known of a recipient domain, or of its provider. Raises InvalidInput."""
    return get_destination(tx, _named(domain))


def pause_domain(database: Database, domain: str, *, paused: bool, actor: str, now: datetime) -> Destination:
    """Hold mail to a recipient domain (a provider's domains are held together), or let it go on, at once also when the
    domain had asked us to slow down. Raises InvalidInput."""
    name = _named(domain)
    with database.write() as tx:
        known = get_destination(tx, name)
        note = f"paused by {actor}" if paused else ""
        changed = replace(known, paused=paused, note=note, slow_until=None, slow_steps=0)
        save_destination(tx, changed)
        queue.hasten_waiting(tx, waits_for_domain(name), now)
    log.warning("domain paused" if paused else "domain resumed", domain=name, by=actor)
    return changed


def limit_domain(
    database: Database, domain: str, *, connections: int | None, rate_per_minute: int | None, now: datetime
) -> Destination:
    """Set how many mails at once and a minute a recipient domain gets; None: as the built-in table has it. Raises
    InvalidInput."""
    name = _named(domain)
    if connections is not None and not 1 <= connections <= MAX_CONNECTIONS:
        raise InvalidInput(f"is not between 1 and {MAX_CONNECTIONS}", where="connections")
    if rate_per_minute is not None and not 1 <= rate_per_minute <= MAX_RATE:
        raise InvalidInput(f"is not between 1 and {MAX_RATE:,}", where="rate_per_minute")
    with database.write() as tx:
        changed = replace(get_destination(tx, name), connections=connections, rate_per_minute=rate_per_minute)
        save_destination(tx, changed)
        queue.hasten_waiting(tx, waits_for_domain(name), now)
    return changed


def waits_for_domain(name: str) -> str:
    """The word in the queue for mail that waits for a recipient domain."""
    return f"domain {name}"


def _named(domain: str) -> str:
    return destination_of(f"x@{host_name(domain.rpartition('@')[2], 'domain')}")
