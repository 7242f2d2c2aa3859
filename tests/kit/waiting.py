"""Waiting for something to become true, with a deadline instead of a sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 60.0  # seconds: generous, because a test that waits for it has failed anyway, and machines are slow or busy


def wait_for(condition: Callable[[], T], what: str = "the condition", *, seconds: float = DEADLINE) -> T:
    """Return the first true value of `condition()`. Fails the test when there never is one."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come true within {seconds} seconds"
        time.sleep(0.01)
    return value


async def until(condition: Callable[[], object], what: str = "the condition", *, seconds: float = DEADLINE) -> None:
    """The same for coroutines; `condition` may block, it runs in a thread."""
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, f"{what} did not come true within {seconds} seconds"
        await asyncio.sleep(0.01)
