"""Accounts, sessions, API keys, throttles and choices, as rows. Secrets are stored as SHA-256 or argon2 hashes only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, insert, not_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from resonanz.model import InvalidInput
from resonanz.store.engine import Tx
from resonanz.store.rows import upsert
from resonanz.store.tables import accounts, api_keys, choices, own_sources, senders, sessions, throttles


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    id: UUID
    address: str
    name: str
    password_hash: str
    created_at: datetime
    password_changed_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser."""

    account_id: UUID
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    user_agent: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One API key (`kind` is `api`) or password for a mail program (`mail`), without its secret, which nobody can read
    again."""

    id: UUID
    account_id: UUID
    name: str
    prefix: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    kind: str = "api"


def count_accounts(tx: Tx) -> int:
    """Return how many accounts there are; none means that set-up is not finished."""
    return tx.execute(select(func.count()).select_from(accounts)).scalar_one()


def add_account(tx: Tx, account: Account) -> None:
    """Create an account. Raises InvalidInput when the address is taken."""
    try:
        tx.execute(
            insert(accounts).values(
                id=account.id,
                address=account.address,
                name=account.name,
                password_hash=account.password_hash,
                created_at=account.created_at,
                password_changed_at=account.password_changed_at,
            )
        )
    except IntegrityError:
        raise InvalidInput("there is an account with this address already", where="address") from None


def find_account(tx: Tx, address: str) -> Account | None:
    """Return the account with this normalised address."""
    return _account(tx.execute(select(accounts).where(accounts.c.address == address)).one_or_none())


def get_account(tx: Tx, account_id: UUID) -> Account | None:
    """Return the account with this id."""
    return _account(tx.execute(select(accounts).where(accounts.c.id == account_id)).one_or_none())


def first_account(tx: Tx) -> Account | None:
    """Return the account that was made first, or None before set-up."""
    oldest = select(accounts).order_by(accounts.c.created_at, accounts.c.id).limit(1)
    return _account(tx.execute(oldest).one_or_none())


def list_accounts(tx: Tx) -> list[Account]:
    """Return all accounts, oldest first."""
    rows = tx.execute(select(accounts).order_by(accounts.c.created_at))
    return [account for row in rows if (account := _account(row))]


def set_password(tx: Tx, account_id: UUID, password_hash: str, now: datetime) -> None:
    """Change a password and end every session of the account: whoever knew the old one is out."""
    tx.execute(
        update(accounts).where(accounts.c.id == account_id).values(password_hash=password_hash, password_changed_at=now)
    )
    tx.execute(delete(sessions).where(sessions.c.account_id == account_id))


def rehash_password(tx: Tx, account_id: UUID, password_hash: str) -> None:
    """Store the same password under newer hash parameters; sessions stay."""
    tx.execute(update(accounts).where(accounts.c.id == account_id).values(password_hash=password_hash))


def _account(row: Any) -> Account | None:
    if row is None:
        return None
    return Account(row.id, row.address, row.name, row.password_hash, row.created_at, row.password_changed_at)


# ── Sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def add_session(tx: Tx, secret_hash: bytes, session: Session) -> None:
    """Remember a signed-in browser, and forget those that have expired."""
    tx.execute(delete(sessions).where(sessions.c.expires_at < session.created_at))
    tx.execute(
        insert(sessions).values(
            secret_hash=secret_hash,
            account_id=session.account_id,
            created_at=session.created_at,
            seen_at=session.seen_at,
            expires_at=session.expires_at,
            user_agent=session.user_agent,
        )
    )


def find_session(tx: Tx, secret_hash: bytes) -> Session | None:
    """Return the session with this secret, expired or not."""
    row = tx.execute(select(sessions).where(sessions.c.secret_hash == secret_hash)).one_or_none()
    if row is None:
        return None
    return Session(row.account_id, row.created_at, row.seen_at, row.expires_at, row.user_agent)


def extend_session(tx: Tx, secret_hash: bytes, seen_at: datetime, expires_at: datetime) -> None:
    """Move the end of a session that is in use."""
    tx.execute(
        update(sessions).where(sessions.c.secret_hash == secret_hash).values(seen_at=seen_at, expires_at=expires_at)
    )


def end_session(tx: Tx, secret_hash: bytes) -> None:
    """Sign one browser out."""
    tx.execute(delete(sessions).where(sessions.c.secret_hash == secret_hash))


def note_own_source(tx: Tx, account_id: UUID, source: bytes, now: datetime) -> None:
    """Remember from where an account's browser came, or that it came again."""
    upsert(tx, own_sources, {"account_id": account_id, "source": source}, {"seen_at": now})


def forget_own_sources(tx: Tx, seen_before: datetime) -> None:
    """Forget browsers that have not been seen since."""
    tx.execute(delete(own_sources).where(own_sources.c.seen_at < seen_before))


def list_own_sources(tx: Tx, seen_since: datetime) -> dict[bytes, frozenset[UUID]]:
    """Return by source the accounts whose browsers came from there."""
    found: dict[bytes, set[UUID]] = {}
    for row in tx.execute(select(own_sources).where(own_sources.c.seen_at >= seen_since)):
        found.setdefault(bytes(row.source), set()).add(row.account_id)
    return {source: frozenset(ids) for source, ids in found.items()}


