"""The writing side: `SqliteJournal`, an asynchronous append that returns once the hit is on disk.

Whatever is asked for while the disk is busy waits in a queue; one writer thread takes all of it, writes it in one
statement with one fsync, and wakes everyone who waited with one call into their event loop (group commit). The more
load, the larger the groups: the cost per hit falls as the load rises.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

import structlog

from resonanz.journal.codec import encode
from resonanz.journal.file import (
    Connection,
    DamagedFile,
    DatabaseError,
    is_damage,
    is_passing,
    lock_free_slot,
    open_for_writing,
    set_aside,
)
from resonanz.model import Hit, HitKind, TemporaryFailure, now

DEFAULT_LIMIT_BYTES = 1024**3

_GROUP = 1024  # hits in one commit at most
_QUEUE = 50_000  # hits waiting at most; with a disk that answers, a few hundred wait
_STALLED_SECONDS = 2.0  # a commit that takes longer is no longer waited for
_LOG_SECONDS = 60.0
_MOVED_SECONDS = 1.0

_APPEND = "INSERT INTO append VALUES (?, ?, ?, ?, ?, ?)"

_log = structlog.get_logger("resonanz.journal")

_Waiter = asyncio.Future[int]


class JournalUnavailable(TemporaryFailure):
    """The hit is not on disk: the journal cannot be written now, or takes too long."""


class AppendObserver(Protocol):
    """Who wants to count what the journal does. Called in the writer thread, once per group."""

    def appended(self, hits: int, seconds: float) -> None:
        """`hits` were made durable in one commit that took `seconds`."""

    def failed(self, hits: int) -> None:
        """`hits` could not be written."""

    def given_up(self, hits: int) -> None:
        """The oldest `hits` pixel fetches were dropped because the journal is at its limit."""


class SqliteJournal:
    """The journal of one edge process.

    It never refuses to be opened: an edge must answer readers on a full disk too. Appends raise `JournalUnavailable`
    until writing works again, which every append tries anew.
    """

    def __init__(self, folder: Path, limit_bytes: int, observer: AppendObserver | None) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._observer = observer
        self._queue: SimpleQueue[tuple[Hit, _Waiter | None] | None] = SimpleQueue()
        self._writing: Sequence[tuple[Hit, _Waiter | None]] = ()
        self._writing_since = 0.0
        self._stalled = False
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

        self._lock: int | None = None
        self._path: Path | None = None
        self._connection: Connection = None
        self._inode = 0
        self._last = 0
        self._unweighed = 0
        self._failed_since_log = 0
        self._logged_at = 0.0
        self._looked_at = 0.0

        self.id = ""
        self.available = False
        self._open_or_log()
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls, folder: Path, *, limit_bytes: int = DEFAULT_LIMIT_BYTES, observer: AppendObserver | None = None
    ) -> SqliteJournal:
        """Open the first free journal in `folder`, or begin one.

        `limit_bytes` is what the file may grow to while nobody reads it; then the oldest pixel fetches are given up.
        """
        return cls(folder, limit_bytes, observer)

    # ── In the event loop ───────────────────────────────────────────────────────────────────────────────────────────

    async def append(self, hit: Hit) -> int:
        """Write `hit` and return its position once it is on disk. Raises JournalUnavailable."""
        if self._closed:
            raise JournalUnavailable("the journal is closed", where="journal")
        if self._stalled:
            self._queue_unwatched(hit)
            raise JournalUnavailable("the disk does not answer", where="journal", remedy="look at the disk")
        loop = asyncio.get_running_loop()
        if self._timer is None or self._loop is not loop:
            self._loop = loop
            self._timer = loop.call_later(_STALLED_SECONDS / 2, self._look_for_stall)
        waiter: _Waiter = loop.create_future()
        self._queue.put((hit, waiter))
        return await waiter

    def close(self) -> None:
        """Write what is queued, close the file and free the slot. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _queue_unwatched(self, hit: Hit) -> None:
        """Queue a hit nobody waits for: it is recorded if the disk comes back before the process ends."""
        if self._queue.qsize() < _QUEUE:
            self._queue.put((hit, None))

    def _look_for_stall(self) -> None:
        since = self._writing_since
        self._timer = None
        self._stalled = since != 0.0 and time.monotonic() - since > _STALLED_SECONDS
        if self._stalled:
            self._let_go_of_waiters()
        if since != 0.0 and self._loop is not None:
            self._timer = self._loop.call_later(_STALLED_SECONDS / 4, self._look_for_stall)

    def _let_go_of_waiters(self) -> None:
        waiting = list(self._writing)
        for _ in range(self._queue.qsize()):
            try:
                queued = self._queue.get_nowait()
            except Empty:
                break
            self._queue.put(queued)
            if queued is not None:
                waiting.append(queued)
        waiters = [waiter for _, waiter in waiting if waiter is not None and not waiter.done()]
        if waiters:
            _log.error("journal.stalled", path=str(self._path), waiting=len(waiters), remedy="look at the disk")
        _fail(waiters, JournalUnavailable("the disk does not answer", where="journal", remedy="look at the disk"))

    # ── In the writer thread ────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while group := self._take():
            self._writing = group
            self._writing_since = time.monotonic()
            self._write(group)
            self._writing_since = 0.0
            self._writing = ()
        self._let_go()

    def _take(self) -> list[tuple[Hit, _Waiter | None]]:
        """Wait for the first hit and take everything queued behind it; nothing means that the journal is closing."""
        first = self._queue.get()
        if first is None:
            return []
        group = [first]
        try:
            while len(group) < _GROUP:
                item = self._queue.get_nowait()
                if item is None:
                    self._queue.put(None)
                    break
                group.append(item)
        except Empty:
            pass
        return group

    def _write(self, group: Sequence[tuple[Hit, _Waiter | None]]) -> None:
        pixels = [item for item in group if item[0].kind is HitKind.OPEN]
        acts = [item for item in group if item[0].kind is not HitKind.OPEN] if len(pixels) < len(group) else []
        waiters = [waiter for _, waiter in (*pixels, *acts)]
        started = time.perf_counter()
        try:
            first = self._commit([hit for hit, _ in pixels], [hit for hit, _ in acts])
        except Exception as error:  # whatever it is: the thread goes on, and those who wait are told
            self._wake(waiters, _fail, self._note_failure(error, len(group)))
            return
        self._wake(waiters, _succeed, first)
        self._note_success(len(group), time.perf_counter() - started)
        if self._unweighed > min(self._limit_bytes // 64, 1_000_000):
            self._keep_to_limit()

    def _commit(self, pixels: Sequence[Hit], acts: Sequence[Hit]) -> int:
        """Make the hits durable; return the position of the first. Pixels come first within one group."""
        self._open()
        try:
            return self._insert(pixels, acts)
        except DatabaseError as error:
            if not is_damage(error):
                if not is_passing(error):
                    self._disconnect()
                raise
            self._set_damaged_aside(error)
            return self._insert(pixels, acts)

    def _insert(self, pixels: Sequence[Hit], acts: Sequence[Hit]) -> int:
        first = self._last + 1
        pixels_last = self._last + len(pixels)
        acts_last = pixels_last + len(acts)
        pixels_text = encode(pixels) if pixels else ""
        acts_text = encode(acts) if acts else ""
        self._connection.execute(_APPEND, (pixels_last, len(pixels), pixels_text, acts_last, len(acts), acts_text))
        self._last = acts_last
        self._unweighed += len(pixels_text) + len(acts_text)
        return first

    def _wake(self, waiters: list[_Waiter | None], tell: Callable[..., None], what: object) -> None:
        loop = next((waiter.get_loop() for waiter in waiters if waiter is not None), None)
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(tell, waiters, what)

    # ── Opening, damage, limits ─────────────────────────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        if self._connection is not None and not self._moved():
            return
        self._disconnect()
        if self._path is None:
            self._lock, self._path = lock_free_slot(self._folder)
        try:
            self._connect(self._path)
        except DamagedFile as error:
            self._set_damaged_aside(error)

    def _connect(self, path: Path) -> None:
        connection = open_for_writing(path)
        self.id, self._last = connection.execute("SELECT id, last FROM journal").fetchone()
        self._inode = path.stat().st_ino
        self._connection = connection

    def _moved(self) -> bool:
        """Tell whether the file was taken away under us: writing on would store hits where nobody reads."""
        moment = time.monotonic()
        if moment - self._looked_at < _MOVED_SECONDS or self._path is None:
            return False
        self._looked_at = moment
        try:
            return self._path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def _set_damaged_aside(self, error: Exception) -> None:
        self._disconnect()
        assert self._path is not None
        aside = set_aside(self._path, now())
        _log.critical(
            "journal.damaged",
            path=str(self._path),
            error=str(error),
            aside=str(aside),
            remedy="check the disk; hits in the file set aside that ingest had not read are not in the reports",
        )
        self._connect(self._path)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except DatabaseError as error:
                _log.warning("journal.close_failed", path=str(self._path), error=str(error))

    def _let_go(self) -> None:
        self._disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _keep_to_limit(self) -> None:
        """Give up the oldest pixel hits while the file holds more than its limit; clicks and POSTs stay."""
        self._unweighed = 0
        given_up = 0
        try:
            while self._used_bytes() > self._limit_bytes:
                dropped = self._drop_oldest_pixels()
                if not dropped:
                    _log.error(
                        "journal.over_limit", path=str(self._path), remedy="see why ingest does not read the journal"
                    )
                    break
                given_up += dropped
        except DatabaseError as error:
            self._disconnect()  # takes back what was begun
            _log.error("journal.limit_failed", path=str(self._path), error=str(error))
        if given_up:
            _log.error("journal.pixels_given_up", path=str(self._path), hits=given_up)
            if self._observer is not None:
                self._observer.given_up(given_up)

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _drop_oldest_pixels(self) -> int:
        rows = self._connection.execute("SELECT last, count FROM pixels ORDER BY last LIMIT 64").fetchall()
        if not rows:
            return 0
        hits = sum(int(count) for _, count in rows)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("DELETE FROM pixels WHERE last <= ?", (rows[-1][0],))
        self._connection.execute("UPDATE journal SET given_up = given_up + ?", (hits,))
        self._connection.execute("COMMIT")
        return hits

    # ── Saying so ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _open_or_log(self) -> None:
        try:
            self._open()
            self.available = True
        except (OSError, DatabaseError, DamagedFile) as error:
            self._note_failure(error, 0)

    def _note_success(self, hits: int, seconds: float) -> None:
        if not self.available:
            self.available = True
            self._logged_at = 0.0
            _log.warning("journal.works_again", path=str(self._path))
        if self._observer is not None:
            self._observer.appended(hits, seconds)

    def _note_failure(self, error: Exception, hits: int) -> JournalUnavailable:
        self.available = False
        self._failed_since_log += hits
        if time.monotonic() - self._logged_at > _LOG_SECONDS or self._logged_at == 0.0:
            self._logged_at = time.monotonic()
            _log.error(
                "journal.cannot_be_written",
                path=str(self._path or self._folder),
                error=f"{type(error).__name__}: {error}",
                hits=self._failed_since_log,
                remedy="free space or make the folder writable; readers are still redirected meanwhile",
            )
            self._failed_since_log = 0
        if self._observer is not None and hits:
            self._observer.failed(hits)
        return JournalUnavailable(str(error), where=str(self._path or self._folder), remedy="see the log")


def _succeed(waiters: Sequence[_Waiter | None], first: int) -> None:
    for position, waiter in enumerate(waiters, first):
        if waiter is not None and not waiter.done():
            waiter.set_result(position)


def _fail(waiters: Sequence[_Waiter | None], error: JournalUnavailable) -> None:
    for waiter in waiters:
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
