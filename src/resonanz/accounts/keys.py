"""API keys, and passwords for mail programs: shown once when made, stored as a hash, revoked at any time.

An API key opens every door of its account; a mail password opens the SMTP door and nothing else, so that a lost
telephone costs no more than that. Mail passwords are short enough to be typed: 100 random bits in four groups of
letters and digits.
"""

from __future__ import annotations

import secrets
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
API, MAIL = "api", "mail"
_GROUPS, _GROUP_CHARACTERS = 4, 5
_ALPHABET = "abcdefghijkmnopqrstuvwxyz2345678"  # 32 characters, none of which looks like another
MAX_NAME_CHARACTERS = 80
# Noting every use would make each API call a write.
TOUCH_EVERY = timedelta(minutes=1)


def create_key(database: Database, account_id: UUID, name: str, now: datetime) -> tuple[str, rows.ApiKey]:
    """Make an API key and return its secret, which nobody can read again, with its row. Raises InvalidInput for the
    name."""
    return _create(database, account_id, name, PREFIX + new_secret(), API, now)


def create_mail_password(database: Database, account_id: UUID, name: str, now: datetime) -> tuple[str, rows.ApiKey]:
    """Make a password for one mail program, as `create_key`."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP_CHARACTERS))
    groups = [drawn[start : start + _GROUP_CHARACTERS] for start in range(0, len(drawn), _GROUP_CHARACTERS)]
    return _create(database, account_id, name, "-".join(groups), MAIL, now)


def _create(
    database: Database, account_id: UUID, name: str, secret: str, kind: str, now: datetime
) -> tuple[str, rows.ApiKey]:
    name = " ".join(storable(name).split())
    if not name:
        raise InvalidInput("needs a name", where="name", remedy="name what will use the key")
    if len(name) > MAX_NAME_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_NAME_CHARACTERS} characters", where="name")
    shown = secret[:SHOWN_CHARACTERS] if kind == API else secret[:_GROUP_CHARACTERS]
    key = rows.ApiKey(new_id(), account_id, name, shown, now, None, None, kind)
    with database.write() as tx:
        rows.add_api_key(tx, key, stored(_as_stored(secret)))
    return secret, key


def authenticate_key(database: Database, secret: str, now: datetime) -> rows.Account | None:
    """Return whose API key this is, noting its use at most once a minute; None when it is unknown or revoked."""
    return _authenticate(database, secret, now) if secret.startswith(PREFIX) else None


def authenticate_mail(database: Database, secret: str, now: datetime) -> rows.Account | None:
    """Return whose mail password or API key this is, as `authenticate_key`. Case, spaces and dashes of a mail password
    do not matter: people type it."""
    return _authenticate(database, secret, now)


def _as_stored(secret: str) -> str:
    return secret if secret.startswith(PREFIX) else "".join(secret.lower().replace("-", "").split())


def _authenticate(database: Database, secret: str, now: datetime) -> rows.Account | None:
    if len(secret) > MAX_SECRET_CHARACTERS:
        return None
    with database.read() as tx:
        key = rows.find_api_key(tx, stored(_as_stored(secret)))
        account = rows.get_account(tx, key.account_id) if key and key.revoked_at is None else None
    if key is None or account is None:
        return None
    if key.used_at is None or now - key.used_at >= TOUCH_EVERY:
        # Only a note: on a full disk whoever has a key can still read.
        with suppress(TemporaryFailure), database.write() as tx:
            rows.touch_api_key(tx, key.id, now)
    return account


def revoke_key(database: Database, account_id: UUID, key_id: UUID, kind: str, now: datetime) -> None:
    """End a key of this account: one of `API`, or a mail password, `MAIL`. Raises NotFound when it has no such living
    key: who means a telephone's password must not end a program's key by a mistaken id."""
    with database.write() as tx:
        if not rows.revoke_api_key(tx, account_id, key_id, kind, now):
            what = "key" if kind == API else "mail password"
            raise NotFound(f"no such {what}, or it is revoked already", where="key")
