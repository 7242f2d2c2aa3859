"""The worker's part in notices to senders: looks for what there is to tell, and for what is late."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from resonanz import model
from resonanz.model import TemporaryFailure
from resonanz.store import Database
from resonanz.store.wanted import forget_old, has_due, note_delayed

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0
FAILED_SECONDS = 5.0
LOOK_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=14)  # longer than we try, and then another system


class Teller:
    """Tells senders what became of their mail; what writes to them is loaded when there is something to tell.

    A mail that waits longer than `late_after` is told as delayed, once; never when that is None.
    """

    def __init__(self, database: Database, return_path_domain: str, late_after: timedelta | None) -> None:
        self._database = database
        self._domain = return_path_domain
        self._late_after = late_after
        self._looked_at: datetime | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Tell until `stopping` is set. A database that is away is waited for."""
        while not stopping.is_set():
            try:
                pause = 0.0 if await asyncio.to_thread(self.turn, model.now()) else IDLE_SECONDS
            except TemporaryFailure as failure:
                log.error("telling senders has to wait", error=str(failure), in_seconds=FAILED_SECONDS)
                pause = FAILED_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)

    def turn(self, now: datetime) -> int:
        """Look once, and tell some of what there is; return how much that was."""
        if self._looked_at is None or now - self._looked_at >= LOOK_EVERY:
            with self._database.write() as tx:
                if self._late_after is not None:
                    note_delayed(tx, now - self._late_after)
                forget_old(tx, now - KEPT)
            self._looked_at = now
        with self._database.read() as tx:
            if not has_due(tx):
                return 0
        from resonanz.sending.notices import tell_some

        return tell_some(self._database, self._domain, now)
