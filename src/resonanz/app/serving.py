"""Running a role: its listeners and background work until SIGTERM, then an orderly end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from resonanz.app.ops import Asgi
from resonanz.model import InvalidInput

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 22.0  # longer than a worker takes to finish its mails, shorter than the supervisor waits
HEADER_SECONDS = 15
MAX_HEADER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Listener:
    """One HTTP address and what answers there; port 0 means none."""

    app: Asgi
    host: str
    port: int


async def serve(
    listeners: Sequence[Listener],
    work: Sequence[Callable[[asyncio.Event], Coroutine[Any, Any, None]]] = (),
    *,
    closing: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve the listeners and run the work until SIGTERM or SIGINT.

    Each piece of work is called with an event that is set when it should finish what it has in hand and return. Work
    that fails ends the role: the supervisor starts it again, and the log has the reason. Raises InvalidInput when a
    port cannot be bound.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    servers = [(listener, _server(listener)) for listener in listeners if listener.port]
    serving = {asyncio.create_task(server.serve()): listener for listener, server in servers}
    working = {asyncio.create_task(piece(stopping)) for piece in work}
    stop = asyncio.create_task(stopping.wait())
    log.info("started", listening=[f"{listener.host}:{listener.port}" for listener, _ in servers])
    try:
        await asyncio.wait({stop, *serving, *working}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told_to = stopping.is_set()
        stopping.set()
        if closing is not None:
            await closing()
        for _, server in servers:
            server.stop()  # type: ignore[no-untyped-call]
        _, slow = await asyncio.wait({stop, *serving, *working}, timeout=DRAIN_SECONDS)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    for task in working:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error
    for serving_task, listener in serving.items():
        if serving_task.done() and not serving_task.cancelled() and (error := serving_task.exception()) is not None:
            raise InvalidInput(
                f"cannot listen: {error}", where=f"{listener.host}:{listener.port}", remedy="choose another port"
            )
    if not told_to:
        raise RuntimeError("the role ended by itself")
    log.info("stopped", cut_off=len(slow))


def _server(listener: Listener) -> Server:
    return Server(
        listener.app,
        address=listener.host,
        port=listener.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,  # with HTTP/2 allowed, connections that say nothing stay for ever
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=MAX_HEADER_BYTES),
        websockets=False,
        log_enabled=False,
    )
