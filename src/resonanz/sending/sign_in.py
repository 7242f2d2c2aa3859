"""Signing in with a mail provider from a browser: out with a state that only this session can bring back, and in again.

Nothing is kept between the two: state and PKCE verifier are made from the instance's secret, so that no other browser,
session or later time can use what came back.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from resonanz.ingest import mailbox_access
from resonanz.ingest.mailboxes import get_mailbox
from resonanz.model import Forbidden, InvalidInput
from resonanz.outbound.oauth import Ask, Client, ask_provider, exchange_code, sign_in_url
from resonanz.sending.named_transports import change_transport, find_transport
from resonanz.sending.transports.opening import client_of
from resonanz.store import Database
from resonanz.store.mailboxes import MailboxRow
from resonanz.store.transports import StoredTransport

if TYPE_CHECKING:
    from resonanz.sealing import Sealer

PATH = "/transports/signed-in"  # behind the dashboard's address: what is to be registered with the provider
VALID_FOR = timedelta(minutes=15)

_MAILBOX = "mailbox:"  # no name of a transport has a colon


def begin_sign_in(
    stored: StoredTransport | MailboxRow,
    sealer: Sealer,
    *,
    secret: bytes,
    session: str,
    redirect_uri: str,
    now: datetime,
) -> str:
    """Return the provider's address where somebody signs in. Raises InvalidInput, TemporaryFailure."""
    subject = stored.name if isinstance(stored, StoredTransport) else f"{_MAILBOX}{stored.id}"
    client = client_for(stored, sealer)
    ends = int((now + VALID_FOR).timestamp())
    nonce = secrets.token_urlsafe(16)
    said = f"{subject}~{ends}~{nonce}"
    state = f"{said}~{_mac(secret, 'state', session, said)}"
    verifier = _mac(secret, "verifier", session, said)
    return sign_in_url(client, user=stored.username, redirect_uri=redirect_uri, state=state, verifier=verifier)


def finish_sign_in(
    database: Database,
    sealer: Sealer,
    *,
    code: str,
    state: str,
    secret: bytes,
    session: str,
    redirect_uri: str,
    now: datetime,
    ask: Ask = ask_provider,
) -> StoredTransport | MailboxRow:
    """Turn what came back into a refresh token, and keep it sealed: mail that waited goes out, or a mailbox is read.
    Returns what somebody signed in for.

    Raises Forbidden for a state of another session or from long ago, InvalidInput for what the provider refuses.
    """
    said, _, mac = state.rpartition("~")
    if not hmac.compare_digest(mac.encode("utf-8", "surrogatepass"), _mac(secret, "state", session, said).encode()):
        raise Forbidden("this sign-in was begun in another browser", remedy="begin again")
    name, ends, _ = said.split("~")
    if now.timestamp() > int(ends):
        raise Forbidden("this sign-in took too long", remedy="begin again")
    stored = _find(database, name)
    tokens = exchange_code(
        client_for(stored, sealer),
        code,
        redirect_uri=redirect_uri,
        verifier=_mac(secret, "verifier", session, said),
        ask=ask,
    )
    keep_refresh_token(database, sealer, stored, tokens.refresh, now=now)
    return stored


def is_for_mailbox(state: str) -> bool:
    """Whether what came back belongs to a mailbox, not to a transport, as far as its state says."""
    return state.startswith(_MAILBOX)


def client_for(stored: StoredTransport | MailboxRow, sealer: Sealer) -> Client:
    """Return our application at the provider that somebody signs in with. Raises InvalidInput, TemporaryFailure."""
    if isinstance(stored, MailboxRow):
        return mailbox_access.client_of(stored, sealer)
    if stored.authentication != "xoauth2":
        raise InvalidInput("logs in without a provider", where="name", remedy="change its authentication to xoauth2")
    return client_of(stored, sealer)


def keep_refresh_token(
    database: Database, sealer: Sealer, stored: StoredTransport | MailboxRow, refresh: str, *, now: datetime
) -> None:
    """Keep what signing in gave, sealed. Raises NotFound."""
    if isinstance(stored, MailboxRow):
        mailbox_access.keep_secret(database, sealer, stored.id, refresh)
    else:
        change_transport(database, sealer, stored.name, now=now, secret=refresh)


def _find(database: Database, subject: str) -> StoredTransport | MailboxRow:
    if subject.startswith(_MAILBOX):
        return get_mailbox(database, UUID(subject.removeprefix(_MAILBOX)))
    with database.read() as tx:
        return find_transport(tx, subject)


def _mac(secret: bytes, purpose: str, session: str, said: str) -> str:
    """43 characters that PKCE takes as a verifier (RFC 7636 section 4.1)."""
    text = "\n".join((purpose, session, said)).encode("utf-8", "surrogatepass")
    return urlsafe_b64encode(hmac.new(secret, text, sha256).digest()).rstrip(b"=").decode()
