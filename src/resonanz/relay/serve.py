"""Opening the SMTP doors and closing them in order."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from resonanz.model import InvalidInput
from resonanz.relay.certificates import Certificate
from resonanz.relay.door import Door
from resonanz.relay.inbound import InboundHandler
from resonanz.relay.lmtp import SOCKET_MODE, LmtpDoor, LmtpHandler, clear_socket, read_listen
from resonanz.relay.submission import Authenticate, SubmissionDoor, SubmissionHandler, Submit
from resonanz.relay.trust import Network
from resonanz.store import Database
from resonanz.tokens import Keys

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 12.0

Work = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The doors' own values. A port of 0 opens no door; neither does inbound without a return-path domain, nor the
    door with TLS from the first byte (`submission_tls_port`, RFC 8314 section 3.3) without a certificate. `lmtp` is
    where the inbound door listens once more, for a mail server of this machine (`relay.lmtp.read_listen`).
    Mail servers in `trusted` networks submit without a login."""

    host: str
    submission_port: int
    inbound_port: int
    return_path_domain: str = ""
    submission_tls_port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    max_message: int = 25_000_000
    lmtp: str = ""
    trusted: tuple[Network, ...] = ()


def doors(
    settings: RelaySettings, *, database: Database, keys: Keys, authenticate: Authenticate, submit: Submit
) -> Work:
    """Return the work of the relay role: serve until told to stop, then let what is coming in finish.

    Raises InvalidInput at once for a certificate that cannot be used, and when it runs for a port that is taken.
    """
    certificate = Certificate(settings.certificate, settings.key) if settings.certificate else None
    context = certificate.context if certificate else None
    lmtp_at = read_listen(settings.lmtp, settings.host) if settings.lmtp and settings.return_path_domain else None

    async def work(stopping: asyncio.Event) -> None:
        hostname = await asyncio.to_thread(socket.getfqdn)
        shared: dict[str, Any] = {"hostname": hostname, "data_size_limit": settings.max_message}
        connections: set[Door] = set()
        opened: list[asyncio.Server] = []

        def submission() -> Door:
            handler = SubmissionHandler(database, authenticate, submit)
            return SubmissionDoor(
                handler,
                connections,
                trusted=settings.trusted,
                tls_context=context,
                auth_require_tls=context is not None,
                **shared,
            )

        def submission_over_tls() -> Door:
            # What makes aiosmtpd ask for STARTTLS is left out: the connection is encrypted before it comes here.
            handler = SubmissionHandler(database, authenticate, submit)
            return SubmissionDoor(handler, connections, trusted=settings.trusted, auth_require_tls=False, **shared)

        def inbound() -> Door:
            handler = InboundHandler(database, keys, settings.return_path_domain)
            return Door(handler, connections, tls_context=context, **shared)

        def lmtp() -> Door:
            handler = LmtpHandler(database, keys, settings.return_path_domain)
            return LmtpDoor(handler, connections, **shared)

        try:
            if settings.submission_port:
                opened.append(await _open(submission, _submission_host(settings), settings.submission_port))
            if settings.submission_tls_port and context:
                port = settings.submission_tls_port
                opened.append(await _open(submission_over_tls, settings.host, port, context))
            if settings.inbound_port and settings.return_path_domain:
                opened.append(await _open(inbound, settings.host, settings.inbound_port))
            if isinstance(lmtp_at, Path):
                opened.append(await _open_socket(lmtp, lmtp_at))
            elif lmtp_at:
                opened.append(await _open(lmtp, *lmtp_at))
            await stopping.wait()
        finally:
            for server in opened:
                _close(server)
            await _drain(connections)

    return work


async def _open(
    factory: Callable[[], Door], host: str, port: int, context: ssl.SSLContext | None = None
) -> asyncio.Server:
    try:
        server = await asyncio.get_running_loop().create_server(factory, host or None, port, ssl=context)
    except OSError as error:
        raise InvalidInput(
            f"cannot listen: {error.strerror or error}", where=f"{host}:{port}", remedy="choose another port"
        ) from error
    log.info("SMTP door open", host=host, port=port)
    return server


async def _open_socket(factory: Callable[[], Door], path: Path) -> asyncio.Server:
    clear_socket(path)
    try:
        server = await asyncio.get_running_loop().create_unix_server(factory, path)
        await asyncio.to_thread(path.chmod, SOCKET_MODE)
    except OSError as error:
        raise InvalidInput(
            f"cannot listen: {error.strerror or error}", where=str(path), remedy="choose another place"
        ) from error
    log.info("LMTP door open", path=str(path))
    return server


def _close(server: asyncio.Server) -> None:
    for listening in server.sockets:
        if listening.family is socket.AF_UNIX:
            Path(listening.getsockname()).unlink(missing_ok=True)
    server.close()


def _submission_host(settings: RelaySettings) -> str:
    """Without a certificate a password would travel in clear: then the door opens on this machine only."""
    if settings.certificate is not None or _is_loopback(settings.host):
        return settings.host
    log.warning("without RESONANZ_RELAY_CERTIFICATE mail can be submitted from this machine only")
    return "127.0.0.1"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _drain(connections: set[Door]) -> None:
    for door in list(connections):
        door.say_goodbye()
    deadline = asyncio.get_running_loop().time() + DRAIN_SECONDS
    while connections and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - each ends by itself
        await asyncio.sleep(0.02)
    for door in list(connections):
        door.cut()
