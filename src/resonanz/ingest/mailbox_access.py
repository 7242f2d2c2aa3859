"""What mailboxes are signed in to with: a password, or an access token that a provider gives for a refresh token."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from resonanz.model import InvalidInput, NotFound, TemporaryFailure
from resonanz.store import Database
from resonanz.store import mailboxes as rows
from resonanz.store.mailboxes import MailboxRow

if TYPE_CHECKING:
    from resonanz.outbound.oauth import Ask, Client
    from resonanz.sealing import Sealer


def purpose_of(id: UUID) -> str:
    """What a mailbox's password or refresh token is sealed for."""
    return f"mailbox {id.hex}"


def client_purpose_of(id: UUID) -> str:
    """What the secret of our application at a mailbox's provider is sealed for."""
    return f"mailbox {id.hex} client"


def client_of(row: MailboxRow, sealer: Sealer) -> Client:
    """Return our application at a mailbox's provider. Raises InvalidInput where there is none, TemporaryFailure."""
    from resonanz.outbound.oauth import Client

    if row.authentication != "xoauth2":
        raise InvalidInput("is signed in to by a password, not with a provider", where="mailbox")
    secret = sealer.open(row.client_secret, client_purpose_of(row.id)) if row.client_secret is not None else ""
    return Client(row.provider, row.client_id, secret, row.tenant, row.protocol)


def keep_secret(database: Database, sealer: Sealer, id: UUID, secret: str) -> None:
    """Keep a mailbox's new password or refresh token, sealed. Raises NotFound."""
    sealed = sealer.seal(secret, purpose_of(id))
    with database.write() as tx:
        if not rows.set_secret(tx, id, sealed):
            raise NotFound("there is no such mailbox", where="mailbox")


class Access:
    """What one mailbox is signed in to with. An access token is kept until shortly before it ends: POP3 signs in every
    minute. `ask` is how the provider is asked (None: by the guarded way out)."""

    def __init__(self, database: Database, sealer: Callable[[], Sealer], ask: Ask | None = None) -> None:
        self._database = database
        self._sealer = sealer
        self._ask = ask
        self._token = ""
        self._ends = 0.0

    def secret(self, row: MailboxRow) -> str:
        """Return it. Raises TemporaryFailure while there is none, GrantEnded when somebody has to sign in."""
        sealer = self._sealer()
        stored = sealer.open(row.secret, purpose_of(row.id))
        if row.authentication != "xoauth2":
            return stored
        if not self._token or time.monotonic() >= self._ends:
            self._fetch(row, sealer, stored)
        return self._token

    def drop(self) -> None:
        """Forget a token that the server did not take."""
        self._token = ""

    def _fetch(self, row: MailboxRow, sealer: Sealer, refresh: str) -> None:
        from resonanz.outbound.oauth import EARLY_SECONDS, ask_provider, refresh_tokens

        try:
            tokens = refresh_tokens(client_of(row, sealer), refresh, ask=self._ask or ask_provider)
        except InvalidInput as refused:  # a client that the provider does not know may be put right there
            raise TemporaryFailure(refused.what, where=refused.where, remedy=refused.remedy) from refused
        if tokens.refresh and tokens.refresh != refresh:
            keep_secret(self._database, sealer, row.id, tokens.refresh)
        self._token = tokens.access
        self._ends = time.monotonic() + tokens.seconds - min(EARLY_SECONDS, tokens.seconds / 2)
