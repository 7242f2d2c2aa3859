"""The worker's part in imports: takes the files in that somebody started, portion after portion."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from resonanz import model
from resonanz.model import TemporaryFailure
from resonanz.store import Database
from resonanz.store.imports import forget_old, has_running

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0
FAILED_SECONDS = 5.0
FORGET_EVERY = timedelta(hours=1)


class Importer:
    """Looks for imports that are running; what takes them in is loaded when there is the first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forgotten_at: datetime | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Take imports in until `stopping` is set. A database that is away is waited for."""
        while not stopping.is_set():
            try:
                pause = 0.0 if await asyncio.to_thread(self._work) else IDLE_SECONDS
            except TemporaryFailure as failure:
                log.error("taking contacts in has to wait", error=str(failure), in_seconds=FAILED_SECONDS)
                pause = FAILED_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)

    def _work(self) -> bool:
        now = model.now()
        if self._forgotten_at is None or now - self._forgotten_at >= FORGET_EVERY:
            with self._database.write() as tx:
                forget_old(tx, now)
            self._forgotten_at = now
        with self._database.read() as tx:
            if not has_running(tx):
                return False
        from resonanz.people.imports import take_some

        return take_some(self._database, now)
