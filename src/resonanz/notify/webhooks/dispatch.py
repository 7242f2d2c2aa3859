"""Facts become deliveries: each endpoint reads the table of facts behind a position of its own.

Deliveries and position are one transaction, so that each fact counts once for each endpoint, whatever dies when. The
outbox of an endpoint is bounded: while it is full, the position stays where it is, and the facts themselves are what
waits. A paused endpoint waits likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from resonanz.notify.webhooks.choosing import KEPT, choose, read_kinds
from resonanz.store import Database, Tx, events
from resonanz.store.settled import Settled
from resonanz.store.webhook_deliveries import add_deliveries, count_waiting, forget_before
from resonanz.store.webhook_endpoints import EndpointRow, change_endpoint, list_endpoints, lock_endpoint

MOST_WAITING = 1_000  # deliveries for one endpoint; a correction may bring it a few above
_FACTS_AT_A_TIME = 500
_FORGET_AT_A_TIME = 1_000
_FORGET_EVERY = timedelta(hours=1)


class Dispatcher:
    """Follows the facts for every endpoint. One per process; several processes take turns at each endpoint."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._settled = Settled()
        self._forget_at: datetime | None = None

    def round(self) -> bool:
        """Take each endpoint a portion further. Returns whether one has more to read. Raises TemporaryFailure."""
        now = self._now()
        with self._database.read() as tx:
            known = list_endpoints(tx)
            upto = self._settled.look(tx)
        self._forget(known, now)
        have_more = [self._take_further(endpoint, upto, now) for endpoint in known if _follows(endpoint, upto)]
        return any(have_more)

    def _take_further(self, endpoint: EndpointRow, upto: int, now: datetime) -> bool:
        with self._database.read() as tx:
            if count_waiting(tx, endpoint.id) >= MOST_WAITING:
                return False
        with self._database.write() as tx:
            held = lock_endpoint(tx, endpoint.id, wait=False)
            if held is None or not _follows(held, upto):
                return False
            return _advance(tx, held, upto, now)

    def _forget(self, known: list[EndpointRow], now: datetime) -> None:
        if self._forget_at is not None and now < self._forget_at:
            return
        self._forget_at = now + _FORGET_EVERY
        for endpoint in known:
            forgotten = _FORGET_AT_A_TIME
            while forgotten == _FORGET_AT_A_TIME:
                with self._database.write() as tx:
                    forgotten = forget_before(tx, endpoint.id, now - KEPT, limit=_FORGET_AT_A_TIME)


def _follows(endpoint: EndpointRow, upto: int) -> bool:
    return endpoint.paused_at is None and endpoint.position < upto


def _advance(tx: Tx, endpoint: EndpointRow, upto: int, now: datetime) -> bool:
    facts = events.firsts_between(tx, endpoint.position, upto, read_kinds(endpoint), limit=_FACTS_AT_A_TIME)
    add_deliveries(tx, choose(tx, endpoint, facts, now))
    is_full = len(facts) == _FACTS_AT_A_TIME
    change_endpoint(tx, endpoint.id, position=facts[-1].id if is_full else upto)
    return is_full
