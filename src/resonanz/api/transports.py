"""Transports and the queue. Secrets go in, sealed, and never come out."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from resonanz import model
from resonanz.accounts.operators import is_operator
from resonanz.api.access import ApiParts, Caller, Operator, Parts
from resonanz.api.shaping import Incoming, Line, Outgoing
from resonanz.sending import named_transports as named
from resonanz.sending import queue_control
from resonanz.sending.probe import send_test_mail
from resonanz.store.accounts import Account
from resonanz.store.destinations import Destination
from resonanz.store.transports import StoredTransport, list_transports

router = APIRouter(tags=["Transports"])

Name = Annotated[str, Path(max_length=48)]
Security = Literal["none", "starttls", "tls"]
Authentication = Literal["none", "password", "xoauth2"]
ProviderName = Literal["", "google", "microsoft"]
Senders = Annotated[list[Line], Field(min_length=1, max_length=1_000, description="Addresses, domains, or `*`")]


class TransportIn(Incoming):
    """A server that mail is to go out by."""

    name: Line
    host: Line
    port: int = Field(0, description="0: the usual one")
    security: Security = "starttls"
    authentication: Authentication = "none"
    username: Line = ""
    secret: str | None = Field(None, max_length=10_000, description="Password or refresh token; write-only")
    provider: ProviderName = ""
    client_id: Line = ""
    client_secret: str | None = Field(None, max_length=10_000, description="Write-only")
    tenant: Line = ""
    senders: Senders = Field(default_factory=lambda: ["*"])
    priority: int = 10
    connections: int | None = None
    rate_per_minute: int | None = None
    mine: bool = Field(
        False, description="It carries the mail of the caller's account alone; always so but for who runs the instance."
    )
    fall_back: bool = Field(
        False, description="Whether the instance's transports stand in for an account's own; without it mail waits."
    )


class TransportChange(Incoming):
    """What is to be different; fields that are missing stay as they are."""

    host: Line = ""
    port: int = 0
    security: Security = "starttls"
    authentication: Authentication = "none"
    username: Line = ""
    secret: str | None = Field(None, max_length=10_000)
    provider: ProviderName = ""
    client_id: Line = ""
    client_secret: str | None = Field(None, max_length=10_000)
    tenant: Line = ""
    senders: Senders = Field(default_factory=lambda: ["*"])
    priority: int = 10
    connections: int | None = None
    rate_per_minute: int | None = None
    fall_back: bool = False


class TransportOut(Outgoing):
    """A transport without its secrets."""

    name: str
    account_id: UUID | None = Field(description="Whose mail alone it carries; null: everybody's")
    host: str
    port: int
    security: Security
    authentication: Authentication
    username: str
    has_secret: bool
    provider: str
    client_id: str
    tenant: str
    senders: list[str]
    priority: int
    connections: int | None
    rate_per_minute: int | None
    paused: bool
    sign_in_again: bool = Field(description="The provider honours its refresh token no more.")
    trouble: str = Field(description="What keeps it from working; empty: nothing.")
    fall_back: bool = Field(description="Whether the instance's transports stand in for this account's own.")
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, stored: StoredTransport) -> TransportOut:
        """The shape of a stored transport."""
        values = {name: getattr(stored, name) for name in cls.model_fields if name != "has_secret"}
        return cls(**{**values, "has_secret": stored.secret is not None, "senders": list(stored.senders)})


class TransportsOut(Outgoing):
    """Every transport, in the order in which they are tried."""

    transports: list[TransportOut]


class TestMailOut(Outgoing):
    """What became of a test mail."""

    to: str
    reply: str = Field(description="What the server said when it took it.")


class FoundOut(Outgoing):
    """What a check found."""

    found: str


class DomainLimitsOut(Outgoing):
    """What was set for a recipient domain, or learned about it."""

    domain: str
    connections: int | None
    rate_per_minute: int | None
    paused: bool
    slow_until: datetime | None
    note: str


class QueueOut(Outgoing):
    """How the queue stands."""

    paused: bool
    messages: int
    due: int
    under_way: int
    later: int
    waiting: dict[str, int] = Field(description="How many wait, by what they wait for.")
    domains: list[DomainLimitsOut]


class QueueIn(Incoming):
    """Whether anything is to be sent."""

    paused: bool


class DomainLimitsIn(Incoming):
    """How mail to a recipient domain is to go; fields that are missing stay as they are."""

    paused: bool | None = None
    connections: int | None = None
    rate_per_minute: int | None = None


@router.get("/transports", response_model=TransportsOut, summary="Every transport")
def get_transports(parts: Parts, caller: Caller) -> TransportsOut:
    """Return the caller's own transports; to who runs the instance, all beside the default one."""
    with parts.database.read() as tx:
        runs = is_operator(tx, caller.id)
        found = list_transports(tx) if runs else named.transports_for(tx, caller.id)
    return TransportsOut(transports=[TransportOut.of(one) for one in found])


@router.post("/transports", status_code=201, response_model=TransportOut, summary="Add a transport")
def post_transport(wanted: TransportIn, parts: Parts, caller: Caller) -> TransportOut:
    """Add a server for mail from these senders. Workers use it within seconds."""
    with parts.database.read() as tx:
        is_own = wanted.mine or not is_operator(tx, caller.id)
    added = named.add_transport(
        parts.database,
        parts.opener.sealer(),
        named.Wanted(**wanted.model_dump(exclude={"mine"})),
        actor=caller.address,
        now=model.now(),
        account_id=caller.id if is_own else None,
    )
    return TransportOut.of(added)


