"""What one worker has claimed of the queue: taken with a lease, kept, put off, given back.

What holds when the worker dies at any moment: its leases end, and the next worker takes what was not yet on the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from resonanz.model import TemporaryFailure, TrackingMode
from resonanz.sending.building import Work
from resonanz.sending.loading import load
from resonanz.store import Database, Tx, queue

log = structlog.get_logger(__name__)


class Claims:
    """The claims of the worker called `worker`. `unknown` answers for contacts who were never asked, links lead to
    `edge_url`, and reports come back to us or, without `reports_to_us`, to the senders."""

    def __init__(
        self,
        database: Database,
        worker: str,
        lease: timedelta,
        clock: Callable[[], datetime],
        *,
        unknown: Callable[[Tx], TrackingMode],
        edge_url: str,
        reports_to_us: bool,
    ) -> None:
        self._database = database
        self._worker = worker
        self._lease = lease
        self._clock = clock
        self._unknown = unknown
        self._edge_url = edge_url
        self._reports_to_us = reports_to_us
        self._held: set[UUID] = set()

    async def take(self, most: int) -> list[Work]:
        """Claim what is due, so many at most, and load it. Raises TemporaryFailure."""
        works = await asyncio.to_thread(self._take, most, frozenset(self._held))
        self._held.update(work.message.id for work in works)
        return works

    def let_go(self, message_id: UUID) -> None:
        """Keep the lease of a message no longer: it is settled, or another worker's."""
        self._held.discard(message_id)

    async def put_off(self, waiting: Sequence[queue.PutOff]) -> None:
        """Give messages back that have to wait, each with a time of its own. Raises TemporaryFailure; they come back
        with the end of their leases then."""
        if waiting:
            self._held.difference_update(one.message_id for one in waiting)
            await asyncio.to_thread(self._put_off, waiting)

    async def give_back(self, works: Iterable[Work]) -> None:
        """Give back what was not begun; the next worker takes it at once."""
        message_ids = [work.message.id for work in works]
        if not message_ids:
            return
        self._held.difference_update(message_ids)
        try:
            await asyncio.to_thread(self._give_back, message_ids)
        except TemporaryFailure as failure:
            log.error("claims could not be given back; they end with their lease", error=str(failure))

    async def keep(self) -> None:
        """Move the leases of what is held for ever, so that only a dead worker's end."""
        lease = self._lease.total_seconds()
        pause = lease / 3
        while True:
            await asyncio.sleep(pause)
            try:
                await asyncio.to_thread(self._extend, list(self._held))
                pause = lease / 3
            except TemporaryFailure as failure:
                log.error("leases cannot be extended", error=str(failure))
                pause = lease / 10

    def _take(self, most: int, held: frozenset[UUID]) -> list[Work]:
        """What we hold already may come again when its lease could not be extended in time: then its lease is new, and
        it stays with the lane that has it."""
        now = self._clock()
        with self._database.read() as tx:
            if not queue.has_due(tx, now):
                return []
        with self._database.write() as tx:
            claimed = queue.claim(tx, self._worker, now, now + self._lease, most)
        claims = [claim for claim in claimed if claim.message_id not in held]
        # Not while the claims are written: on SQLite every result would wait for it. If it fails, they come back when
        # their lease has ended.
        with self._database.read() as tx:
            return load(tx, claims, self._unknown(tx), self._edge_url, reports_to_us=self._reports_to_us)

    def _put_off(self, waiting: Sequence[queue.PutOff]) -> None:
        with self._database.write() as tx:
            queue.put_off(tx, self._worker, waiting)

    def _give_back(self, message_ids: Sequence[UUID]) -> None:
        with self._database.write() as tx:
            queue.unclaim(tx, self._worker, message_ids)

    def _extend(self, held: Sequence[UUID]) -> None:
        with self._database.write() as tx:
            queue.extend(tx, self._worker, held, self._clock() + self._lease)
