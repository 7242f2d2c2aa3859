"""Deliveries are posted, at least once each: taken by a guarded update, posted, and only then marked.

A worker that dies in between leaves a delivery that is due again when its lease is over, with the same `webhook-id`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from prometheus_client import Counter

from resonanz.model import Event, InvalidInput, TemporaryFailure
from resonanz.notify.webhooks import retries
from resonanz.notify.webhooks.endpoints import secrets_of
from resonanz.notify.webhooks.payload import body_of, test_body, webhook_id
from resonanz.notify.webhooks.reach import SECONDS, Reach
from resonanz.notify.webhooks.signing import headers
from resonanz.notify.webhooks.telling import Surroundings, look_around
from resonanz.notify.webhooks.types import CORRECTED
from resonanz.outbound import Poster, Reply
from resonanz.store import Database, Tx, events
from resonanz.store import webhook_deliveries as deliveries
from resonanz.store.webhook_deliveries import DeliveryRow, DeliveryState, Result
from resonanz.store.webhook_endpoints import EndpointRow, change_endpoint, lock_endpoint

if TYPE_CHECKING:
    from resonanz.sealing import Sealer

PORTION = 10
# A portion may take so long at worst, and some more to be marked.
LEASE = timedelta(seconds=PORTION * SECONDS + 60)

TRIES = Counter("resonanz_webhook_tries_total", "Webhook deliveries that were posted, by what came of it", ["outcome"])

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A delivery that may go out, and its bytes."""

    row: DeliveryRow
    body: bytes


@dataclass(frozen=True, slots=True)
class _Try:
    """What came of one try: the server's reply, or why there was none."""

    at: datetime
    seconds: float
    reply: Reply | None
    failure: str = ""

    @property
    def is_taken(self) -> bool:
        return self.reply is not None and 200 <= self.reply.status < 300

    @property
    def is_gone(self) -> bool:
        return self.reply is not None and self.reply.status == 410


