"""What each role runs.

Rooms are imported by the role that needs them: an edge process should not carry a database driver around.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from resonanz import model
from resonanz.app.ops import build_ops
from resonanz.app.serving import Listener, serve
from resonanz.app.supervisor import hold_lifeline
from resonanz.model import TemporaryFailure

if TYPE_CHECKING:
    from resonanz.app.ops import Asgi
    from resonanz.app.settings import Settings
    from resonanz.store import Database

log = structlog.get_logger(__name__)

INGEST_IDLE_SECONDS = 0.1
INGEST_FAILED_SECONDS = 2.0
DATABASE_AWAY_SECONDS = 2.0

Work = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


# ── One by one ──────────────────────────────────────────────────────────────────────────────────────────────────────


def run_edge(settings: Settings, number: int = 0) -> None:
    """Run one edge process; several share the port."""
    from resonanz.edge.serve import EdgeSettings, run

    hold_lifeline()
    run(
        EdgeSettings(
            keys_file=settings.keys_file,
            journal_folder=settings.journal_dir,
            journal_limit_bytes=int(settings.journal_limit),
            documents_folder=settings.documents_dir,
            app_url=settings.app_url,
            snapshot_file=settings.snapshot_file,
            host=settings.listen_host,
            port=settings.edge_port,
            ops_host=settings.ops_host,
            ops_port=settings.ops_port_of("edge", number),
            trusted_proxies=settings.trusted_proxies,
            proxy_header=settings.proxy_header,
        ),
        build_ops=build_ops,
    )


def run_app(settings: Settings) -> None:
    """Run dashboard, API and preview."""
    from resonanz.accounts import Passwords
    from resonanz.accounts.own import OwnBrowsers
    from resonanz.app.doctor import examine
    from resonanz.app.late import Late
    from resonanz.app.watch import Watch
    from resonanz.app.web import build_web
    from resonanz.app.wiring import (
        authenticator,
        delivery_taker,
        keys_of,
        look_up_with,
        opener_of,
        own_sites_of,
        sealer_of,
        secret_of,
        submitter,
        unknown_mode,
    )
    from resonanz.dashboard import DashboardParts, ReaderParts, build, build_preview, build_readers
    from resonanz.notify import Hub
    from resonanz.outbound import Resolver
    from resonanz.proxies import Proxies
    from resonanz.sending.domain_check import dns_check
    from resonanz.sending.transports.outbox import Outbox

    hold_lifeline()
    database = _wait_for_database(settings)
    hub = Hub(database)
    submit = submitter(settings, database)
    check_domain = dns_check(Resolver(settings.dns_servers), settings.edge_url)
    look_up = look_up_with(settings, seconds=2)  # somebody waits for the page behind it
    watch = Watch(settings, database)
    sealer = sealer_of(settings)
    opener = opener_of(settings, database)
    parts = DashboardParts(
        database=database,
        passwords=Passwords(),
        submit=submit,
        examine=lambda: examine(settings),
        hub=hub,
        outbox=None if settings.smtp_url.get_secret_value() else Outbox(settings.outbox_dir),
        dashboard_url=settings.dashboard_url,
        edge_url=settings.edge_url,
        preview_url=settings.preview_url,
        secret=secret_of(settings),
        zone=settings.zone,
        max_message=int(settings.max_message),
        opener=opener,
        proxies=Proxies(settings.trusted_proxies, settings.proxy_header),
        unknown_mode=unknown_mode(settings),
        own_sites=own_sites_of(settings),
        sites_are_fixed=settings.sites is not None,
        mode_is_fixed=settings.tracking_without_choice is not None,
        submission=_submission_of(settings),
        submission_over_tls=_submission_over_tls_of(settings),
        return_path_domain=settings.return_path_domain,
        check_domain=check_domain,
        look_up=look_up,
        note_own=OwnBrowsers(database, secret_of(settings)).note,
        operations=lambda: watch.operations,
        sealer=sealer,
        private_hosts=frozenset(settings.webhook_private_hosts),
        forget_mails=Outbox(settings.outbox_dir).forget,
    )

    def build_api() -> Asgi:
        from resonanz import api

        parts = api.ApiParts(
            database,
            authenticator(database),
            submit,
            int(settings.max_message),
            opener,
            edge_url=settings.edge_url,
            check_domain=check_domain,
            look_up=look_up,
            dashboard_url=settings.dashboard_url,
            sealer=sealer,
            take_delivery=delivery_taker(settings, database, keys_of(settings)),
            private_hosts=frozenset(settings.webhook_private_hosts),
            forget_mails=Outbox(settings.outbox_dir).forget,
        )
        return api.build(parts)

    readers = build_readers(
        ReaderParts(database, partial(keys_of, settings), settings.edge_url, settings.zone, settings.keep_evidence_days)
    )
    web = build_web(api=Late(build_api), dashboard=build(parts), readers=readers)
    listeners = [
        Listener(web, settings.listen_host, settings.dashboard_port),
        Listener(build_preview(parts), settings.listen_host, settings.preview_port),
        _ops(settings, "app", database),
    ]
    _run(database, serve(listeners, [_until_stopped(hub.run), watch.run]))


def _submission_of(settings: Settings) -> str:
    """Where mail clients hand mail in: the dashboard's host, which is the only name of this machine that is known."""
    host = urlsplit(settings.dashboard_url).hostname
    return f"{host}:{settings.submission_port}" if settings.submission_port else ""


def _submission_over_tls_of(settings: Settings) -> str:
    host = urlsplit(settings.dashboard_url).hostname
    is_open = settings.submission_tls_port and settings.relay_certificate
    return f"{host}:{settings.submission_tls_port}" if is_open else ""


