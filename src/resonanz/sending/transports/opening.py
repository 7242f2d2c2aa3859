"""From a stored transport to one that delivers. Its secrets are opened when a connection is made, not before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import aiosmtplib

from resonanz.model import NotFound, TemporaryFailure
from resonanz.outbound.oauth import Ask, Client, ask_provider
from resonanz.sending.access_tokens import AccessTokens
from resonanz.sending.named_transports import client_secret_of, find_transport, seal_secret, secret_of
from resonanz.sending.transports.base import Unreachable
from resonanz.sending.transports.smtp import Login, SmtpServer, SmtpTransport
from resonanz.store import Database
from resonanz.store.transports import StoredTransport, set_secret

if TYPE_CHECKING:
    from resonanz.sealing import Sealer


class Opener:
    """Makes transports of stored ones. `sealer` opens their secrets; `ask` is how providers are asked for tokens.

    A transport that belongs to an account is kept out of private networks.
    """

    def __init__(
        self,
        database: Database,
        sealer: Callable[[], Sealer],
        *,
        ca_file: Path | None = None,
        ask: Ask = ask_provider,
    ) -> None:
        self._database = database
        self.sealer = sealer
        self.ask = ask
        self.ca_file = ca_file

    def open(self, stored: StoredTransport) -> SmtpTransport:
        """Return the transport."""
        server = SmtpServer(
            stored.host,
            stored.port,
            stored.security,
            username=stored.username,
            ca_file=self.ca_file,
            public_only=stored.account_id is not None,
        )
        return SmtpTransport(server, name=stored.name, login=self._login(stored))

    def _login(self, stored: StoredTransport) -> Login | None:
        match stored.authentication:
            case "password":
                return partial(self._by_password, stored)
            case "xoauth2":
                tokens = AccessTokens(partial(self._read, stored), partial(self._keep, stored), ask=self.ask)
                return partial(_by_token, tokens, stored.username)
            case _:
                return None

    async def _by_password(self, stored: StoredTransport, client: aiosmtplib.SMTP) -> None:
        try:
            password = secret_of(stored, self.sealer())
        except TemporaryFailure as failure:
            raise Unreachable(failure.what, remedy=failure.remedy) from failure
        await client.login(stored.username, password)

    def _read(self, stored: StoredTransport) -> tuple[Client, str]:
        """Return the client and the refresh token as they are now: signing in again replaces it."""
        with self._database.read() as tx:
            now = find_transport(tx, stored.name)
        if now.id != stored.id:
            raise NotFound("there is no such transport any more", where=stored.name)
        return client_of(now, self.sealer()), secret_of(now, self.sealer())

    def _keep(self, stored: StoredTransport, refresh: str) -> None:
        with self._database.write() as tx:
            set_secret(tx, stored.id, seal_secret(stored, refresh, self.sealer()))


def client_of(stored: StoredTransport, sealer: Sealer) -> Client:
    """Return our application at the provider, as it is set for this transport. Raises TemporaryFailure."""
    return Client(stored.provider, stored.client_id, client_secret_of(stored, sealer), stored.tenant)


async def _by_token(tokens: AccessTokens, user: str, client: aiosmtplib.SMTP) -> None:
    """Log in with an access token. One that is refused may have been withdrawn: a fresh one is tried once."""
    access = await tokens.get()
    try:
        await client.auth_xoauth2(user, access)
    except aiosmtplib.SMTPAuthenticationError:
        tokens.drop(access)
        await client.auth_xoauth2(user, await tokens.get())
