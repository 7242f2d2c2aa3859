"""Deliveries are posted, at least once each: taken by a guarded update, posted, and only then marked.

A worker that dies in between leaves deliveries that are due again when their lease is over, with the same `webhook-id`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from resonanz.model import Event, InvalidInput, TemporaryFailure
from resonanz.notify.webhooks import retries
from resonanz.notify.webhooks.endpoints import secrets_of
from resonanz.notify.webhooks.outcome import Try, failure_of, note_tries
from resonanz.notify.webhooks.payload import body_of, test_body, webhook_id
from resonanz.notify.webhooks.reach import SECONDS, Reach
from resonanz.notify.webhooks.signing import headers
from resonanz.notify.webhooks.telling import Surroundings, look_around
from resonanz.notify.webhooks.types import CORRECTED
from resonanz.outbound import Poster
from resonanz.store import Database, Tx, events
from resonanz.store import webhook_deliveries as deliveries
from resonanz.store.webhook_deliveries import DeliveryRow
from resonanz.store.webhook_endpoints import EndpointRow, change_endpoint, lock_endpoint

if TYPE_CHECKING:
    from resonanz.sealing import Sealer

PORTION = 20
# A portion may take so long at worst, and some more to be marked.
LEASE = timedelta(seconds=PORTION * SECONDS + 60)
# What was taken is marked together, but no later than this: so much is posted twice when a worker dies.
MARKED_WITHIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Letter:
    """A delivery that may go out, and its bytes."""

    row: DeliveryRow
    body: bytes


class Sender:
    """Posts what is due. Any number of threads and processes may do so at a time. Once `stopping` is set each thread
    finishes the post that it is at, marks what it has done and gives the rest back."""

    def __init__(
        self,
        database: Database,
        sealer: Callable[[], Sealer],
        reach: Reach,
        *,
        now: Callable[[], datetime],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.stopping = threading.Event()
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
        """Post the next portion of what an endpoint is due. Returns how many were taken on, 0 when nothing is due or
        this is to end. Raises TemporaryFailure: what is not marked for want of the database is due again later."""
        if self.stopping.is_set():
            return 0
        endpoint, letters, taken = self._take(endpoint_id)
        if endpoint is not None:
            with Poster(self._reach(endpoint.url)) as poster:
                self._post_all(poster, endpoint, letters)
        return taken

    def _post_all(self, poster: Poster, endpoint: EndpointRow, letters: list[_Letter]) -> None:
        unmarked: list[Try] = []
        since = time.monotonic()
        for number, letter in enumerate(letters, 1):
            unmarked.append(self._post(poster, endpoint, letter))
            goes_on = unmarked[-1].is_taken and number < len(letters) and not self.stopping.is_set()
            if goes_on and time.monotonic() - since < MARKED_WITHIN_SECONDS:
                continue
            with self._database.write() as tx:
                may_go_on = note_tries(tx, endpoint.id, unmarked) and not self.stopping.is_set()
                if not may_go_on:
                    deliveries.give_back(tx, [one.row.id for one in letters[number:]], self._now())
            if not may_go_on:
                return
            unmarked, since = [], time.monotonic()

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

    def _post(self, poster: Poster, endpoint: EndpointRow, letter: _Letter) -> Try:
        now, started = self._now(), time.monotonic()
        reply, failure = None, ""
        try:
            secrets = secrets_of(self._sealer(), endpoint, now)
            signed = headers(webhook_id(letter.row.id), int(now.timestamp()), letter.body, secrets)
            reply = poster.post(endpoint.url, letter.body, {"Content-Type": "application/json", **signed})
            failure = failure_of(reply)
        except (InvalidInput, TemporaryFailure) as error:
            failure = error.what
        return Try(letter.row, now, time.monotonic() - started, reply, failure, self._chance())


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
