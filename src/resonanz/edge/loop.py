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


class _Request:
    """A coroutine that the server made of a request. Called, it goes on as far as it gets without waiting."""

    __slots__ = ("_coroutine", "_into_loop")

    def __init__(self, coroutine: types.CoroutineType[Any, Any, Any], into_loop: Callable[[], object]) -> None:
        self._coroutine = coroutine
        self._into_loop = into_loop

    def __call__(self, _: object = None) -> None:
        try:
            awaited: Waiting | None = self._coroutine.send(None)
        except StopIteration:  # the only exception that the server lets out of its coroutine
            return
        if awaited is None:
            self._into_loop()
        else:
            awaited.then(self)


class EdgeLoop(asyncio.SelectorEventLoop):
    """Has requests begun elsewhere, and is woken once per round instead of once per call from a thread.

    asyncio writes a byte to a socket for every call from a thread, to end the loop's wait: a system call during which
    the interpreter lock changes hands. While one such byte has not been read, a second one does nothing. The mark is
    taken back after the bytes were read, never before: whoever sees it still standing has queued its callback already,
    and the loop looks at its queue before it waits again.
    """

    _woken = False

    def __init__(self, begin: Callable[[Callable[[], object]], object]) -> None:
        """`begin` is given what begins a request, to be called soon in whatever thread suits."""
        super().__init__()
        self._begin = begin

    def call_soon_threadsafe(  # type: ignore[override]  # no handle: nobody takes back a request that has begun
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle | None:
        """Have a coroutine that a thread hands over begun; call anything else soon in the loop, as asyncio does."""
        if args and type(args[0]) is types.CoroutineType:
            self._begin(_Request(args[0], partial(super().call_soon_threadsafe, callback, *args, context=context)))
            return None
        return super().call_soon_threadsafe(callback, *args, context=context)

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
