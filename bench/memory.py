"""Memory: what everything that `resonanz up` starts takes while it waits for something to do.

    python -m bench memory [--limit 300]

An instance of its own in a folder of its own, on SQLite, with all five processes, measured once none of them does more
than tick. RSS counts each page in every process that maps it, shared libraries included: its sum is the figure that has
to stay below the limit, and more than the machine gives. PSS divides shared pages among those who share them, so that
its sum is what the machine gives.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.kit.instance import Instance

SETTLED_SHARE = 0.05  # of one processor, over a second, by each process
SETTLE_SECONDS = 60.0


class Memory(NamedTuple):
    """What one process takes, in MB."""

    name: str
    rss: float
    pss: float
    private: float


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="bench memory")
    parser.add_argument("--limit", type=float, default=300.0, help="MB of RSS, all processes together")
    options = parser.parse_args(list(arguments))
    with tempfile.TemporaryDirectory() as folder, Instance(Path(folder)) as instance:
        pids = _family(instance.process.pid)
        _wait_until_idle(pids)
        rows = [_memory(pid) for pid in pids]
    print(f"{'':12} {'RSS':>8} {'PSS':>8} {'private':>8}   MB, idle, {sys.implementation.cache_tag}")
    for row in rows:
        print(f"{row.name:12} {row.rss:>8.1f} {row.pss:>8.1f} {row.private:>8.1f}")
    total = Memory("together", *(sum(row[column] for row in rows) for column in (1, 2, 3)))
    print(f"{total.name:12} {total.rss:>8.1f} {total.pss:>8.1f} {total.private:>8.1f}")
    print(f"{total.rss / options.limit:.2f} of the {options.limit:.0f} MB allowed (RSS)")


def _family(supervisor: int) -> list[int]:
    """Return the supervisor and its roles."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return [supervisor, *map(int, children)]


def _wait_until_idle(pids: Sequence[int]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    before = [_seconds(pid) for pid in pids]
    while time.monotonic() < deadline:
        time.sleep(1)
        after = [_seconds(pid) for pid in pids]
        if all(late - early < SETTLED_SHARE for early, late in zip(before, after, strict=True)):
            return
        before = after


def _seconds(pid: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> Memory:
    role = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[3]
    kilobytes: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, amount, *_ = line.split()
        kilobytes[name.rstrip(":")] = int(amount)
    return Memory(
        role,
        kilobytes["Rss"] / 1024,
        kilobytes["Pss"] / 1024,
        (kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]) / 1024,
    )
