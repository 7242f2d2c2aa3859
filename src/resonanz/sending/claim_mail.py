"""The mail that asks whoever reads an address whether an account may send from there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from resonanz.accounts.claims import VALID_FOR, claim_sender
from resonanz.mail.address import Address
from resonanz.model import Conflict, NotFound, TrackingMode
from resonanz.people import suppressed_among
from resonanz.sending.checking import check
from resonanz.sending.drafts import NOTICE, Draft, HandedIn, Limits
from resonanz.sending.submit import store
from resonanz.store import Database, accounts

MAX_NAME = 80  # characters of whoever asks, which they chose themselves
PATH = "/senders/confirm"  # behind the dashboard's address; the secret follows

TEXT = """\
{who} would like to send mail from {address} with Resonanz.

If that is you, or you agree, open this address and confirm:

{link}

It works once, until {until:%d %B %Y %H:%M} UTC. If you do not know what this is about, do nothing: without your
confirmation no mail is sent from your address.
"""


def ask_to_confirm(database: Database, account_id: UUID, sender: str, *, dashboard_url: str, now: datetime) -> Address:
    """Note an account's claim of an address, and send the mail that asks for confirmation there, in one transaction.

    It comes from whoever runs the instance, is not tracked, and answers nobody automatically (RFC 3834). Raises as
    `claim_sender`, and Conflict for an address that is on the suppression list.
    """
    with database.write() as tx:
        account, runs = accounts.get_account(tx, account_id), accounts.first_account(tx)
        if account is None or runs is None:
            raise NotFound("there is no such account", where="account")
        address, secret = claim_sender(tx, account_id, sender, now)
        if suppressed_among(tx, {address.normalised}):
            raise Conflict(
                "is on the suppression list, so no mail goes there", where="sender", remedy="take it off the list first"
            )
        name = " ".join(account.name.split())[:MAX_NAME]
        who = f"{name} ({account.address})" if name else account.address
        link = f"{dashboard_url}{PATH}/{secret}"
        text = TEXT.format(who=who, address=address.spec, link=link, until=now + VALID_FOR)
        draft = Draft(
            account_id=None,  # by the instance's transports: it is the instance that asks
            source=NOTICE,
            sender=runs.address,
            from_name="Resonanz",
            recipients=(address.spec,),
            subject=f"May {name or account.address} send from {address.spec}?",
            text=text,
            headers={"Auto-Submitted": "auto-generated"},
            track_opens=TrackingMode.OFF,
            track_clicks=TrackingMode.OFF,
        )
        store(tx, [HandedIn(draft, check(draft, Limits(), now), now)])
    return address