class Sender:
    """Posts what is due. Any number of threads and processes may do so at a time."""

    def __init__(
        self,
        database: Database,
        sealer: Callable[[], Sealer],
        reach: Reach,
        *,
        now: Callable[[], datetime],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._reach = reach
        self._now = now
        self._chance = chance

    def due(self) -> dict[UUID, int]:
        """Return how many deliveries are due at each endpoint. Raises TemporaryFailure."""
        with self._database.read() as tx:
            return deliveries.due_endpoints(tx, self._now())

    def send_some(self, endpoint_id: UUID) -> int:
        """Post the next portion of what an endpoint is due. Returns how many were taken; what is taken and cannot be
        posted for want of the database is due again after its lease. Raises TemporaryFailure."""
        endpoint, letters, taken = self._take(endpoint_id)
        if endpoint is None:
            return taken
        with Poster(self._reach(endpoint.url)) as poster:
            for number, letter in enumerate(letters):
                tried = self._post(poster, endpoint, letter)
                with self._database.write() as tx:
                    may_go_on = self._note(tx, endpoint_id, letter.row, tried)
                    if not may_go_on:
                        deliveries.give_back(tx, [one.row.id for one in letters[number + 1 :]], tried.at)
                if not may_go_on:
                    break
        return taken

    # ── Taking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, endpoint_id: UUID) -> tuple[EndpointRow | None, list[_Letter], int]:
        now = self._now()
        with self._database.write() as tx:
            endpoint = lock_endpoint(tx, endpoint_id)
            if endpoint is None:
                return None, [], 0
            is_failing = endpoint.failures >= retries.FAILING_AFTER
            rows = deliveries.claim(tx, endpoint_id, now=now, until=now + LEASE, limit=1 if is_failing else PORTION)
            if rows and is_failing:  # nobody else tries until it is known how this one goes
                change_endpoint(tx, endpoint_id, rests_until=now + LEASE)
            letters = _written(tx, rows)
            going = {letter.row.id for letter in letters}
            deliveries.withhold(tx, [row.id for row in rows if row.id not in going])
        return (endpoint if letters else None), letters, len(rows)

    # ── Posting ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _post(self, poster: Poster, endpoint: EndpointRow, letter: _Letter) -> _Try:
        now, started = self._now(), time.monotonic()
        try:
            secrets = secrets_of(self._sealer(), endpoint, now)
            signed = headers(webhook_id(letter.row.id), int(now.timestamp()), letter.body, secrets)
            reply = poster.post(endpoint.url, letter.body, {"Content-Type": "application/json", **signed})
        except (InvalidInput, TemporaryFailure) as failure:
            return _Try(now, time.monotonic() - started, None, failure.what)
        return _Try(now, time.monotonic() - started, reply, _failure_of(reply))

    # ── Marking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _note(self, tx: Tx, endpoint_id: UUID, row: DeliveryRow, tried: _Try) -> bool:
        """Write down what came of a try. Returns whether the next delivery may be posted at once."""
        endpoint = lock_endpoint(tx, endpoint_id)
        if endpoint is None:
            return False  # it was removed meanwhile, and its deliveries with it
        if tried.is_taken:
            TRIES.labels("delivered").inc()
            deliveries.note_result(tx, row.id, _result(DeliveryState.DELIVERED, None, tried))
            change_endpoint(tx, endpoint_id, failures=0, failing_since=None, rests_until=None, delivered_at=tried.at)
            return True
        TRIES.labels("failed").inc()
        if row.event_id is None:  # a test: whoever asked for it looks at what came of it
            deliveries.note_result(tx, row.id, _result(DeliveryState.FAILED, None, tried))
            return True
        wish = retries.wished_pause(tried.reply.status, tried.reply.headers, tried.at) if tried.reply else None
        again = None if tried.is_gone else retries.next_try(row.tries + 1, tried.at, self._chance())
        if again is not None and wish is not None:
            again = max(again, wish)
        state = DeliveryState.FAILED if again is None else DeliveryState.WAITING
        deliveries.note_result(tx, row.id, _result(state, again, tried))
        return self._note_failure(tx, endpoint, tried, wish)

    def _note_failure(self, tx: Tx, endpoint: EndpointRow, tried: _Try, wish: datetime | None) -> bool:
        failures, since = endpoint.failures + 1, endpoint.failing_since or tried.at
        rest = max((at for at in (wish, retries.rest_after(failures, tried.at)) if at is not None), default=None)
        change_endpoint(tx, endpoint.id, failures=failures, failing_since=since, rests_until=rest)
        why = ""
        if tried.is_gone:
            why = "it answered 410 Gone: nobody wants to be told there any more"
        elif retries.is_to_be_paused(failures, since, tried.at):
            why = f"it failed {failures} times in a row; the last time: {tried.failure}"
        if why and endpoint.paused_at is None:
            change_endpoint(tx, endpoint.id, paused_at=tried.at, note=why)
            log.warning("a webhook is paused", webhook=str(endpoint.id), why=why)
        return not why and rest is None


def _written(tx: Tx, rows: list[DeliveryRow]) -> list[_Letter]:
    """Return what may go out of these deliveries, with its bytes: consent is asked for once more."""
    known = {event.id: event for event in events.by_ids(tx, {_fact_id(row) for row in rows})}
    around = look_around(tx, list(known.values()))
    return [_Letter(row, body) for row in rows if (body := _body(row, known, around)) is not None]


def _body(row: DeliveryRow, known: dict[int, Event], around: Surroundings) -> bytes | None:
    if row.event_id is None:
        return test_body(row)
    id = _fact_id(row)
    return body_of(row, known[id], around.submissions.get(id)) if id in around.tellable else None


def _fact_id(row: DeliveryRow) -> int:
    """Return the id of the fact that a delivery tells of: a correction's own, else the event's."""
    return (row.event_id if row.type == CORRECTED else row.about) or 0


def _failure_of(reply: Reply) -> str:
    if 200 <= reply.status < 300:
        return ""
    if 300 <= reply.status < 400:
        return f"answered {reply.status}; redirects are not followed"
    return f"answered {reply.status}"


def _result(state: DeliveryState, due_at: datetime | None, tried: _Try) -> Result:
    return Result(
        state=state,
        due_at=due_at,
        tried_at=tried.at,
        status=tried.reply.status if tried.reply is not None else None,
        response=tried.reply.beginning.decode("utf-8", "replace") if tried.reply is not None else "",
        milliseconds=round(tried.seconds * 1000),
        failure=tried.failure,
    )
