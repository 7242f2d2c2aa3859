"""The first account: made once, through a link that only whoever started the instance can have seen."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from resonanz.accounts.instance import choose_tracking_without_choice
from resonanz.accounts.passwords import Passwords, check_password
from resonanz.accounts.secrets import new_secret, stored
from resonanz.mail.address import parse_address
from resonanz.model import Forbidden, InvalidInput, TrackingMode, from_microseconds, new_id, to_microseconds
from resonanz.store import Database, Tx
from resonanz.store import accounts as rows
from resonanz.store.text import storable

LINK_LIFETIME = timedelta(hours=24)
MAX_NAME_CHARACTERS = 120

_LINK = "setup_link"


def setup_link_secret(database: Database, now: datetime) -> str:
    """Return a fresh secret for the set-up link, valid for 24 hours; one that was given out before ends.

    Raises Forbidden when there is an account already.
    """
    secret = new_secret()
    with database.write() as tx:
        if rows.count_accounts(tx):
            raise Forbidden("set-up is finished: there is an account", where="set-up")
        link = {"hash": stored(secret).hex(), "expires_us": to_microseconds(now + LINK_LIFETIME)}
        rows.set_choice(tx, _LINK, link, now)
    return secret


def set_up_is_open(database: Database, secret: str, now: datetime) -> bool:
    """Whether this secret opens the set-up right now."""
    with database.read() as tx:
        return _opens(tx, secret, now)


def finish_setup(
    database: Database,
    passwords: Passwords,
    *,
    secret: str,
    address: str,
    name: str,
    password: str,
    tracking_without_choice: TrackingMode,
    now: datetime,
) -> rows.Account:
    """Create the first account and remember the tracking choice; works exactly once.

    Raises Forbidden when the link is wrong, over or used up, and InvalidInput with `where` naming the field
    (`address`, `name`, `password`); after InvalidInput the link still works.
    """
    if not set_up_is_open(database, secret, now):
        raise _closed()
    account = _new_account(passwords, address, name, password, now)
    with database.write() as tx:
        # Whoever deletes the link's row used it up; a second request at the same moment finds none and is refused.
        if not _opens(tx, secret, now) or not rows.delete_choice(tx, _LINK) or rows.count_accounts(tx):
            raise _closed()
        rows.add_account(tx, account)
        choose_tracking_without_choice(tx, tracking_without_choice, now)
    return account


def create_account(
    database: Database, passwords: Passwords, *, address: str, name: str, password: str, now: datetime
) -> rows.Account:
    """Create a further account, which does not run the instance. Raises InvalidInput as `finish_setup`, and for an
    address that is taken; Forbidden while there is no first account."""
    account = _new_account(passwords, address, name, password, now)
    with database.write() as tx:
        if not rows.count_accounts(tx):
            raise Forbidden(
                "the first account is made through the set-up link", remedy="`resonanz account link` prints it"
            )
        rows.add_account(tx, account)
    return account


def _new_account(passwords: Passwords, address: str, name: str, password: str, now: datetime) -> rows.Account:
    mailbox = parse_address(address)
    name = " ".join(storable(name).split()) or mailbox.name
    if len(name) > MAX_NAME_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_NAME_CHARACTERS} characters", where="name")
    try:
        check_password(password, mailbox.normalised)
    except InvalidInput as refused:
        raise InvalidInput(refused.what, where="password", remedy=refused.remedy) from None
    return rows.Account(new_id(), mailbox.normalised, name, passwords.hash(password), now, now)


def _opens(tx: Tx, secret: str, now: datetime) -> bool:
    link = rows.get_choice(tx, _LINK)
    if link is None or rows.count_accounts(tx):
        return False
    return hmac.compare_digest(bytes.fromhex(link["hash"]), stored(secret)) and (
        now < from_microseconds(link["expires_us"])
    )


def _closed() -> Forbidden:
    return Forbidden(
        "this set-up link does not work (any more)",
        where="set-up",
        remedy="`resonanz account link` prints a fresh one while there is no account",
    )
