"""Group commit: what deliveries running side by side have to write becomes one transaction, and one fsync.

Whoever writes waits until it is on disk. A database that is away is waited for: what happened on the wire has happened,
and has to be written down before anything else. A record that fails by itself fails alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from resonanz.model import TemporaryFailure
from resonanz.sending.records import Record, Recorder
from resonanz.store import Database

log = structlog.get_logger(__name__)

GATHER_SECONDS = 0.002  # in which records of other lanes join; less than a network's round trip
GATHER_AT_MOST = 5  # rounds of that
RETRY_SECONDS = 1.0


@dataclass(slots=True)
class _Waiting:
    record: Record
    done: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Ledger:
    """Collects records while one transaction is being written, and writes them in the next."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, record: Record) -> bool:
        """Write a record and return its answer, once it is on disk."""
        return await self._add(record)

    def post(self, record: Record, done: Callable[[], None] = lambda: None) -> None:
        """Write a record without waiting for it; those that are written later are on disk later. `done` is called when
        it is there, or cannot be written at all."""

        def finish(written: asyncio.Future[bool]) -> None:
            done()
            if not written.cancelled() and (error := written.exception()):
                # What was on the wire stays marked, and is told as uncertain when its lease has ended.
                log.error("a result could not be written down", error=repr(error))

        self._add(record).add_done_callback(finish)

    async def settled(self, seconds: float) -> None:
        """Wait until everything is written, so long at most."""
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=seconds)

    def _add(self, record: Record) -> asyncio.Future[bool]:
        waiting = _Waiting(record)
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._run())
        return waiting.done

    async def _run(self) -> None:
        while self._waiting:
            await self._gather()
            batch, self._waiting = self._waiting, []
            await self._settle(batch)

    async def _gather(self) -> None:
        """Let more join as long as more come: a commit costs much the same for one lane as for all of them."""
        for _ in range(GATHER_AT_MOST):
            gathered = len(self._waiting)
            await asyncio.sleep(GATHER_SECONDS)
            if len(self._waiting) == gathered:
                return

    async def _settle(self, batch: list[_Waiting]) -> None:
        try:
            answers = await self._commit([waiting.record for waiting in batch])
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

    async def _commit(self, records: Sequence[Record]) -> list[bool]:
        again = False
        while True:
            try:
                return await asyncio.to_thread(self._write, records, again)
            except TemporaryFailure as failure:
                log.error("what was sent cannot be written down yet", error=str(failure), in_seconds=RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)
                again = True

    def _write(self, records: Sequence[Record], again: bool) -> list[bool]:
        with self._database.write() as tx:
            answers = self._recorder.write(tx, records, again=again)
        self._recorder.committed(records)
        return answers
