"""The hits of one commit, and those who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any

from resonanz.journal.codec import Row
from resonanz.model import TemporaryFailure


class JournalUnavailable(TemporaryFailure):
    """The hit is not on disk: the journal cannot be written now, or takes too long."""


class Group:
    """Hits that share a commit. Awaiting it returns the position of the first once all of them are on disk.

    Any number of tasks may wait for one group. It speaks the protocol by which tasks wait for futures (that of
    `asyncio.Future`: `_asyncio_future_blocking`, `add_done_callback`, `result`), but when the commit is done it runs
    all of them in one callback of the loop. A future each would cost a callback each, which at tens of thousands of
    hits a second is the largest part of what a hit costs.
    """

    __slots__ = ("_asyncio_future_blocking", "_error", "_first", "_loop", "_waiting", "acts", "pixels")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.pixels: list[Row] = []
        self.acts: list[Row] = []
        self._loop = loop
        self._waiting: list[tuple[Callable[[Group], object], Context | None]] = []
        self._first = 0
        self._error: JournalUnavailable | None = None
        self._asyncio_future_blocking = False

    def __len__(self) -> int:
        return len(self.pixels) + len(self.acts)

    def succeed(self, first: int) -> None:
        """Resume everyone who waits; the group's first hit has position `first`."""
        self._first = first
        self._resume()

    def fail(self, error: JournalUnavailable) -> None:
        """Make everyone who waits raise `error`."""
        self._error = error
        self._resume()

    def _resume(self) -> None:
        waiting, self._waiting = self._waiting, []
        for resume, context in waiting:
            if context is None:
                resume(self)
            else:
                context.run(resume, self)

    # ── The protocol between tasks and futures ──────────────────────────────────────────────────────────────────────

    def __await__(self) -> Generator[Group, None, int]:
        if not self._first and self._error is None:
            self._asyncio_future_blocking = True
            yield self  # the task resumes by way of `result`, which raises here what it raises
            return self._first
        return self.result()

    def result(self) -> int:
        """Return the position of the first hit, or raise why there is none (anew for each: tracebacks grow)."""
        if self._error is not None:
            raise JournalUnavailable(self._error.what, where=self._error.where, remedy=self._error.remedy)
        return self._first

    def add_done_callback(self, resume: Callable[[Group], object], *, context: Context | None = None) -> None:
        """Have `resume` called when the commit is done. Called by the task that waits."""
        self._waiting.append((resume, context))

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop whose tasks may wait."""
        return self._loop

    def cancel(self, msg: Any = None) -> bool:
        """Say no: a commit under way cannot be taken back. A cancelled task ends when it is resumed."""
        return False
