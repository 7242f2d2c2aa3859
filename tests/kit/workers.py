"""A queue worker for tests, run in this process until the queue is as the test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from resonanz import model
from resonanz.model import TrackingMode
from resonanz.sending.receivers import MailHosts
from resonanz.sending.transports.base import Delivery, Envelope, Transport
from resonanz.sending.worker import Worker, WorkerSettings
from resonanz.store import Database, queue
from resonanz.tokens import Key, Keys
from tests.kit.waiting import until

KEYS = Keys([Key(1, bytes(range(32)))])
EDGE = "https://t.sender.example"


class ScriptedTransport:
    """Answers each delivery as told, and keeps what it was given."""

    name = "scripted"

    def __init__(self, answer: Callable[[Envelope, bytes], Awaitable[Delivery]] | None = None) -> None:
        self.answer = answer
        self.taken: list[tuple[Envelope, bytes]] = []

    async def deliver(self, envelope: Envelope, message: bytes) -> Delivery:
        await envelope.handing_over()
        self.taken.append((envelope, message))
        return await self.answer(envelope, message) if self.answer else Delivery("250 taken")

    async def check(self) -> str:
        return "always well"

    async def close(self) -> None:
        return


def worker_on(
    database: Database,
    transport: Transport,
    *,
    unknown: TrackingMode = TrackingMode.INDIVIDUAL,
    clock: Callable[[], datetime] = model.now,
    return_path_domain: str = "",
    connections: int = 4,
    lease: timedelta = timedelta(seconds=30),
    resend_uncertain: bool = False,
    documents_folder: Path | None = None,
    signing_keys_folder: Path | None = None,
    mail_hosts: MailHosts | None = None,
) -> Worker:
    """Return a worker with the tests' keys and edge."""
    settings = WorkerSettings(
        edge_url=EDGE,
        return_path_domain=return_path_domain,
        connections=connections,
        lease=lease,
        resend_uncertain=resend_uncertain,
        documents_folder=documents_folder,
        signing_keys_folder=signing_keys_folder,
    )
    return Worker(database, transport, KEYS, settings, unknown=lambda _tx: unknown, clock=clock, mail_hosts=mail_hosts)


def run_until(worker: Worker, condition: Callable[[], object], what: str = "the queue") -> None:
    """Run the worker until `condition()` holds, then stop it in order."""

    async def main() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(worker.run(stopping))
        try:
            await until(condition, what)
        finally:
            stopping.set()
            await running

    asyncio.run(main())


def is_empty(database: Database) -> Callable[[], bool]:
    """The condition that nothing is left in the queue."""

    def ask() -> bool:
        with database.read() as tx:
            return queue.depth(tx) == 0

    return ask
