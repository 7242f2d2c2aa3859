"""API keys: shown once when made, stored as a hash, revoked at any time."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from resonanz.accounts.secrets import MAX_SECRET_CHARACTERS, new_secret, stored
from resonanz.model import InvalidInput, NotFound, TemporaryFailure, new_id
from resonanz.store import Database
from resonanz.store import accounts as rows
from resonanz.store.text import storable

PREFIX = "rz_"  # so that secret scanners and people recognise a leaked one
SHOWN_CHARACTERS = 8
MAX_NAME_CHARACTERS = 80
# Noting every use would make each API call a write.
TOUCH_EVERY = timedelta(minutes=1)


def create_key(database: Database, account_id: UUID, name: str, now: datetime) -> tuple[str, rows.ApiKey]:
    """Make a key and return its secret, which nobody can read again, with its row. Raises InvalidInput for the name."""
    name = " ".join(storable(name).split())
    if not name:
        raise InvalidInput("needs a name", where="name", remedy="name what will use the key")
    if len(name) > MAX_NAME_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_NAME_CHARACTERS} characters", where="name")
    secret = PREFIX + new_secret()
    key = rows.ApiKey(new_id(), account_id, name, secret[:SHOWN_CHARACTERS], now, None, None)
    with database.write() as tx:
        rows.add_api_key(tx, key, stored(secret))
    return secret, key


def authenticate_key(database: Database, secret: str, now: datetime) -> rows.Account | None:
    """Return whose key this is, noting its use at most once a minute; None when it is unknown or revoked."""
    if not secret.startswith(PREFIX) or len(secret) > MAX_SECRET_CHARACTERS:
        return None
    with database.read() as tx:
        key = rows.find_api_key(tx, stored(secret))
        account = rows.get_account(tx, key.account_id) if key and key.revoked_at is None else None
    if key is None or account is None:
        return None
    if key.used_at is None or now - key.used_at >= TOUCH_EVERY:
        # Only a note: on a full disk whoever has a key can still read.
        with suppress(TemporaryFailure), database.write() as tx:
            rows.touch_api_key(tx, key.id, now)
    return account


def revoke_key(database: Database, account_id: UUID, key_id: UUID, now: datetime) -> None:
    """End a key of this account. Raises NotFound when it has no such living key."""
    with database.write() as tx:
        if not rows.revoke_api_key(tx, account_id, key_id, now):
            raise NotFound("no such key, or it is revoked already", where="key")
