"""Runs one edge process under granian until SIGTERM: the public listener, the operators' one, the key file's watch.

Several processes may be given the same port: each binds it with SO_REUSEPORT and the kernel shares connections out.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric

from resonanz.edge.app import Edge, build
from resonanz.edge.documents import Documents
from resonanz.edge.inside import Inside
from resonanz.edge.known import ASK_PATH, Known
from resonanz.edge.loop import EdgeLoop, in_loop
from resonanz.edge.metrics import EdgeMetrics
from resonanz.journal import SqliteJournal
from resonanz.model import InvalidInput
from resonanz.proxies import Network, Proxies
from resonanz.tokens import load_keys

Health = Callable[[], Awaitable[str]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]
Ask = Callable[[bytes], tuple[int, bytes]]
OpsBuilder = Callable[[Health, Callable[[], str], Mapping[str, Ask]], AsgiApp]

_BACKLOG = 4096
_CONNECTIONS = 16_384
_HEADER_SECONDS = 15  # until a request's head must be complete; also how long an idle connection is kept
# Request line and headers: the server answers 431 to more than about twice as much (it doubles its buffer until it is
# past this), or to more than 100 headers.
_HEAD_BYTES = 32_768
_TAKING_SECONDS = 60  # in which a reader must have taken something of what is sent
_DRAIN_SECONDS = 10
_KEYS_SECONDS = 2
_OPEN_FILES = 65_536
_OWN_FILES = 100  # for journal, log, keys, event loops and the operators' listener
_GARBAGE = 20_000  # objects between two looks for garbage; a request leaves none in cycles

_log = structlog.get_logger("resonanz.edge")


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """What one edge process is told. `ops_port` 0 means no listener for operators; without a `documents_folder` no
    document is served, without an `app_url` no page that needs the database, without a `snapshot_file` nothing is
    blocked or silent."""

    keys_file: Path
    journal_folder: Path
    journal_limit_bytes: int
    host: str = "127.0.0.1"
    port: int = 8601
    ops_host: str = "127.0.0.1"
    ops_port: int = 0
    trusted_proxies: tuple[Network, ...] = ()
    proxy_header: str = "x-forwarded-for"
    documents_folder: Path | None = None
    app_url: str = ""
    snapshot_file: Path | None = None


def run(settings: EdgeSettings, *, build_ops: OpsBuilder | None = None) -> None:
    """Serve until SIGTERM or SIGINT, answer what is in flight, close the journal and return.

    Raises InvalidInput when the key file is missing or a port cannot be bound. `build_ops` makes the operators' ASGI
    app out of a health check, what deserves attention, and the questions that only they may ask.
    """
    keys = load_keys(settings.keys_file)
    _check_can_listen(settings.host, settings.port)
    if settings.ops_port:
        _check_can_listen(settings.ops_host, settings.ops_port)
    connections = _prepare_process()
    metrics = EdgeMetrics()
    REGISTRY.register(metrics)
    journal = SqliteJournal.open(settings.journal_folder, limit_bytes=settings.journal_limit_bytes, observer=metrics)
    metrics.journal_available = lambda: journal.available
    metrics.journal_over_limit = lambda: journal.over_limit
    known = Known(settings.snapshot_file)
    metrics.further += [known.families, lambda: [_journal_info(journal)]]
    edge = build(
        keys,
        journal,
        documents=Documents(settings.documents_folder) if settings.documents_folder else None,
        proxies=Proxies(settings.trusted_proxies, settings.proxy_header),
        metrics=metrics,
        inside=Inside(settings.app_url),
        known=known,
    )
    servers = [http_server(edge, settings.host, settings.port, connections=connections)]
    if build_ops is not None and settings.ops_port:
        ops = build_ops(_health(journal), _notes(journal, known), {ASK_PATH: known.ask})
        servers.append(http_server(_in_loop(ops), settings.ops_host, settings.ops_port))
    gc.collect()
    gc.freeze()  # what lives as long as the process is not looked through again and again
    gc.set_threshold(_GARBAGE)
    try:
        with asyncio.Runner(loop_factory=lambda: EdgeLoop(journal.soon)) as runner:
            runner.run(_serve(servers, edge, known, settings))
    finally:
        journal.close()
        REGISTRY.unregister(metrics)


async def _serve(servers: list[Server], edge: Edge, known: Known, settings: EdgeSettings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    watches = [asyncio.create_task(_follow_keys(edge, settings.keys_file)), asyncio.create_task(known.follow())]
    serving = [asyncio.create_task(server.serve()) for server in servers]
    stop = asyncio.create_task(stopping.wait())
    _log.info("edge.started", host=settings.host, port=settings.port)
    await asyncio.wait({stop, *serving}, return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.stop()  # type: ignore[no-untyped-call]
    _, slow = await asyncio.wait(serving, timeout=_DRAIN_SECONDS)
    for task in (*watches, stop, *slow):
        task.cancel()
    for task in serving:
        if task.done():
            task.result()  # raises what the server ended with
    if not stopping.is_set():
        raise RuntimeError("the HTTP server ended by itself")
    _log.info("edge.stopped", cut_off=bool(slow))


def _check_can_listen(host: str, port: int) -> None:
    """Say in our words why a port cannot be had; the server would say it with a page of its own insides."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            where = f"{host}:{port}"
            raise InvalidInput(f"cannot listen: {error.strerror}", where=where, remedy="choose another port") from error


