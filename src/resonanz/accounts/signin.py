"""Signing in: address and password in, the secret of a new session out."""

from __future__ import annotations

from datetime import datetime

from resonanz.accounts import throttle
from resonanz.accounts.passwords import Passwords
from resonanz.accounts.sessions import open_session
from resonanz.mail.address import parse_address
from resonanz.model import InvalidInput
from resonanz.store import Database
from resonanz.store import accounts as rows


def sign_in(
    database: Database,
    passwords: Passwords,
    *,
    address: str,
    password: str,
    peer: str,
    user_agent: str,
    now: datetime,
) -> str:
    """Return the secret of a new session for the browser at IP address `peer`.

    Raises InvalidInput, with the same words and after the same work whether the address or the password is wrong, and
    TooMany; both count alike for known and unknown addresses.
    """
    normalised = _normalised(address)
    address_bucket = throttle.address_bucket(normalised or address)
    throttle.count(database, [address_bucket, throttle.network_bucket(peer)], now)
    with database.read() as tx:
        account = rows.find_account(tx, normalised) if normalised else None
    if not passwords.matches(account.password_hash if account else None, password) or account is None:
        raise _wrong()
    renewed = passwords.hash(password) if passwords.is_outdated(account.password_hash) else None
    with database.write() as tx:
        # The race: while argon2 took its time the password may have been changed; then the old one opens nothing.
        current = rows.get_account(tx, account.id)
        if current is None or current.password_hash != account.password_hash:
            raise _wrong()
        rows.clear_throttle(tx, address_bucket, now)
        if renewed:
            rows.rehash_password(tx, account.id, renewed)
        return open_session(tx, account.id, user_agent=user_agent, now=now)


def _wrong() -> InvalidInput:
    return InvalidInput("address or password is wrong", where="password")


def _normalised(address: str) -> str | None:
    """The address as accounts are stored; None for what is no address at all, of which nobody is asked."""
    try:
        return parse_address(address).normalised
    except InvalidInput:
        return None