def run_worker(settings: Settings) -> None:
    """Run ingest and sending."""
    from resonanz.app.calm import calm_collector
    from resonanz.app.importing import Importer
    from resonanz.app.publishing import Publisher
    from resonanz.app.telling import Teller
    from resonanz.app.webhooks import WebhookRunner
    from resonanz.app.wiring import (
        deliveries_of,
        judging_of,
        keys_of,
        networks_of,
        opener_of,
        own_sites_of,
        places_of,
        sealer_of,
        transport_of,
        unknown_mode,
    )
    from resonanz.ingest.mailboxes import Postmen
    from resonanz.ingest.rounds import Rounds
    from resonanz.journal import JournalReader
    from resonanz.outbound import Resolver
    from resonanz.sending import expansion
    from resonanz.sending.worker import Worker, WorkerSettings

    hold_lifeline()
    database = _wait_for_database(settings)
    worker = Worker(
        database,
        transport_of(settings),
        keys_of(settings),
        WorkerSettings(
            edge_url=settings.edge_url,
            return_path_domain=settings.return_path_domain,
            connections=settings.sending_connections,
            resend_uncertain=settings.resend_uncertain,
            documents_folder=settings.documents_dir,
            signing_keys_folder=settings.signing_keys_dir,
            # The built-in outbox passes nothing on.
            reply_domain=settings.return_path_domain if settings.smtp_url.get_secret_value() else "",
            all_replies=settings.reply_addresses,
        ),
        unknown=unknown_mode(settings),
        mail_hosts=Resolver(settings.dns_servers, seconds=2).mail_hosts,
        open_named=opener_of(settings, database).open,
    )
    sites = own_sites_of(settings)
    publisher = Publisher(database, settings.snapshot_file, sites=sites)
    networks, places = networks_of(settings), places_of(settings)
    rounds = Rounds(
        database,
        JournalReader(settings.journal_dir),
        now=model.now,
        sites=sites,
        judging=judging_of(settings, networks, places),
        files=(networks, places),
    )
    postmen = Postmen(
        database,
        partial(deliveries_of, settings, database, keys_of(settings)),
        sealer_of(settings),
        settings.smtp_ca_file,
    )
    late_after = timedelta(hours=settings.delay_notice_hours) if settings.delay_notice_hours else None
    teller = Teller(database, settings.return_path_domain, late_after)
    webhooks = WebhookRunner(database, sealer_of(settings), settings.webhook_private_hosts)
    work: list[Work] = [
        *(worker.run, partial(expansion.run, database), Importer(database).run),
        *(postmen.run, _ingest(rounds.run), publisher.run, teller.run, webhooks.run),
    ]
    calm_collector()
    _run(database, serve([_ops(settings, "worker", database)], work))


def run_relay(settings: Settings) -> None:
    """Run the SMTP doors."""
    from resonanz.app.wiring import group_submitter, keys_of, mail_authenticator
    from resonanz.relay.serve import RelaySettings, doors

    hold_lifeline()
    database = _wait_for_database(settings)
    work = doors(
        RelaySettings(
            host=settings.listen_host,
            submission_port=settings.submission_port,
            submission_tls_port=settings.submission_tls_port,
            inbound_port=settings.inbound_port,
            return_path_domain=settings.return_path_domain,
            certificate=settings.relay_certificate,
            key=settings.relay_key,
            max_message=int(settings.max_message),
            lmtp=settings.lmtp_listen,
            trusted=settings.trusted_submitters,
        ),
        database=database,
        keys=keys_of(settings),
        authenticate=mail_authenticator(database),
        submit=group_submitter(settings, database),
    )
    _run(database, serve([_ops(settings, "relay", database)], [work]))


# ── Beneath ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wait_for_database(settings: Settings) -> Database:
    """Open the database as soon as it can be used. A role that died of its absence would come back ever more slowly."""
    from resonanz.app.wiring import database_of

    while True:
        try:
            return database_of(settings)
        except TemporaryFailure as failure:
            log.error("waiting for the database", error=str(failure), in_seconds=DATABASE_AWAY_SECONDS)
            time.sleep(DATABASE_AWAY_SECONDS)


def _run(database: Database, serving: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(serving)
    finally:
        database.close()


def _ops(settings: Settings, role: str, database: Database) -> Listener:
    return Listener(build_ops(_health(database)), settings.ops_host, settings.ops_port_of(role))


def _health(database: Database) -> Callable[[], Coroutine[Any, Any, str]]:
    """A role that leans on the database is as well as that."""

    def ask() -> str:
        try:
            with database.read() as tx:
                tx.exec_driver_sql("SELECT 1")
        except TemporaryFailure as failure:
            return failure.what
        return ""

    async def health() -> str:
        return await asyncio.to_thread(ask)

    return health


def _until_stopped(run: Callable[[], Coroutine[Any, Any, None]]) -> Work:
    """Turn a coroutine that runs until it is cancelled into work that ends when it should."""

    async def work(stopping: asyncio.Event) -> None:
        running = asyncio.create_task(run())
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    return work


def _ingest(run_round: Callable[[], int]) -> Work:
    """Go one round after another. A database that is away is waited for: the hits stay in the journal."""

    async def work(stopping: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        # One thread for all rounds: the reader's connections belong to the thread that opened them.
        with ThreadPoolExecutor(1, "ingest") as thread:
            while not stopping.is_set():
                try:
                    taken = await loop.run_in_executor(thread, run_round)
                    pause = 0.0 if taken else INGEST_IDLE_SECONDS
                except TemporaryFailure as failure:
                    log.error("taking hits over has to wait", error=str(failure), in_seconds=INGEST_FAILED_SECONDS)
                    pause = INGEST_FAILED_SECONDS
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), pause)

    return work
