"""asyncio's own event loop, spared what can be done without it.

The HTTP server has a thread of its own in which it makes a coroutine of each request and hands it to the loop by
`call_soon_threadsafe`: that wakes the loop's thread, which makes a task of it; and when the hit is on disk the
journal's thread wakes the loop again. On the way of a pixel those changes of threads cost more than all the rest. So a
request is begun right where it arrives, and goes on, once its hit is on disk, where that is known. What does need the
loop (a body to be read, a time to be kept, a file to be opened) asks for it by `await in_loop()`.

Requests that leave the loop out run in other threads than the loop's: what they share with it must bear that.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Generator
from contextvars import Context
from functools import partial
from typing import Any, Protocol


class Waiting(Protocol):
    """What a request may wait for without the loop: a hit on its way to the disk."""

    def then(self, resume: Callable[[Any], object]) -> None:
        """Have `resume` called, in whatever thread, when the waiting is over."""


class EdgeLoop(asyncio.SelectorEventLoop):
    """Begins requests where they arrive, and is woken once per round instead of once per call from a thread.

    asyncio writes a byte to a socket for every call from a thread, to end the loop's wait: a system call during which
    the interpreter lock changes hands. While one such byte has not been read, a second one does nothing. The mark is
    taken back after the bytes were read, never before: whoever sees it still standing has queued its callback already,
    and the loop looks at its queue before it waits again.
    """

    _woken = False

    def call_soon_threadsafe(  # type: ignore[override]  # no handle: nobody takes back a request that has begun
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle | None:
        """Begin a coroutine that a thread hands over, here and now; call anything else soon, as asyncio does."""
        if args and type(args[0]) is types.CoroutineType:
            self._go_on(partial(super().call_soon_threadsafe, callback, *args, context=context), args[0])
            return None
        return super().call_soon_threadsafe(callback, *args, context=context)

    def _go_on(self, into_loop: Callable[[], object], coroutine: types.CoroutineType[Any, Any, Any]) -> None:
        """Carry a request as far as it gets without waiting. The server's own coroutine lets no exception out."""
        try:
            awaited: Waiting | None = coroutine.send(None)
        except StopIteration:
            return
        if awaited is None:
            into_loop()
        else:
            awaited.then(lambda _: self._go_on(into_loop, coroutine))

    def _write_to_self(self) -> None:
        if not self._woken:
            self._woken = True
            super()._write_to_self()  # type: ignore[misc]  # not in the type stubs, in CPython since 3.4

    def _read_from_self(self) -> None:
        super()._read_from_self()  # type: ignore[misc]
        self._woken = False


class _InLoop:
    """Awaited, it gives way once: a task then goes on in the next round of its loop."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def in_loop() -> _InLoop:
    """Return what a request awaits to go on as a task in the event loop, wherever it has begun."""
    return _InLoop()
