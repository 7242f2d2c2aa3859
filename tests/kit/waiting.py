"""Waiting for something to become true, with a deadline instead of a sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

DEADLINE = 20.0  # seconds: generous, because a test that waits for it has failed anyway


def wait_for(condition: Callable[[], object], what: str = "the condition", *, seconds: float = DEADLINE) -> None:
    """Return once `condition()` is true. Fails the test when it never is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come true within {seconds} seconds"
        time.sleep(0.01)


async def until(condition: Callable[[], object], what: str = "the condition", *, seconds: float = DEADLINE) -> None:
    """The same for coroutines; `condition` may block, it runs in a thread."""
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, f"{what} did not come true within {seconds} seconds"
        await asyncio.sleep(0.01)
