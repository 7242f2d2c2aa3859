"""Running something in a process aside, for what it loads: that is gone with the process and was never in this one."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def aside(work: Callable[[], _T], *, start: str = "fork") -> _T:
    """Return what `work` returns, and raise what it raises; both travel between processes and must be picklable.

    A process that has threads must not be forked: `start` is "spawn" there, which takes longer. When this process is
    killed meanwhile, the one aside goes with it, in the middle of its work.
    """
    context = multiprocessing.get_context(start)
    with ProcessPoolExecutor(1, mp_context=context, initializer=_go_with_parent) as process:
        return process.submit(work).result()


def _go_with_parent() -> None:
    """In the process aside: end when the one that waits for it has ended.

    It would not notice by itself: it waits for more work from a pipe whose other end it holds, too. A role that is told
    to stop while its settings are read would leave one behind for ever, with the role's log and sockets.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)  # not by a signal: what this process does about those may come from its parent

    threading.Thread(target=watch, name="parent", daemon=True).start()
