"""Processes of their own for work that tests kill: a queue worker, and the making of a campaign's mails.

They are forked from a process that has loaded everything and nothing else, because loading takes longer than the work.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from resonanz import model
from resonanz.sending import expansion
from resonanz.sending.transports import SmtpTransport, read_smtp_url
from resonanz.store import Database, open_database
from tests.kit.workers import worker_on

LEASE = timedelta(seconds=1)

_processes = get_context("forkserver")
_processes.set_forkserver_preload([__name__])


def start_worker(database: Database, smtp_port: int, *, connections: int, resend: bool) -> BaseProcess:
    """Start a worker; whoever starts it ends it."""
    return _start(_work, database, smtp_port, connections, resend)


def start_expanding(database: Database, portion: int) -> BaseProcess:
    """Start making the mails of the campaigns that are due, so many contacts at a time, until it is killed."""
    return _start(_expand, database, portion)


def _start(work: object, database: Database, *arguments: object) -> BaseProcess:
    url = database.engine.url.render_as_string(hide_password=False)
    process = _processes.Process(target=work, args=(url, *arguments), daemon=True)  # type: ignore[arg-type]
    process.start()
    return process


def _work(url: str, smtp_port: int, connections: int, resend: bool) -> None:
    asyncio.run(_work_until_told(url, smtp_port, connections, resend))


async def _work_until_told(url: str, smtp_port: int, connections: int, resend: bool) -> None:
    """Work until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    database = open_database(url)
    worker = worker_on(
        database,
        SmtpTransport(read_smtp_url(f"smtp://127.0.0.1:{smtp_port}"), helo_name="us.example"),
        connections=connections,
        lease=LEASE,
        resend_uncertain=resend,
    )
    await worker.run(stopping)
    database.close()


def _expand(url: str, portion: int) -> None:
    expansion.PORTION = portion
    database = open_database(url)
    while True:
        expansion.advance(database, model.now())
