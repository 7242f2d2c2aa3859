"""Running something in a process aside, for what it loads: that is gone with the process and was never in this one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def aside(work: Callable[[], _T], *, start: str = "fork") -> _T:
    """Return what `work` returns, and raise what it raises; both travel between processes and must be picklable.

    A process that has threads must not be forked: `start` is "spawn" there, which takes longer.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(start)) as process:
        return process.submit(work).result()