def addresses(tx: Tx) -> dict[str, frozenset[UUID]]:
    """Return the accounts by the addresses they sign in with or may send from, in lower case; domains are left out."""
    own = select(accounts.c.address, accounts.c.id)
    more = select(senders.c.pattern, senders.c.account_id).where(not_(senders.c.pattern.startswith("@")))
    found: dict[str, frozenset[UUID]] = {}
    for address, account in tx.execute(own.union_all(more)):
        found[address.lower()] = found.get(address.lower(), frozenset()) | {account}
    return found


def list_sessions(tx: Tx, account_id: UUID, now: datetime) -> list[tuple[bytes, Session]]:
    """Return an account's living sessions with their secrets' hashes, last used first."""
    living = (sessions.c.account_id == account_id) & (sessions.c.expires_at > now)
    rows = tx.execute(select(sessions).where(living).order_by(sessions.c.seen_at.desc()))
    return [
        (row.secret_hash, Session(row.account_id, row.created_at, row.seen_at, row.expires_at, row.user_agent))
        for row in rows
    ]


def end_sessions(tx: Tx, account_id: UUID) -> None:
    """Sign every browser of an account out."""
    tx.execute(delete(sessions).where(sessions.c.account_id == account_id))


# ── API keys ────────────────────────────────────────────────────────────────────────────────────────────────────────


def add_api_key(tx: Tx, key: ApiKey, secret_hash: bytes) -> None:
    """Store a new key."""
    tx.execute(
        insert(api_keys).values(
            id=key.id,
            account_id=key.account_id,
            name=key.name,
            prefix=key.prefix,
            secret_hash=secret_hash,
            created_at=key.created_at,
            kind=key.kind,
        )
    )


def find_api_key(tx: Tx, secret_hash: bytes) -> ApiKey | None:
    """Return the key with this secret, revoked or not."""
    return _api_key(tx.execute(select(api_keys).where(api_keys.c.secret_hash == secret_hash)).one_or_none())


def list_api_keys(tx: Tx, account_id: UUID, kind: str = "api") -> list[ApiKey]:
    """Return an account's keys of one kind, newest first."""
    mine = (api_keys.c.account_id == account_id) & (api_keys.c.kind == kind)
    rows = tx.execute(select(api_keys).where(mine).order_by(api_keys.c.created_at.desc()))
    return [key for row in rows if (key := _api_key(row))]


def touch_api_key(tx: Tx, key_id: UUID, now: datetime) -> None:
    """Note that a key was used."""
    tx.execute(update(api_keys).where(api_keys.c.id == key_id).values(used_at=now))


def revoke_api_key(tx: Tx, account_id: UUID, key_id: UUID, kind: str, now: datetime) -> bool:
    """End a key of this account and kind. Returns whether there was a living one."""
    theirs = (api_keys.c.id == key_id, api_keys.c.account_id == account_id, api_keys.c.kind == kind)
    living = update(api_keys).where(*theirs, api_keys.c.revoked_at.is_(None))
    return tx.execute(living.values(revoked_at=now)).rowcount > 0


def _api_key(row: Any) -> ApiKey | None:
    if row is None:
        return None
    return ApiKey(row.id, row.account_id, row.name, row.prefix, row.created_at, row.used_at, row.revoked_at, row.kind)


# ── Throttles and choices ───────────────────────────────────────────────────────────────────────────────────────────


def count_attempt(tx: Tx, bucket: str, now: datetime, window_ends_at: datetime) -> tuple[int, datetime]:
    """Count one attempt and return how many this window has seen and when it ends; a window that is over begins anew.

    One statement, so that attempts made at the same moment are all counted.
    """
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    is_over = throttles.c.window_ends_at <= now
    fresh = dialect.insert(throttles).values(bucket=bucket, attempts=1, window_ends_at=window_ends_at)
    counted = fresh.on_conflict_do_update(
        index_elements=["bucket"],
        set_={
            "attempts": case((is_over, 1), else_=throttles.c.attempts + 1),
            "window_ends_at": case((is_over, fresh.excluded.window_ends_at), else_=throttles.c.window_ends_at),
        },
    ).returning(throttles.c.attempts, throttles.c.window_ends_at)
    row = tx.execute(counted).one()
    return row.attempts, row.window_ends_at


def clear_throttle(tx: Tx, bucket: str, now: datetime) -> None:
    """Forget a bucket, and every one whose window is over."""
    tx.execute(delete(throttles).where((throttles.c.bucket == bucket) | (throttles.c.window_ends_at < now)))


def get_choice(tx: Tx, name: str) -> Any:
    """Return what was chosen in the dashboard under this name, or None."""
    return tx.execute(select(choices.c.value).where(choices.c.name == name)).scalar_one_or_none()


def set_choice(tx: Tx, name: str, value: Any, now: datetime) -> None:
    """Remember a choice."""
    upsert(tx, choices, {"name": name}, {"value": value, "changed_at": now})


def delete_choice(tx: Tx, name: str) -> bool:
    """Forget a choice. Returns whether it was there: a one-time secret is used up by whoever gets True."""
    return tx.execute(delete(choices).where(choices.c.name == name)).rowcount > 0
