"""Accounts for tests, with passwords that cost nothing to hash."""

from __future__ import annotations

from datetime import UTC, datetime

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from resonanz.accounts import Passwords, finish_setup, setup_link_secret
from resonanz.model import TrackingMode
from resonanz.store import Database
from resonanz.store.accounts import Account

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ADDRESS = "alice@example.org"
PASSWORD = "a lamp in the harbour"


def cheap_passwords() -> Passwords:
    """The real thing, with argon2 at its least."""
    return Passwords(PasswordHasher.from_parameters(CHEAPEST))


def make_account(
    database: Database,
    passwords: Passwords,
    *,
    now: datetime = NOON,
    tracking: TrackingMode = TrackingMode.ANONYMOUS,
) -> Account:
    """Alice, made through the set-up as in life."""
    return finish_setup(
        database,
        passwords,
        secret=setup_link_secret(database, now),
        address=ADDRESS,
        name="Alice Adler",
        password=PASSWORD,
        tracking_without_choice=tracking,
        now=now,
    )
