"""Which addresses accounts may send from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from resonanz import model
from resonanz.accounts.operators import is_operator
from resonanz.accounts.senders import allow_sender, forbid_sender
from resonanz.api.access import Caller, Operator, Parts
from resonanz.api.operator_shapes import SenderIn, SenderOut, SendersOut
from resonanz.store import accounts, senders
from resonanz.store.senders import Sender

router = APIRouter(tags=["Senders"])

Text = Annotated[str, Path(max_length=400)]


@router.get("/senders", response_model=SendersOut, summary="What accounts may send from")
def list_senders(parts: Parts, caller: Caller) -> SendersOut:
    """Return what the caller's account may send from beside its own address; to who runs the instance, everybody's."""
    with parts.database.read() as tx:
        found = senders.list_senders(tx, None if is_operator(tx, caller.id) else caller.id)
        addresses = {account.id: account.address for account in accounts.list_accounts(tx)}
    return SendersOut(senders=[_out(addresses[one.account_id], one) for one in found])


@router.post("/senders", status_code=201, response_model=SenderOut, summary="Allow an account a sender")
def post_sender(wanted: SenderIn, parts: Parts, operator: Operator) -> SenderOut:
    """Allow an account to send from an address, or from every address at a domain."""
    allowed = allow_sender(parts.database, wanted.account, wanted.sender, actor=operator.address, now=model.now())
    return _out(wanted.account, allowed)


@router.delete("/senders/{account}/{sender}", status_code=204, summary="Allow a sender no longer")
def delete_sender(account: Text, sender: Text, parts: Parts, _operator: Operator) -> None:
    """Take it back. Mail that is stored already still goes out."""
    forbid_sender(parts.database, account, sender)


def _out(account: str, one: Sender) -> SenderOut:
    return SenderOut(account=account, sender=one.pattern, created_at=one.created_at, created_by=one.created_by)
