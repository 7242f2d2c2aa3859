"""Which addresses accounts may send from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from resonanz import model
from resonanz.accounts.claims import withdraw_claim
from resonanz.accounts.operators import is_operator
from resonanz.accounts.senders import allow_sender, forbid_sender
from resonanz.api.access import Caller, Operator, Parts
from resonanz.api.operator_shapes import ClaimIn, ClaimOut, SenderIn, SenderOut, SendersOut
from resonanz.sending.claim_mail import ask_to_confirm
from resonanz.store import accounts, senders
from resonanz.store.senders import Claim, Sender

router = APIRouter(tags=["Senders"])

Text = Annotated[str, Path(max_length=400)]


@router.get("/senders", response_model=SendersOut, summary="What accounts may send from")
def list_senders(parts: Parts, caller: Caller) -> SendersOut:
    """Return what the caller's account may send from beside its own address; to who runs the instance, everybody's."""
    with parts.database.read() as tx:
        whose = None if is_operator(tx, caller.id) else caller.id
        found, claims = senders.list_senders(tx, whose), senders.open_claims(tx, model.now(), whose)
        addresses = {account.id: account.address for account in accounts.list_accounts(tx)}
    return SendersOut(
        senders=[_out(addresses[one.account_id], one) for one in found],
        claims=[_claimed(addresses[one.account_id], one) for one in claims],
    )


@router.post("/senders", status_code=201, response_model=SenderOut, summary="Allow an account a sender")
def post_sender(wanted: SenderIn, parts: Parts, operator: Operator) -> SenderOut:
    """Allow an account to send from an address, or from every address at a domain."""
    allowed = allow_sender(parts.database, wanted.account, wanted.sender, actor=operator.address, now=model.now())
    return _out(wanted.account, allowed)


@router.post("/senders/claims", status_code=202, response_model=ClaimOut, summary="Claim a sender address")
def post_claim(wanted: ClaimIn, parts: Parts, caller: Caller) -> ClaimOut:
    """Say that an address is the caller's own. A mail goes there; once the link in it is followed and confirmed, the
    caller may send from it. `POST /senders` by who runs the instance confirms it by hand."""
    address = ask_to_confirm(
        parts.database, caller.id, wanted.sender, dashboard_url=parts.dashboard_url, now=model.now()
    )
    with parts.database.read() as tx:
        claims = senders.open_claims(tx, model.now(), caller.id)
    return _claimed(caller.address, next(one for one in claims if one.address == address.normalised))


@router.delete("/senders/claims/{sender}", status_code=204, summary="Take a claim back")
def delete_claim(sender: Text, parts: Parts, caller: Caller) -> None:
    """Forget the caller's claim; the link in the mail works no more."""
    withdraw_claim(parts.database, caller.id, sender)


@router.delete("/senders/{account}/{sender}", status_code=204, summary="Allow a sender no longer")
def delete_sender(account: Text, sender: Text, parts: Parts, _operator: Operator) -> None:
    """Take it back. Mail that is stored already still goes out."""
    forbid_sender(parts.database, account, sender)


def _claimed(account: str, one: Claim) -> ClaimOut:
    return ClaimOut(account=account, sender=one.address, created_at=one.created_at, expires_at=one.expires_at)


def _out(account: str, one: Sender) -> SenderOut:
    return SenderOut(account=account, sender=one.pattern, created_at=one.created_at, created_by=one.created_by)
