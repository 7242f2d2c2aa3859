"""asyncio's own event loop with one saving: it is woken once per round, not once per request."""

from __future__ import annotations

import asyncio


class EdgeLoop(asyncio.SelectorEventLoop):
    """Leaves out wake-ups that change nothing.

    The server's threads hand each request over with `call_soon_threadsafe`, and each time asyncio writes a byte to a
    socket to end the loop's wait: a system call during which the interpreter lock changes hands. While one such byte
    has not been read, a second one does nothing.

    The mark is taken back after the bytes were read, never before: whoever sees it still standing has queued its
    callback already, and the loop looks at its queue before it waits again.
    """

    _woken = False

    def _write_to_self(self) -> None:
        if not self._woken:
            self._woken = True
            super()._write_to_self()  # type: ignore[misc]  # not in the type stubs, in CPython since 3.4

    def _read_from_self(self) -> None:
        super()._read_from_self()  # type: ignore[misc]
        self._woken = False
