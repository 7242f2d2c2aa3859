"""Which addresses an account may send from: its own, and what whoever runs the instance has allowed it.

The account that runs the instance may send from any address: it could allow itself each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from resonanz.accounts.operators import is_operator
from resonanz.mail.address import Address, ascii_domain, parse_address
from resonanz.model import Conflict, Forbidden, InvalidInput, NotFound
from resonanz.store import Database, Tx
from resonanz.store import accounts as rows
from resonanz.store.senders import Sender, accounts_allowed, add_sender, allowed_among, remove_claim, remove_sender


def check_sender(tx: Tx, account_id: UUID, addresses: Iterable[Address]) -> None:
    """Raise Forbidden unless the account may send from each of these addresses."""
    account = rows.get_account(tx, account_id)
    own = account.address if account else ""
    wanted = {address.normalised: address for address in addresses if address.normalised != own}
    if not wanted or is_operator(tx, account_id):
        return
    allowed = allowed_among(tx, account_id, [*wanted, *{f"@{address.domain}" for address in wanted.values()}])
    for normalised, address in wanted.items():
        if not allowed & {normalised, f"@{address.domain}"}:
            raise Forbidden(
                f"this account may not send from {address.spec}",
                where="sender",
                remedy="send from your own address, or ask whoever runs this instance to allow it",
            )


def account_for(tx: Tx, sender: Address) -> UUID | None:
    """Return the account whose mail this is, by its sender alone: whose address it is, or who may send from the address
    or, alone, from its domain; else the account that runs the instance. None where there is no account at all."""
    own = rows.find_account(tx, sender.normalised)
    if own is not None:
        return own.id
    for pattern in (sender.normalised, f"@{sender.domain}"):
        allowed = accounts_allowed(tx, pattern)
        if len(allowed) == 1:
            return allowed[0]
    first = rows.first_account(tx)
    return first.id if first else None


def allow_sender(database: Database, account: str, sender: str, *, actor: str, now: datetime) -> Sender:
    """Allow the account with this address to send from `sender`: an address, or a domain for every address at it.

    Raises InvalidInput, NotFound for the account, and Conflict when that is allowed already.
    """
    pattern = _pattern(sender)
    with database.write() as tx:
        allowed = Sender(_account(tx, account).id, pattern, now, actor)
        if not add_sender(tx, allowed):
            raise Conflict("is allowed already", where="sender")
        remove_claim(tx, allowed.account_id, pattern)
    return allowed


def forbid_sender(database: Database, account: str, sender: str) -> None:
    """Take it back; mail that is stored already still goes out. Raises NotFound when it was not allowed."""
    pattern = _pattern(sender)
    with database.write() as tx:
        if not remove_sender(tx, _account(tx, account).id, pattern):
            raise NotFound("is not among what this account may send from", where="sender")


def account_of(database: Database, address: str) -> rows.Account:
    """Return the account with this address. Raises InvalidInput and NotFound."""
    with database.read() as tx:
        return _account(tx, address)


def _account(tx: Tx, address: str) -> rows.Account:
    found = rows.find_account(tx, _normalised(address, "account"))
    if found is None:
        raise NotFound("there is no account with this address", where="account")
    return found


def _pattern(text: str) -> str:
    local, _, domain = text.strip().rpartition("@")
    if local:
        return _normalised(text, "sender")
    try:
        return f"@{ascii_domain(domain)}"
    except InvalidInput as error:
        raise InvalidInput(error.what, where="sender", remedy="name an address, or a domain") from None


def _normalised(text: str, where: str) -> str:
    try:
        return parse_address(text).normalised
    except InvalidInput as error:
        raise InvalidInput(error.what, where=where, remedy=error.remedy) from None
