"""One process that starts the roles, restarts the one that dies, and takes them all down in order.

A role that keeps dying is restarted ever more slowly, but never so slowly that readers stand before a shut door for
long; one that was up for a while starts again at the first delay.
SIGTERM and SIGINT drain: each role gets SIGTERM and its time to finish, then SIGKILL. Roles hold the reading end of a
pipe, so that they also go when the supervisor itself is killed and can say nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

RESTART_DELAYS = (0.2, 1.0, 2.0, 5.0)  # seconds
STEADY_AFTER = 15.0  # seconds up, after which a death counts as the first again
DRAIN_SECONDS = 25.0
LIFELINE = "RESONANZ_LIFELINE_FD"


@dataclass(slots=True)
class _Role:
    name: str
    command: Sequence[str]
    deaths: int = 0


class Supervisor:
    """Runs commands as roles until told to stop. `run` returns the exit code."""

    def __init__(self, commands: Sequence[tuple[str, Sequence[str]]], *, drain_seconds: float = DRAIN_SECONDS) -> None:
        self._roles = [_Role(name, command) for name, command in commands]
        self._drain_seconds = drain_seconds
        self._stopping = asyncio.Event()
        self._lifeline_read, self._lifeline_write = os.pipe()

    async def run(self, *, started: Callable[[], object] | None = None) -> int:
        """Start every role and keep it running; stop on SIGTERM or SIGINT. Returns 0 after a clean stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        async with asyncio.TaskGroup() as group:
            for role in self._roles:
                group.create_task(self._keep(role))
            if started is not None:
                started()
        log.info("stopped")
        return 0

    async def _keep(self, role: _Role) -> None:
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                process = await self._start(role)
                ended: dict[str, object] = {"exit_code": await self._wait(role, process)}
            except OSError as error:  # no memory for one more process, say: it must not take down the other roles
                ended = {"error": str(error)}
            if self._stopping.is_set():
                return
            role.deaths = 1 if time.monotonic() - begun > STEADY_AFTER else role.deaths + 1
            delay = RESTART_DELAYS[min(role.deaths, len(RESTART_DELAYS)) - 1]
            log.error("role died, starting it again", name=role.name, **ended, in_seconds=delay)
            await self._sleep(delay)

    async def _start(self, role: _Role) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *role.command,
            stdin=asyncio.subprocess.DEVNULL,
            env={**os.environ, LIFELINE: str(self._lifeline_read)},
            pass_fds=(self._lifeline_read,),
            start_new_session=True,  # Ctrl-C on a terminal reaches us alone; the roles are stopped in order
        )
        log.debug("role started", name=role.name, pid=process.pid)
        return process

    async def _wait(self, role: _Role, process: asyncio.subprocess.Process) -> int:
        """Wait for the role to end by itself, or, once we are stopping, make it end."""
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        with suppress(ProcessLookupError):  # it has ended at this very moment, and only `ended` does not know yet
            if not ended.done():
                process.terminate()
                await asyncio.wait({ended}, timeout=self._drain_seconds)
            if not ended.done():
                log.warning("role did not finish, killing it", name=role.name, after_seconds=self._drain_seconds)
                process.kill()
        return await ended

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not past the moment when we are told to stop."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def role_command(role: str) -> list[str]:
    """Return the command line that runs one role with this interpreter."""
    return [sys.executable, "-m", "resonanz", role]


def hold_lifeline() -> None:
    """In a role: end this process with SIGTERM when the supervisor is gone. Does nothing without a supervisor."""
    descriptor = os.environ.pop(LIFELINE, "")
    if not descriptor:
        return

    def watch() -> None:
        # Nothing is ever written: reading returns only when the last writing end has closed.
        os.read(int(descriptor), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
