"""What goes in and out of the API about running the instance: blocks, domains, mail programs, rules, senders."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from resonanz.api.shaping import Incoming, Line, Outgoing


class BlockIn(Incoming):
    """Whether a submission is to be blocked, and why."""

    blocked: bool
    reason: Line


class BlockOut(Outgoing):
    """One decision about a submission's links."""

    blocked: bool
    reason: str
    actor: str = Field(description="The account's address, or `command line`.")
    occurred_at: datetime


class StandingOut(Outgoing):
    """Whether a submission is blocked, and every decision about that, newest first."""

    blocked: bool
    decisions: list[BlockOut]


class DomainIn(Incoming):
    """A custom tracking domain to be added."""

    name: Line = Field(description="The host, such as links.example.org")
    senders: Annotated[list[Line], Field(min_length=1, max_length=1_000, description="Domains mail is sent from")]
    unchecked: bool = Field(False, description="Use it at once, without looking at DNS")


class DomainOut(Outgoing):
    """A custom tracking domain and what the last check saw."""

    name: str
    senders: list[str]
    in_use: bool = Field(description="Whether new mails from these senders carry it.")
    created_at: datetime
    created_by: str
    confirmed_at: datetime | None
    checked_at: datetime | None
    check_note: str


class DomainsOut(Outgoing):
    """Every custom tracking domain, by name."""

    domains: list[DomainOut]


class RecordOut(Outgoing):
    """One record of a sender's domain."""

    purpose: Literal["dkim", "spf", "dmarc", "tracking", "return path", "dns"]
    name: str
    kind: str = Field(description="TXT, MX or A")
    wanted: str = Field(description="What to publish as it is; empty where only the sender can know it.")
    found: list[str]
    state: Literal["ok", "weak", "missing", "wrong", "unknown"] = Field(
        description="`weak` works and could be better; `unknown`: DNS did not answer."
    )
    note: str


class SenderDomainOut(Outgoing):
    """What was seen of a sender's domain, and when."""

    domain: str
    checked_at: datetime
    checked_by: str = Field(description="The account's address, or `command line`.")
    records: list[RecordOut]


class MailPasswordIn(Incoming):
    """A password that is to be made for a mail program."""

    name: Line = Field(description="The program or device that will use it")


class MailPasswordOut(Outgoing):
    """A mail program's password, without the password itself."""

    id: UUID
    name: str
    prefix: str = Field(description="The first characters, to tell passwords apart.")
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class NewMailPasswordOut(MailPasswordOut):
    """A password that was just made; nobody can read it again."""

    password: str


class MailPasswordsOut(Outgoing):
    """Every password of an account's mail programs, the newest first."""

    passwords: list[MailPasswordOut]


_COPIES = (
    "What several recipients of one mail get: each a tracked copy of their own, one copy whose opens and clicks belong "
    "to the group, or what the instance has."
)


class RulesIn(Incoming):
    """What of the mail that an account's mail programs hand in is tracked."""

    domain: Line = Field("", description="Only for mail from this sender domain; empty: for all mail")
    track: Literal["all", "none", "marked"] = "all"
    marker: Line = Field("[track]", description="What in a subject marks a mail; it is taken out")
    never: list[Line] = Field([], max_length=1_000, description="Addresses and domains that are never tracked")
    internal: list[Line] = Field([], max_length=1_000, description="Domains of your own, not tracked")
    replies: bool = Field(False, description="Whether answers to tracked mail come here first, and are passed on")
    copies: Literal["instance", "own", "shared"] = Field("instance", description=_COPIES)


class RulesOut(Outgoing):
    """The rules for mail from one sender domain, or with an empty one for all mail."""

    domain: str
    track: str
    marker: str
    never: list[str]
    internal: list[str]
    replies: bool
    copies: str


class RuleBookOut(Outgoing):
    """All rules of the caller's account."""

    rules: list[RulesOut]
    copies: str = Field(description="What the instance has, `own` or `shared`.")


class CopiesIn(Incoming):
    """What several recipients get where no rule says it."""

    copies: Literal["own", "shared"]


class CopiesOut(Outgoing):
    """What several recipients get where no rule says it."""

    copies: str


class SenderIn(Incoming):
    """An address or domain that an account is to be allowed to send from."""

    account: Line = Field(description="The account's address")
    sender: Line = Field(description="An address, or a domain for every address at it")


class SenderOut(Outgoing):
    """What an account may send from beside its own address."""

    account: str
    sender: str = Field(description="An address, or `@` and a domain for every address at it.")
    created_at: datetime
    created_by: str


class ClaimIn(Incoming):
    """An address that the caller's account says is its own."""

    sender: Line = Field(description="An address; a mail goes there")


class ClaimOut(Outgoing):
    """An address that waits to be confirmed."""

    account: str
    sender: str
    created_at: datetime
    expires_at: datetime = Field(description="Until when the link in the mail works.")


class SendersOut(Outgoing):
    """Everything that accounts may send from beside their own addresses, and what waits to be confirmed."""

    senders: list[SenderOut]
    claims: list[ClaimOut]
