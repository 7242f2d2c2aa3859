"""Who may call the API, and what its operations work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from resonanz import model
from resonanz.accounts.operators import check_operator
from resonanz.model import TemporaryFailure
from resonanz.sending.domains import Check, not_checked
from resonanz.sending.drafts import Draft, Receipt
from resonanz.sending.erasure import ForgetMails, no_mails
from resonanz.sending.sender_checks import LookUp, nobody_to_ask
from resonanz.sending.transports.opening import Opener
from resonanz.store import Database
from resonanz.store.accounts import Account

if TYPE_CHECKING:
    from resonanz.sealing import Sealer

# A provider's id, the body, its headers by lower-case names, the address it was given, its password, the time → facts.
TakeDelivery = Callable[[UUID, bytes, Mapping[str, str], str, str, datetime], int]


def no_sealer() -> Sealer:
    """Seal nothing. Raises TemporaryFailure."""
    raise TemporaryFailure("there is nothing to seal secrets with here", where="secret")


@dataclass(frozen=True, slots=True)
class ApiParts:
    """What the API is made of. `authenticate` turns a key's secret into its account, or None; `check_domain` finds out
    whether a host leads to the edge, which recipients reach at `edge_url`, `look_up` what a sender's domain publishes.
    `opener` makes stored transports, `sealer` seals other systems' secrets, and `take_delivery` takes what a provider's
    webhook brings to `dashboard_url`. To `private_hosts` of one's own network webhooks may be posted. `forget_mails`
    deletes copies of messages from the built-in outbox."""

    database: Database
    authenticate: Callable[[str, datetime], Account | None]
    submit: Callable[[Draft, datetime], Receipt]
    max_message: int  # bytes
    opener: Opener
    edge_url: str = ""
    check_domain: Check = not_checked
    look_up: LookUp = nobody_to_ask
    dashboard_url: str = ""
    sealer: Callable[[], Sealer] = no_sealer
    take_delivery: TakeDelivery | None = None
    private_hosts: frozenset[str] = frozenset()
    forget_mails: ForgetMails = no_mails


_bearer = HTTPBearer(auto_error=False, description="An API key from the dashboard's account page.")


def parts_of(request: Request) -> ApiParts:
    """The parts this API was built from."""
    parts: ApiParts = request.app.state.parts
    return parts


Parts = Annotated[ApiParts, Depends(parts_of)]


async def signed_in(
    parts: Parts, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Account:
    """The account whose key came with the request; 401 without a valid one."""
    account = None
    if credentials is not None:
        account = await run_in_threadpool(parts.authenticate, credentials.credentials, model.now())
    if account is None:
        raise HTTPException(401, "No valid API key", {"www-authenticate": "Bearer"})
    return account


Caller = Annotated[Account, Depends(signed_in)]


def operating(parts: Parts, caller: Caller) -> Account:
    """The caller, if that is the account that runs the instance. Raises Forbidden."""
    with parts.database.read() as tx:
        check_operator(tx, caller.id)
    return caller


Operator = Annotated[Account, Depends(operating)]
