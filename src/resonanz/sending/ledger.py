"""Group commit: what deliveries running side by side have to write becomes one transaction, and one fsync.

Whoever writes waits until it is on disk. A database that is away is waited for: what happened on the wire has happened,
and has to be written down before anything else. An entry that fails by itself fails alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from resonanz import ingest
from resonanz.model import Event, TemporaryFailure
from resonanz.store import Database, Tx

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    """What one delivery writes: rows by `apply`, whose answer is handed back, and facts."""

    apply: Callable[[Tx], bool]
    events: Sequence[Event] = ()


@dataclass(slots=True)
class _Waiting:
    entry: Entry
    done: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Ledger:
    """Collects entries while one transaction is being written, and writes them in the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, entry: Entry) -> bool:
        """Write an entry and return what its `apply` returned, once it is on disk."""
        waiting = _Waiting(entry)
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._run())
        return await waiting.done

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await self._settle(batch)

    async def _settle(self, batch: list[_Waiting]) -> None:
        try:
            answers = await self._commit([waiting.entry for waiting in batch])
        except Exception as error:
            if len(batch) > 1:
                for waiting in batch:  # one of them is at fault: each by itself
                    await self._settle([waiting])
            elif not batch[0].done.done():
                batch[0].done.set_exception(error)
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.done.done():  # whoever waited may have been cancelled
                waiting.done.set_result(answer)

    async def _commit(self, entries: Sequence[Entry]) -> list[bool]:
        while True:
            try:
                return await asyncio.to_thread(self._write, entries)
            except TemporaryFailure as failure:
                log.error("what was sent cannot be written down yet", error=str(failure), in_seconds=RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)

    def _write(self, entries: Sequence[Entry]) -> list[bool]:
        with self._database.write() as tx:
            answers = [entry.apply(tx) for entry in entries]
            events = [event for entry in entries for event in entry.events]
            if events:
                ingest.record_all(tx, events)
            return answers
