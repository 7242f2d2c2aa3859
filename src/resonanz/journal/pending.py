"""A hit on its way to the disk, and who waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from contextvars import Context
from functools import partial
from typing import Any

from resonanz.journal.codec import Row
from resonanz.model import TemporaryFailure


class JournalUnavailable(TemporaryFailure):
    """The hit is not on disk: the journal cannot be written now, or takes too long."""


class Pending:
    """One append. It begins when somebody waits for it, and is waited for once.

    Awaited it gives the hit's position, or 0 when it cannot be written; `error` says why. For tasks it speaks the
    protocol by which they wait for futures (`_asyncio_future_blocking`, `get_loop`, `add_done_callback`, `result`),
    because a future has to be resolved in its loop. Who needs no loop says `then` instead and is called in the writer's
    thread: that saves another thread from being woken for each hit.
    """

    __slots__ = ("_asyncio_future_blocking", "_begin", "_position", "_resume", "error", "is_act", "row")

    def __init__(self, begin: Callable[[Pending], None], is_act: bool, row: Row) -> None:
        """`is_act` is False for a pixel's fetch; `begin` hands the hit to the writer."""
        self.is_act = is_act
        self.row = row
        self._begin = begin
        self._resume: Callable[[Pending], object] | None = None
        self._position = 0
        self.error: JournalUnavailable | None = None
        self._asyncio_future_blocking = False

    def then(self, resume: Callable[[Pending], object]) -> None:
        """Begin, and have `resume` called once the hit is on disk or cannot be written: in the writer's thread, or at
        once in this one. It must not raise and must not take long."""
        self._resume = resume
        self._begin(self)

    def settle(self, position: int, error: JournalUnavailable | None = None) -> None:
        """Tell who waits, if somebody still does, that the hit is on disk at `position`, or why it is not."""
        resume, self._resume = self._resume, None
        if resume is not None:
            self._position, self.error = position, error
            resume(self)

    def abandon(self, error: JournalUnavailable) -> Callable[[], object]:
        """Have nobody wait any more, though the hit may be written yet; return what tells who waited so far."""
        resume, self._resume = self._resume, None
        self.error = error
        return partial(resume, self) if resume is not None else _nothing

    # ── The protocol between tasks and futures ──────────────────────────────────────────────────────────────────────

    def __await__(self) -> Generator[Pending, None, int]:
        self._asyncio_future_blocking = True
        yield self
        return self._position

    def result(self) -> int:
        """Return the hit's position, or 0."""
        return self._position

    def add_done_callback(self, resume: Callable[[Pending], object], *, context: Context | None = None) -> None:
        """Begin, and have `resume` called in the loop of the task that waits."""
        self.then(partial(_call_in_loop, asyncio.get_running_loop(), resume, context))

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop whose tasks may wait: any."""
        return asyncio.get_running_loop()

    def cancel(self, msg: Any = None) -> bool:
        """Say no: a commit under way cannot be taken back. A cancelled task ends when it is resumed."""
        return False


def _call_in_loop(
    loop: asyncio.AbstractEventLoop, resume: Callable[[Pending], object], context: Context | None, pending: Pending
) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
        loop.call_soon_threadsafe(resume, pending, context=context)


def _nothing() -> None:
    """What is told to nobody."""
