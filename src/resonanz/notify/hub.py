"""The live hub: follows the facts in the database and hands each new one to everyone who watches.

It reads the table, not the process that writes it, so that it sees what any role on any host records. While nobody
watches it reads nothing. Each watcher has a bounded queue; one that falls behind is told to reload instead of being
served ever older news.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from resonanz.model import TemporaryFailure
from resonanz.notify.notice import Notice, reload_notice
from resonanz.notify.tail import Tail
from resonanz.store import Database

DEFAULT_POLL_SECONDS = 0.25
DEFAULT_BACKLOG = 500

_FAILED_POLL_SECONDS = 2.0

_log = structlog.get_logger("resonanz.notify")


class Hub:
    """One per process that serves watchers. `run` must be running for watchers to be told anything.

    `poll_seconds` is how often the table is looked at while somebody watches; `backlog` how many events a watcher may
    be behind before it is told to reload.
    """

    def __init__(
        self, database: Database, *, poll_seconds: float = DEFAULT_POLL_SECONDS, backlog: int = DEFAULT_BACKLOG
    ) -> None:
        self._poll_seconds = poll_seconds
        self._tail = Tail(database, backlog)
        self._backlog = backlog
        self._watchers: set[_Watcher] = set()
        self._watched = asyncio.Event()
        self._turn = asyncio.Lock()  # one reads the table and moves the position at a time

    @property
    def watchers(self) -> int:
        """How many watch right now."""
        return len(self._watchers)

    async def run(self) -> None:
        """Follow the facts until cancelled; then every watcher's iteration ends."""
        try:
            while True:
                await self._watched.wait()
                await asyncio.sleep(self._poll_seconds if await self._poll() else _FAILED_POLL_SECONDS)
        finally:
            for watcher in self._watchers:
                watcher.end()

    @asynccontextmanager
    async def watch(self, after: int | None = None) -> AsyncIterator[AsyncIterator[Notice]]:
        """Watch from now on, or from behind event `after` (what a browser sends back as Last-Event-ID).

        Raises TemporaryFailure when the database cannot be read to begin with.
        """
        watcher = _Watcher(self._backlog)
        async with self._turn:
            if not self._watchers:
                await asyncio.to_thread(self._tail.start)
            if after is not None:
                for notice in await asyncio.to_thread(self._tail.between, after, self._tail.position):
                    watcher.tell(notice)
            self._watchers.add(watcher)
            self._watched.set()
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                self._watched.clear()

    async def _poll(self) -> bool:
        async with self._turn:
            try:
                notices = await asyncio.to_thread(self._tail.poll)
            except TemporaryFailure as failure:
                _log.warning("notify.poll_failed", error=str(failure))
                return False
            for watcher in self._watchers:
                for notice in notices:
                    watcher.tell(notice)
        return True


class _Watcher(AsyncIterator[Notice]):
    """The queue of one watcher."""

    def __init__(self, backlog: int) -> None:
        self._queue: asyncio.Queue[Notice | None] = asyncio.Queue()
        self._backlog = backlog

    def tell(self, notice: Notice) -> None:
        """Add a notice; when the watcher is too far behind, everything that waits becomes one reload."""
        if self._queue.qsize() >= self._backlog:
            self._empty()
            notice = reload_notice(notice.event_id)
        self._queue.put_nowait(notice)

    def end(self) -> None:
        """End the iteration, whatever still waits."""
        self._empty()
        self._queue.put_nowait(None)

    async def __anext__(self) -> Notice:
        notice = await self._queue.get()
        if notice is None:
            self._queue.put_nowait(None)
            raise StopAsyncIteration
        return notice

    def _empty(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()
