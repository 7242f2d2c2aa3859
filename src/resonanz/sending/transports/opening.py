"""From a stored transport to one that delivers. Its secrets are opened when a connection is made, not before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import aiosmtplib

from resonanz.model import TemporaryFailure
from resonanz.sending.named_transports import secret_of
from resonanz.sending.transports.base import Unreachable
from resonanz.sending.transports.smtp import Login, SmtpServer, SmtpTransport
from resonanz.store.transports import StoredTransport

if TYPE_CHECKING:
    from resonanz.sealing import Sealer


def open_stored(stored: StoredTransport, sealer: Callable[[], Sealer], ca_file: Path | None = None) -> SmtpTransport:
    """Return the transport. `sealer` opens its secrets; a transport that belongs to an account is kept out of private
    networks."""
    server = SmtpServer(
        stored.host,
        stored.port,
        stored.security,
        username=stored.username,
        ca_file=ca_file,
        public_only=stored.account_id is not None,
    )
    login = _password_login(stored, sealer) if stored.authentication == "password" else None
    return SmtpTransport(server, name=stored.name, login=login)


def _password_login(stored: StoredTransport, sealer: Callable[[], Sealer]) -> Login:
    async def login(client: aiosmtplib.SMTP) -> None:
        try:
            password = secret_of(stored, sealer())
        except TemporaryFailure as failure:
            raise Unreachable(failure.what, remedy=failure.remedy) from failure
        await client.login(stored.username, password)

    return login
