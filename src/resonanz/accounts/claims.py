"""Claiming a sender address: an account says that an address is its own, and whoever reads mail there confirms it.

What is kept of the link is a digest. Following it changes nothing; the form behind it does. Whoever runs the instance
may confirm by hand (`allow_sender`), and alone allows whole domains: a mail reaches an address, not a domain.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from uuid import UUID

from resonanz.accounts.secrets import new_secret, stored
from resonanz.accounts.senders import check_sender
from resonanz.mail.address import Address, parse_address
from resonanz.model import Conflict, Forbidden, InvalidInput, NotFound, TooMany
from resonanz.store import Database, Tx
from resonanz.store.senders import (
    Claim,
    Sender,
    add_sender,
    end_claim,
    find_claim,
    list_claims,
    remove_claim,
    save_claim,
)

VALID_FOR = timedelta(days=3)
AGAIN_AFTER = timedelta(minutes=10)
DAY = timedelta(days=1)
MAX_A_DAY = 10  # of one account: strangers get mail of it
WITHDRAWN, REFUSED = "withdrawn", "refused"
BY_MAIL = "a link in a mail to there"


def claim_sender(tx: Tx, account_id: UUID, text: str, now: datetime) -> tuple[Address, str]:
    """Note that an account says that an address is its own. Returns the address, and the secret that confirms it.

    Raises InvalidInput, Conflict when the account may send from there already, was refused there, or has claimed as
    much today as it may, and TooMany when it claimed this address minutes ago.
    """
    try:
        address = parse_address(text.strip())
    except InvalidInput as error:
        remedy = "name an address; whoever runs this instance can allow a whole domain"
        raise InvalidInput(error.what, where="sender", remedy=remedy) from None
    if _is_allowed(tx, account_id, address):
        raise Conflict("this account may send from there already", where="sender")
    known = list_claims(tx, account_id)
    earlier = next((claim for claim in known if claim.address == address.normalised), None)
    if earlier is not None and earlier.ended == REFUSED:
        remedy = "whoever runs this instance can allow it"
        raise Conflict("somebody who reads mail there has refused", where="sender", remedy=remedy)
    if earlier is not None and now < earlier.created_at + AGAIN_AFTER:
        seconds = math.ceil((earlier.created_at + AGAIN_AFTER - now).total_seconds())
        raise TooMany("a mail is on its way there", retry_after=seconds, where="sender", remedy="look for it, or wait")
    if sum(claim.created_at > now - DAY for claim in known) >= MAX_A_DAY:
        raise Conflict(f"{MAX_A_DAY} addresses were asked within a day", where="sender", remedy="go on tomorrow")
    secret = new_secret()
    save_claim(tx, Claim(account_id, address.normalised, stored(secret), now, now + VALID_FOR))
    return address, secret


def read_claim(database: Database, secret: str, now: datetime) -> Claim:
    """Return what a secret confirms. Raises NotFound for one that is unknown, used, or too old."""
    with database.read() as tx:
        return _claim(tx, secret, now)


def confirm_claim(database: Database, secret: str, now: datetime) -> Claim:
    """Allow the account what it claimed; the secret is used up. Raises NotFound as `read_claim`."""
    with database.write() as tx:
        claim = _claim(tx, secret, now)
        remove_claim(tx, claim.account_id, claim.address)
        add_sender(tx, Sender(claim.account_id, claim.address, now, BY_MAIL))
    return claim


def refuse_claim(database: Database, secret: str, now: datetime) -> Claim:
    """Let what an account claimed be over: nobody is asked there again. Raises NotFound as `read_claim`."""
    with database.write() as tx:
        claim = _claim(tx, secret, now)
        end_claim(tx, claim.account_id, claim.address, REFUSED)
    return claim


def withdraw_claim(database: Database, account_id: UUID, address: str) -> None:
    """Take an account's own claim back. Raises NotFound."""
    try:
        normalised = parse_address(address.strip()).normalised
    except InvalidInput:
        normalised = ""
    with database.write() as tx:
        if not end_claim(tx, account_id, normalised, WITHDRAWN):
            raise NotFound("there is no such claim", where="sender")


def _is_allowed(tx: Tx, account_id: UUID, address: Address) -> bool:
    try:
        check_sender(tx, account_id, [address])
    except Forbidden:
        return False
    return True


def _claim(tx: Tx, secret: str, now: datetime) -> Claim:
    claim = find_claim(tx, stored(secret))
    if claim is None or claim.ended or now > claim.expires_at:
        raise NotFound("this link confirms nothing any more", remedy="it works once, for three days; ask for a new one")
    return claim
