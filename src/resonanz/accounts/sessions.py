"""Sessions: a random secret in a cookie, its hash in the store, thirty days from the last use."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from resonanz.accounts.secrets import MAX_SECRET_CHARACTERS, new_secret, stored
from resonanz.model import TemporaryFailure
from resonanz.store import Database, Tx
from resonanz.store import accounts as rows

LIFETIME = timedelta(days=30)
# The end moves at most this often: a write per page would make reading cost a transaction.
EXTEND_EVERY = timedelta(hours=1)
MAX_USER_AGENT_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser that is signed in: whose, and since when."""

    account: rows.Account
    session: rows.Session


def start_session(database: Database, account_id: UUID, *, user_agent: str, now: datetime) -> str:
    """Sign a browser in and return the secret for its cookie."""
    with database.write() as tx:
        return open_session(tx, account_id, user_agent=user_agent, now=now)


def open_session(tx: Tx, account_id: UUID, *, user_agent: str, now: datetime) -> str:
    """The same inside a transaction that has just looked whether the browser may come in."""
    secret = new_secret()
    session = rows.Session(account_id, now, now, now + LIFETIME, user_agent[:MAX_USER_AGENT_CHARACTERS])
    rows.add_session(tx, stored(secret), session)
    return secret


def resume_session(database: Database, secret: str, now: datetime) -> SignedIn | None:
    """Return who is signed in with this secret, moving the session's end; None when it is unknown or over."""
    if not secret or len(secret) > MAX_SECRET_CHARACTERS:
        return None
    hashed = stored(secret)
    with database.read() as tx:
        session = rows.find_session(tx, hashed)
        account = rows.get_account(tx, session.account_id) if session and session.expires_at > now else None
    if session is None or account is None:
        return None
    if now - session.seen_at >= EXTEND_EVERY:
        # On a full disk the pages, the status page first of all, must stay readable.
        with suppress(TemporaryFailure), database.write() as tx:
            rows.extend_session(tx, hashed, now, now + LIFETIME)
    return SignedIn(account, session)


def end_session(database: Database, secret: str) -> None:
    """Sign this browser out; an unknown secret is signed out already."""
    with database.write() as tx:
        rows.end_session(tx, stored(secret))


def end_sessions(database: Database, account_id: UUID) -> None:
    """Sign every browser of this account out."""
    with database.write() as tx:
        rows.end_sessions(tx, account_id)