@router.get("/transports/{name}", response_model=TransportOut, summary="One transport")
def get_one(name: Name, parts: Parts, caller: Caller) -> TransportOut:
    """Return it without its secrets."""
    return TransportOut.of(_find(parts, caller, name))


@router.patch("/transports/{name}", response_model=TransportOut, summary="Change a transport")
def patch_transport(name: Name, wanted: TransportChange, parts: Parts, caller: Caller) -> TransportOut:
    """Change the fields that are given. Mail that waited for it is tried again at once."""
    _find(parts, caller, name)
    changes = wanted.model_dump(exclude_unset=True)
    changed = named.change_transport(parts.database, parts.opener.sealer(), name, now=model.now(), **changes)
    return TransportOut.of(changed)


@router.post("/transports/{name}/check", response_model=FoundOut, summary="Try a transport")
def post_check(name: Name, parts: Parts, caller: Caller) -> FoundOut:
    """Connect and log in, without sending anything; 503 with what is wrong when that fails."""
    stored = _find(parts, caller, name)
    return FoundOut(found=asyncio.run(parts.opener.open(stored).check()))


@router.post("/transports/{name}/test", response_model=TestMailOut, summary="Send a test mail by a transport")
def post_test(name: Name, parts: Parts, caller: Caller) -> TestMailOut:
    """Send the caller a mail by this transport, at once and past the queue. What the server said is in the answer; 503
    or 502 with its words when it did not take it."""
    stored = _find(parts, caller, name)
    said = asyncio.run(send_test_mail(parts.opener.open(stored), stored, caller.address, model.now()))
    return TestMailOut(to=caller.address, reply=said)


@router.post("/transports/{name}/pause", response_model=TransportOut, summary="Take a transport out of service")
def post_pause(name: Name, parts: Parts, caller: Caller) -> TransportOut:
    """Others for the same senders carry their mail, or it waits."""
    _find(parts, caller, name)
    return TransportOut.of(named.pause_transport(parts.database, name, paused=True, now=model.now()))


@router.post("/transports/{name}/resume", response_model=TransportOut, summary="Put a transport back into service")
def post_resume(name: Name, parts: Parts, caller: Caller) -> TransportOut:
    """Mail that waited for it goes out."""
    _find(parts, caller, name)
    return TransportOut.of(named.pause_transport(parts.database, name, paused=False, now=model.now()))


@router.delete("/transports/{name}", status_code=204, summary="Forget a transport")
def delete_transport(name: Name, parts: Parts, caller: Caller) -> None:
    """Remove it; mail that waited for it goes by what serves its sender then."""
    _find(parts, caller, name)
    named.remove_transport(parts.database, name, now=model.now())


def _find(parts: ApiParts, caller: Account, name: str) -> StoredTransport:
    """Return a transport that is the caller's to see. Raises NotFound."""
    with parts.database.read() as tx:
        return named.find_transport(tx, name) if is_operator(tx, caller.id) else named.find_own(tx, name, caller.id)


@router.get("/queue", response_model=QueueOut, summary="How the queue stands")
def get_queue(parts: Parts, _operator: Operator) -> QueueOut:
    """Return how many mails wait, and for what."""
    with parts.database.read() as tx:
        state = queue_control.queue_state(tx, model.now())
    standing = state.standing
    return QueueOut(
        paused=state.paused,
        messages=standing.messages,
        due=standing.due,
        under_way=standing.claimed,
        later=standing.later,
        waiting=standing.waiting,
        domains=[DomainLimitsOut.model_validate(one) for one in state.destinations],
    )


@router.put("/queue", response_model=QueueOut, summary="Pause the queue, or let it go on")
def put_queue(wanted: QueueIn, parts: Parts, operator: Operator) -> QueueOut:
    """While it is paused nothing goes out but what is on the wire."""
    if wanted.paused:
        queue_control.pause_queue(parts.database, actor=operator.address, now=model.now())
    else:
        queue_control.resume_queue(parts.database, actor=operator.address)
    return get_queue(parts, operator)


@router.patch("/queue/domains/{domain}", response_model=DomainLimitsOut, summary="Hold or limit a recipient domain")
def patch_domain(
    domain: Annotated[str, Path(max_length=253)], wanted: DomainLimitsIn, parts: Parts, operator: Operator
) -> DomainLimitsOut:
    """Pause mail to a domain, let it go on, or say how fast it may go. A provider's domains are held together."""
    given = wanted.model_dump(exclude_unset=True)
    with parts.database.read() as tx:
        known: Destination = queue_control.find_domain(tx, domain)
    if {"connections", "rate_per_minute"} & given.keys():
        known = queue_control.limit_domain(
            parts.database,
            domain,
            connections=given.get("connections", known.connections),
            rate_per_minute=given.get("rate_per_minute", known.rate_per_minute),
            now=model.now(),
        )
    if wanted.paused is not None:
        known = queue_control.pause_domain(
            parts.database, domain, paused=wanted.paused, actor=operator.address, now=model.now()
        )
    return DomainLimitsOut.model_validate(known)
