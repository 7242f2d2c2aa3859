"""The SMTP doors for tests: really listening, in a thread of this process, with an account and its API key."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from resonanz import model
from resonanz.accounts import authenticate_mail, create_key
from resonanz.relay.serve import RelaySettings, doors
from resonanz.sending.drafts import Draft, Limits, Receipt
from resonanz.sending.together import Together
from resonanz.store import Database, accounts
from resonanz.store.accounts import Account
from tests.kit.ports import free_ports
from tests.kit.waiting import wait_for
from tests.kit.workers import KEYS

DOMAIN = "bounces.sender.example"
LOGIN = "ada@sender.example"
MAX_MESSAGE = 200_000


@dataclass(frozen=True)
class Relay:
    """Where the doors are, and the key that opens the one. `stop` closes them as SIGTERM does."""

    submission_port: int
    submission_tls_port: int
    inbound_port: int
    secret: str
    account: Account
    stop: Callable[[], None]

    def client(self) -> smtplib.SMTP:
        """A connection to the submission door, not logged in."""
        return smtplib.SMTP("127.0.0.1", self.submission_port, timeout=20)

    def logged_in(self) -> smtplib.SMTP:
        """A connection that may submit."""
        client = self.client()
        client.login(LOGIN, self.secret)
        return client

    def over_tls(self, certificate: Path) -> smtplib.SMTP_SSL:
        """A connection to the door with TLS from the first byte, not logged in."""
        context = trusting(certificate)
        return smtplib.SMTP_SSL("localhost", self.submission_tls_port, timeout=20, context=context)

    def inbound(self) -> smtplib.SMTP:
        """A connection to the door for reports."""
        return smtplib.SMTP("127.0.0.1", self.inbound_port, timeout=20)


@contextmanager
def running_relay(
    database: Database,
    *,
    certificate: tuple[Path, Path] | None = None,
    hand_in: Callable[[Draft, datetime], Receipt] | None = None,
    **further: Any,
) -> Iterator[Relay]:
    """Open both doors on free ports until the block ends. `hand_in` replaces the real submit; `further` are values of
    `RelaySettings`."""
    account = Account(uuid4(), LOGIN, "Ada", "x", model.now(), model.now())
    with database.write() as tx:
        accounts.add_account(tx, account)
    secret, _ = create_key(database, account.id, "mail client", model.now())
    submission_port, tls_port, inbound_port = free_ports(3)
    limits = Limits(size_bytes=MAX_MESSAGE, recipients=50)
    work = doors(
        RelaySettings(
            host="127.0.0.1",
            submission_port=submission_port,
            submission_tls_port=tls_port,
            inbound_port=inbound_port,
            return_path_domain=DOMAIN,
            certificate=certificate[0] if certificate else None,
            key=certificate[1] if certificate else None,
            max_message=MAX_MESSAGE,
            **further,
        ),
        database=database,
        keys=KEYS,
        authenticate=lambda key, now: authenticate_mail(database, key, now),
        submit=hand_in or Together(database, limits).submit,
    )
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(work(stopping)), daemon=True)
    thread.start()
    for port in (submission_port, inbound_port):
        wait_for(lambda port=port: _is_open(port), f"port {port}")  # type: ignore[misc]

    def stop() -> None:
        loop.call_soon_threadsafe(stopping.set)

    try:
        yield Relay(submission_port, tls_port, inbound_port, secret, account, stop)
    finally:
        stop()
        thread.join(30)
        assert not thread.is_alive(), "the doors did not close"
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def trusting(certificate: Path) -> ssl.SSLContext:
    """A client's TLS context that trusts only this certificate."""
    return ssl.create_default_context(cafile=str(certificate))
