"""Passwords: which ones are accepted, how they are hashed, and how one is changed.

Hashes are argon2id with the parameters of RFC 9106 section 4 (second recommendation: 64 MiB, three passes). They carry
their parameters, so that a hash made under older ones is renewed the next time its owner signs in.
"""

from __future__ import annotations

import threading
from datetime import datetime
from importlib import resources
from typing import Protocol
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from resonanz.accounts import throttle
from resonanz.mail.address import parse_address
from resonanz.model import InvalidInput, NotFound
from resonanz.store import Database
from resonanz.store import accounts as rows

MIN_CHARACTERS = 10
MAX_CHARACTERS = 256  # a person's password is shorter; a megabyte of it would only keep argon2 busy
MIN_DISTINCT_CHARACTERS = 5

# Each hash in the making takes 64 MiB and a core; more of them at once would only let a flood take the machine.
_AT_ONCE = threading.BoundedSemaphore(2)


class Hasher(Protocol):
    """The part of `argon2.PasswordHasher` that is used; tests hand in one with cheap parameters."""

    def hash(self, password: bytes) -> str: ...

    def verify(self, hash: str, password: bytes) -> bool: ...

    def check_needs_rehash(self, hash: str) -> bool: ...


class Passwords:
    """Hashes and verifies passwords, with the same work whether there is an account or not."""

    def __init__(self, hasher: Hasher | None = None) -> None:
        self._hasher: Hasher = hasher or PasswordHasher()
        # Verified against where there is no account, so that an unknown address takes as long as a known one.
        self._nobody = self._hasher.hash(b"nobody's password")

    def hash(self, password: str) -> str:
        """Return the hash to store."""
        with _AT_ONCE:
            return self._hasher.hash(_octets(password))

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether this is the password behind the hash. None, for no account, is worked on just as long and False."""
        candidate = password if len(password) <= MAX_CHARACTERS else ""
        try:
            with _AT_ONCE:
                self._hasher.verify(password_hash or self._nobody, _octets(candidate))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made under other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)


def check_password(password: str, address: str) -> None:
    """Refuse a password that would be guessed first. Raises InvalidInput; the password is never repeated."""
    folded = password.strip().lower()
    local, _, domain = address.lower().rpartition("@")
    if len(password) < MIN_CHARACTERS:
        raise _refused(f"needs at least {MIN_CHARACTERS} characters", "a few words in a row are easy to remember")
    if len(password) > MAX_CHARACTERS:
        raise _refused(f"has more than {MAX_CHARACTERS} characters")
    if folded in {address.lower(), local, domain, local * 2}:
        raise _refused("is your address", "choose something nobody can look up")
    if len(set(folded)) < MIN_DISTINCT_CHARACTERS:
        raise _refused(f"has fewer than {MIN_DISTINCT_CHARACTERS} different characters")
    if folded in _common():
        raise _refused("is one of the first that anybody would try", "choose a few words that do not belong together")


def change_password(
    database: Database, passwords: Passwords, account_id: UUID, *, current: str, new: str, now: datetime
) -> None:
    """Change a password and end every session of the account.

    Raises InvalidInput with `where` naming the field (`current` or `new`), NotFound, and TooMany: an open session does
    not make guessing the current password any cheaper than signing in.
    """
    with database.read() as tx:
        account = rows.get_account(tx, account_id)
    if account is None:
        raise NotFound("no such account", where="account")
    throttle.count(database, [throttle.address_bucket(account.address)], now)
    if not passwords.matches(account.password_hash, current):
        raise InvalidInput("is not your current password", where="current")
    _set(database, passwords, account, new, now)


def reset_password(database: Database, passwords: Passwords, address: str, new: str, now: datetime) -> None:
    """Set a password for whoever administers the machine, who needs to know no old one. Ends every session.

    Raises NotFound for an unknown address and InvalidInput for a refused password.
    """
    with database.read() as tx:
        account = rows.find_account(tx, parse_address(address).normalised)
    if account is None:
        raise NotFound("no account with this address", where="address")
    _set(database, passwords, account, new, now)


def _set(database: Database, passwords: Passwords, account: rows.Account, new: str, now: datetime) -> None:
    check_password(new, account.address)
    password_hash = passwords.hash(new)
    with database.write() as tx:
        rows.set_password(tx, account.id, password_hash, now)
        rows.clear_throttle(tx, throttle.address_bucket(account.address), now)


def _refused(what: str, remedy: str = "") -> InvalidInput:
    return InvalidInput(what, where="new", remedy=remedy)


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")  # JSON can spell half a character; it is odd, not an error


def _common() -> frozenset[str]:
    text = resources.files("resonanz.accounts").joinpath("common-passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