class _Server(Server):
    """Granian, which waits for ever for a reader who takes nothing, with listeners that do not.

    The kernel ends a connection whose data was not taken for TCP_USER_TIMEOUT (tcp(7)), an open window of none
    included; those accepted have it from their listener.
    """

    def _init_shared_socket(self) -> None:
        super()._init_shared_socket()  # type: ignore[no-untyped-call]
        plan: Any = self._ssp  # what each worker would make a listener from
        holder = plan.build()
        self._ssp, self._shd = None, holder
        with socket.socket(fileno=os.dup(holder.get_fd())) as listener:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TAKING_SECONDS * 1000)


def http_server(app: Any, host: str, port: int, *, connections: int = _CONNECTIONS) -> Server:
    """Return granian as the edge runs it, for any ASGI callable; more than `connections` wait to be accepted."""
    return _Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        # Proxies speak HTTP/1 to us. Waiting for what might be the beginning of HTTP/2 has no end in granian: silent
        # connections would stay for ever.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADER_SECONDS * 1000,
            max_buffer_size=_HEAD_BYTES,
        ),
        websockets=False,
        backlog=_BACKLOG,
        backpressure=connections,
        log_enabled=False,
    )


def _in_loop(app: AsgiApp) -> AsgiApp:
    """Return an ASGI app that knows nothing of other threads as one that goes on in the event loop."""

    async def begin(scope: Any, receive: Any, send: Any) -> None:
        await in_loop()
        await app(scope, receive, send)

    return begin


def _prepare_process() -> int:
    """Give the process room for many connections; return how many there is room for.

    Each may have a document open besides. Were connections to take every descriptor, no document could be opened, no
    journal begun, and accepting would fail round and round.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    granted = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return min(_CONNECTIONS, max((granted - _OWN_FILES) // 2, 1))


def _journal_info(journal: SqliteJournal) -> Metric:
    """Tell which file is this process's, so that whoever watches several can match them."""
    family = GaugeMetricFamily("resonanz_journal_info", "The journal of this process.", labels=("journal", "place"))
    family.add_metric((journal.id, journal.place), 1)
    return family


def _health(journal: SqliteJournal) -> Health:
    async def health() -> str:
        return "" if journal.available else f"the journal cannot be written: {journal.trouble}"

    return health


def _notes(journal: SqliteJournal, known: Known) -> Callable[[], str]:
    def notes() -> str:
        full = "the journal is over its limit and grows until the disk is full; is `resonanz worker` running?"
        return "\n".join(filter(None, (known.note(), full if journal.over_limit else "")))

    return notes


async def _follow_keys(edge: Edge, path: Path) -> None:
    """Take up a rotated key file without a restart; a missing or damaged one changes nothing but is logged once."""
    known = _state(path)
    while True:
        await asyncio.sleep(_KEYS_SECONDS)
        state = _state(path)
        if state == known:
            continue
        known = state
        try:
            edge.keys = load_keys(path)
            _log.info("edge.keys_taken_up", path=str(path))
        except (InvalidInput, OSError) as error:
            _log.error("edge.keys_not_readable", path=str(path), error=str(error), remedy="the known keys stay in use")


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
