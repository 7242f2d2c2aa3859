"""The writing side: `SqliteJournal`, an asynchronous append that returns once the hit is on disk.

Hits that arrive while the disk is busy gather in a group. When the writer thread is free it takes the whole group,
writes it in one statement with one fsync, and one call into the event loop resumes everyone who waited and hands over
the next (group commit). The more load, the larger the groups: the cost per hit falls as the load rises.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Mapping
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import structlog

from resonanz.journal.codec import Row, whole_row
from resonanz.journal.group import Group, JournalUnavailable
from resonanz.journal.writer import AppendObserver, Writer
from resonanz.model import Hit, HitKind

DEFAULT_LIMIT_BYTES = 1024**3

_GROUP = 2000  # hits in one commit at most
_KEPT_WHILE_STALLED = 50_000  # hits kept in memory for a disk that does not answer
_GATHER_SECONDS = 0.002  # how long a free writer may be kept waiting for a group that still grows
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
        self._handed_over: SimpleQueue[Group | None] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._groups: deque[Group] = deque()  # gathering; the last one is open
        self._gathered = 0
        self._gathering_since = 0.0
        self._writing: Group | None = None
        self._writing_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._stalled = False
        self._closed = False
        self._thread = Thread(target=self._write_groups, name="journal", daemon=True)
        self._thread.start()

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
        """The journal's id; empty until its file could be opened, another one after a damaged file was set aside."""
        return self._writer.id

    @property
    def available(self) -> bool:
        """Whether the last attempt to write succeeded and the disk answers."""
        return self._writer.available and not self._stalled

    async def append(self, hit: Hit) -> int:
        """Write `hit` and return its position once it is on disk. Raises JournalUnavailable."""
        group = self._gather(hit.kind is HitKind.OPEN, whole_row(hit))
        index = len(group.pixels if hit.kind is HitKind.OPEN else group.acts) - 1
        first = await group
        return first + index if hit.kind is HitKind.OPEN else first + len(group.pixels) + index

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
    ) -> Awaitable[object]:
        """Write a hit whose `token` (its text) was verified; the result is awaited for durability only.

        It is read as the `Hit` with what the token says. Raises JournalUnavailable, at once or when awaited.
        """
        row = (kind, token, occurred_us, method, address, user_agent, headers, body)
        return self._gather(kind is HitKind.OPEN, row)

    def close(self) -> None:
        """Write what is gathered, close the file and free the slot. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for group in self._groups:
            self._handed_over.put(group)
        self._handed_over.put(None)
        self._thread.join()

    # ── In the event loop ───────────────────────────────────────────────────────────────────────────────────────────

    def _gather(self, pixel: bool, row: Row) -> Group:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._adopt(loop)
        if self._stalled or self._closed:
            raise self._refusal(pixel, row)
        group = self._groups[-1] if self._groups else self._begin_group(loop)
        (group.pixels if pixel else group.acts).append(row)
        if len(group.pixels) + len(group.acts) >= _GROUP:
            self._begin_group(loop)
        return group

    def _begin_group(self, loop: asyncio.AbstractEventLoop) -> Group:
        """Open a group. If the writer is free it gets it when this round of the loop is over, and all it brought."""
        if not self._groups and self._writing is None:
            self._gather_from_now(loop)
        group = Group(loop)
        self._groups.append(group)
        return group

    def _gather_from_now(self, loop: asyncio.AbstractEventLoop) -> None:
        self._gathered = 0
        self._gathering_since = time.monotonic()
        loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """Hand the first group to the writer once a round of the loop brings it nothing more.

        While requests stream in, a larger group costs less per hit than an idle disk does.
        """
        if self._writing is not None or not self._groups or self._closed or self._loop is None:
            return
        size = len(self._groups[0])
        if size > self._gathered and time.monotonic() - self._gathering_since < _GATHER_SECONDS:
            self._gathered = size
            self._loop.call_soon(self._hand_over)
            return
        self._writing = self._groups.popleft()
        self._writing_since = time.monotonic()
        self._handed_over.put(self._writing)
        if self._timer is None:
            self._timer = self._loop.call_later(_STALLED_SECONDS / 2, self._look_for_stall)

    def _written(self, group: Group, first: int, error: JournalUnavailable | None) -> None:
        """Take the writer's word for `group`, resume those who waited, and see to the next."""
        self._writing = None
        if self._stalled:
            self._stalled = False
            self._groups.append(Group(group.get_loop()))  # nobody may join those that were refused
        if self._groups:
            self._gather_from_now(group.get_loop())
        if error is None:
            group.succeed(first)
        else:
            group.fail(error)

    def _look_for_stall(self) -> None:
        self._timer = None
        if self._writing is None or self._loop is None:
            return
        if time.monotonic() - self._writing_since > _STALLED_SECONDS:
            self._stalled = True
            _log.error("journal.stalled", path=self._writer.place, remedy="look at the disk")
            for group in (self._writing, *self._groups):
                group.fail(self._no_answer())
        self._timer = self._loop.call_later(_STALLED_SECONDS / 2, self._look_for_stall)

    def _refusal(self, pixel: bool, row: Row) -> JournalUnavailable:
        """Return why a hit is refused. Behind a disk that does not answer it is kept, to be written when it does."""
        if self._closed:
            return JournalUnavailable("the journal is closed", where="journal")
        if sum(map(len, self._groups)) < _KEPT_WHILE_STALLED:
            if not self._groups or len(self._groups[-1]) >= _GROUP:
                assert self._loop is not None
                self._begin_group(self._loop)
            (self._groups[-1].pixels if pixel else self._groups[-1].acts).append(row)
        return self._no_answer()

    def _no_answer(self) -> JournalUnavailable:
        return JournalUnavailable("the disk does not answer", where=self._writer.place, remedy="look at the disk")

    def _adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Work for another loop from now on; what the last one left behind is written, and nobody waits for it."""
        for group in self._groups:
            self._handed_over.put(group)
        self._groups.clear()
        self._loop, self._writing, self._timer = loop, None, None

    # ── In the writer thread ────────────────────────────────────────────────────────────────────────────────────────

    def _write_groups(self) -> None:
        while (group := self._handed_over.get()) is not None:
            if not len(group):
                self._tell(group, 0, None)
                continue
            try:
                first = self._writer.write(group)
            except JournalUnavailable as error:
                self._tell(group, 0, error)
            else:
                self._tell(group, first, None)
                self._writer.keep_to_limit()
        self._writer.close()

    def _tell(self, group: Group, first: int, error: JournalUnavailable | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            group.get_loop().call_soon_threadsafe(self._written, group, first, error)
