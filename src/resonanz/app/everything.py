"""`resonanz up`: set everything up, then supervise every role and say where to go once all are well.

This process stays for as long as the instance runs and does next to nothing. It loads next to nothing, too: what
setting up needs is loaded in a process aside, what roles need in theirs.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog

from resonanz.app.aside import aside
from resonanz.app.supervisor import Supervisor, role_command
from resonanz.model import InvalidInput, TemporaryFailure

if TYPE_CHECKING:
    from resonanz.app.settings import Settings

log = structlog.get_logger(__name__)

START_SECONDS = 60.0
SET_UP_FAILED_SECONDS = 5.0
_ANSWER_SECONDS = 2.0


def run_all(settings: Settings) -> int:
    """Set up, start every role under the supervisor, say where to go, and return the exit code."""
    _check_ports(settings)
    try:
        link, is_set_up = aside(partial(_set_up, settings)), True
    except TemporaryFailure as failure:
        # The edge needs no database, and readers must not wait for one; the other roles wait for it themselves.
        log.error("setting up has to wait; the edge is started", error=str(failure), in_seconds=SET_UP_FAILED_SECONDS)
        link, is_set_up = None, False

    async def main() -> int:
        greeting: list[asyncio.Task[None]] = []
        supervisor = Supervisor(_commands(settings))

        async def greet() -> None:
            await _greet(settings, link if is_set_up else await _set_up_at_last(settings))

        return await supervisor.run(started=lambda: greeting.append(asyncio.create_task(greet())))

    return asyncio.run(main())


def _commands(settings: Settings) -> list[tuple[str, Sequence[str]]]:
    commands: list[tuple[str, Sequence[str]]] = [
        (f"edge {number}" if number else "edge", [*role_command("edge"), "--number", str(number)])
        for number in range(settings.edge_processes)
    ]
    commands += [("app", role_command("app")), ("worker", role_command("worker"))]
    if settings.has_relay:
        commands.append(("relay", role_command("relay")))
    return commands


def _check_ports(settings: Settings) -> None:
    """Raise InvalidInput naming a port that something else listens on.

    The edge shares its port on purpose (SO_REUSEPORT); two instances would share it too, silently, and each would get
    half of the other's readers.
    """
    names = ["dashboard_port", "edge_port", "preview_port", "submission_port", "inbound_port"]
    for name in [*names, *(["submission_tls_port"] if settings.relay_certificate else [])]:
        port = getattr(settings, name)
        if not port:
            continue
        with socket.socket(socket.AF_INET6 if ":" in settings.listen_host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.listen_host, port))
            except OSError as error:
                raise InvalidInput(
                    f"cannot listen on {settings.listen_host}:{port}: {error.strerror or error}",
                    where=f"RESONANZ_{name.upper()}",
                    remedy="stop what listens there, or choose another port",
                ) from error


def _set_up(settings: Settings) -> str | None:
    from resonanz.app.wiring import prepare, setup_link

    prepare(settings)
    return setup_link(settings)


async def _set_up_at_last(settings: Settings) -> str | None:
    """Set up once the database is there."""
    while True:
        await asyncio.sleep(SET_UP_FAILED_SECONDS)
        try:
            return await asyncio.to_thread(aside, partial(_set_up, settings), start="spawn")  # threads must not fork
        except Exception as failure:  # whatever it is: the edge goes on, and whoever runs us reads why the rest waits
            log.error("setting up has to wait", error=str(failure), in_seconds=SET_UP_FAILED_SECONDS)


# ── Saying where to go ──────────────────────────────────────────────────────────────────────────────────────────────


async def _greet(settings: Settings, link: str | None) -> None:
    """Wait until every role answers that it is well, then say where everything is."""
    addresses = _health_of_all(settings)
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while not all([await _is_well(host, port) for host, port in addresses]):
        if asyncio.get_running_loop().time() > deadline:
            log.error("not everything came up; the lines above say why", after_seconds=START_SECONDS)
            return
        await asyncio.sleep(0.1)
    lines = ["", "Resonanz is running.", "", f"  Dashboard     {settings.dashboard_url}"]
    if link is not None:
        lines += ["", "  Create the first account with this link; it works once, within 24 hours:", f"  {link}"]
    print("\n".join([*lines, "", "  Ctrl-C stops it.", ""]), flush=True)


def _health_of_all(settings: Settings) -> list[tuple[str, int]]:
    """Where each role answers whether it is well."""
    host = "127.0.0.1" if settings.listen_host in ("0.0.0.0", "::", "") else settings.listen_host  # noqa: S104
    addresses = [(host, port) for port in (settings.dashboard_port, settings.edge_port)]
    roles = ["worker", "relay"] if settings.has_relay else ["worker"]
    if settings.ops_port:
        addresses += [(settings.ops_host, settings.ops_port_of(role)) for role in roles]
    return addresses


async def _is_well(host: str, port: int) -> bool:
    """Ask for `/healthz`, by hand: an HTTP client would be the largest thing in this process."""
    with suppress(OSError, ValueError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii"))
                return (await reader.readline()).startswith(b"HTTP/1.1 200")
            finally:
                writer.close()
    return False
