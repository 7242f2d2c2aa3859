"""The writing side: `SqliteJournal`, an append that is done once the hit is on disk.

Hits that arrive while the disk is busy gather. When the writer's thread is free it takes all of them, writes them in
one statement with one fsync, tells everyone who waits, and takes what has gathered meanwhile (group commit). The more
load, the larger the groups: the cost per hit falls as the load rises. Hits may come from any thread and any event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path
from threading import Event, Lock, Thread

import structlog

from resonanz.journal.codec import Row, token_row, whole_row
from resonanz.journal.pending import JournalUnavailable, Pending
from resonanz.journal.writer import AppendObserver, Writer
from resonanz.model import Hit, HitKind

DEFAULT_LIMIT_BYTES = 1024**3

_GROUP = 2000  # hits in one commit at most
_GATHER_SECONDS = 0.0005  # between two commits: hits gather, and ingest, which trims the file, gets its turn
_KEPT_WHILE_STALLED = 50_000  # hits kept in memory for a disk that does not answer
_STALLED_SECONDS = 2.0  # a commit that takes longer is no longer waited for

_log = structlog.get_logger("resonanz.journal")


class SqliteJournal:
    """The journal of one edge process.

    It never refuses to be opened: an edge must answer readers on a full disk too. Appends raise `JournalUnavailable`
    until writing works again, which every append tries anew.
    """

    def __init__(self, folder: Path, limit_bytes: int, observer: AppendObserver | None) -> None:
        self._writer = Writer(folder, limit_bytes, observer)
        self._writer.open()
        self._lock = Lock()  # held for what follows; never while anything is waited for
        self._calls: list[Callable[[], object]] = []
        self._gathered: list[Pending] = []
        self._writing: list[Pending] = []
        self._busy = False  # the writer is at the disk, with `_writing` or with keeping the file to its limit
        self._busy_since = 0.0
        self._idle = False
        self._stalled = False
        self._closed = False
        self._wake = Lock()  # taken while the writer has nothing to do
        self._wake.acquire()
        self._ended = Event()
        self._threads = [
            Thread(target=self._write_groups, name="journal", daemon=True),
            Thread(target=self._look_for_stall, name="journal-watch", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @classmethod
    def open(
        cls, folder: Path, *, limit_bytes: int = DEFAULT_LIMIT_BYTES, observer: AppendObserver | None = None
    ) -> SqliteJournal:
        """Open the first free journal in `folder`, or begin one.

        `limit_bytes` is what the file may grow to while nobody reads it; then the oldest pixel fetches are given up.
        """
        return cls(folder, limit_bytes, observer)

    @property
    def id(self) -> str:
        """The journal's id; empty until its file could be opened, another one each time that it is."""
        return self._writer.id

    @property
    def available(self) -> bool:
        """Whether the last attempt to write succeeded and the disk answers."""
        return self._writer.available and not self._stalled

    @property
    def trouble(self) -> str:
        """Why it is not available; says nothing while it is."""
        return "the disk does not answer" if self._stalled else self._writer.trouble

    @property
    def over_limit(self) -> bool:
        """Whether it holds more than its limit although there are no pixel fetches to give up: until somebody takes the
        hits over it grows with every click."""
        return self._writer.over_limit

    @property
    def place(self) -> str:
        """The file, or the folder while there is none."""
        return self._writer.place

    async def append(self, hit: Hit) -> int:
        """Write `hit` and return its position once it is on disk. Raises JournalUnavailable."""
        pending = self._pending(hit.kind, whole_row(hit))
        position = await pending
        if pending.error is not None:
            # Anew for each: the group shares one error, and its traceback would grow with everyone who raises it.
            raise JournalUnavailable(pending.error.what, where=pending.error.where, remedy=pending.error.remedy)
        return position

    def append_token(
        self,
        kind: HitKind,
        token: str,
        occurred_us: int,
        method: str,
        address: str,
        user_agent: str,
        headers: Mapping[str, str],
        body: str = "",
    ) -> Pending:
        """Return what writes a hit whose `token` (its text) was verified once it is awaited.

        Awaited it is the hit's position, or 0 when it cannot be written. It is read as the `Hit` with what the token
        says.
        """
        return self._pending(kind, token_row(kind, token, occurred_us, method, address, user_agent, headers, body))

    def soon(self, call: Callable[[], object]) -> None:
        """Have `call` run in the writer's thread before its next commit, in a row with whatever else is to be run then.

        That is for what ends in an append: done in a row by one thread it costs less than half of what it does when
        threads take turns. While the disk does not answer it is run at once. It must not raise and must not wait.
        """
        with self._lock:
            runs_now = self._stalled or self._closed
            if not runs_now:
                self._calls.append(call)
                idle, self._idle = self._idle, False
        if runs_now:
            call()
        elif idle:
            self._wake.release()

    def close(self) -> None:
        """Write what is gathered, close the file and free the slot. Safe to call twice."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, False
        if idle:
            self._wake.release()
        for thread in self._threads:
            thread.join()

    # ── In the threads of those who append ──────────────────────────────────────────────────────────────────────────

    def _pending(self, kind: HitKind, row: Row) -> Pending:
        return Pending(self._gather, kind is not HitKind.OPEN, row)

    def _gather(self, hit: Pending) -> None:
        with self._lock:
            refused = self._stalled or self._closed
            if not refused:
                self._gathered.append(hit)
                idle, self._idle = self._idle, False
        if refused:
            self._refuse(hit)
        elif idle:
            self._wake.release()

    def _refuse(self, hit: Pending) -> None:
        """Say no. Behind a disk that does not answer the hit is kept all the same, to be written when it does."""
        with self._lock:
            if self._closed:
                error = JournalUnavailable("the journal is closed", where="journal")
            else:
                error = self._no_answer()
                if len(self._gathered) < _KEPT_WHILE_STALLED:
                    self._gathered.append(hit)
            tell = hit.abandon(error)
        tell()

    def _no_answer(self) -> JournalUnavailable:
        return JournalUnavailable("the disk does not answer", where=self._writer.place, remedy="look at the disk")

    # ── In the writer's thread ──────────────────────────────────────────────────────────────────────────────────────

    def _write_groups(self) -> None:
        while (group := self._next_group()) is not None:
            try:
                first = self._writer.write(group)
            except JournalUnavailable as error:
                self._tell(group, 0, error)
            else:
                self._tell(group, first, None)
                self._writer.keep_to_limit()
        self._writer.close()
        self._ended.set()

    def _next_group(self) -> list[Pending] | None:
        """Wait for hits and return them, pixels first; None when the journal is closed and all is written."""
        while True:
            with self._lock:
                self._busy = self._stalled = False
            time.sleep(_GATHER_SECONDS)
            with self._lock:
                calls, self._calls = self._calls, []
            for call in calls:
                _run(call)
            with self._lock:
                group, self._gathered = self._gathered[:_GROUP], self._gathered[_GROUP:]
                group.sort(key=attrgetter("is_act"))
                self._writing, self._busy, self._busy_since = group, bool(group), time.monotonic()
                has_more = bool(group or self._calls)
                idle = self._idle = not (has_more or self._closed)
            if group:
                return group
            if idle:
                self._wake.acquire()
            elif not has_more:
                return None

    def _tell(self, group: list[Pending], first: int, error: JournalUnavailable | None) -> None:
        with self._lock:
            self._writing = []
        for position, hit in enumerate(group, first):
            _run(partial(hit.settle, position, error))

    # ── In the thread that watches the disk ─────────────────────────────────────────────────────────────────────────

    def _look_for_stall(self) -> None:
        """Tell those who wait for a disk that does not answer that they need not wait."""
        while not self._ended.wait(_STALLED_SECONDS / 2):
            with self._lock:
                if not self._busy or time.monotonic() - self._busy_since < _STALLED_SECONDS:
                    continue
                self._stalled = True
                error = self._no_answer()
                told = [hit.abandon(error) for hit in (*self._writing, *self._gathered)]
                calls, self._calls = self._calls, []
            _log.error("journal.stalled", path=self._writer.place, remedy="look at the disk")
            for call in (*told, *calls):
                _run(call)


def _run(call: Callable[[], object]) -> None:
    """Run what answers somebody. Whatever that sets off, the thread that everybody else waits for goes on."""
    try:
        call()
    except Exception:
        _log.exception("journal.answer_failed")
