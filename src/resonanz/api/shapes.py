"""What goes in and out of the API, as strict shapes: an unknown or ill-typed field is refused, not guessed at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from resonanz.insight import Estimate, Interval, Opens, Rate, Rates, explain_coverage, local_time
from resonanz.model import ClientKind, Confidence, Coverage, Event, EventKind, MessageState, TrackingMode, Verdict
from resonanz.store.messages import Message, Submission
from resonanz.store.providers import ProviderRow
from resonanz.store.strays import Stray

Text = Annotated[str, Field(max_length=10_000_000)]
Line = Annotated[str, Field(max_length=2_000)]


class Incoming(BaseModel):
    """What a request carries."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=False)


class Outgoing(BaseModel):
    """What an answer carries."""

    model_config = ConfigDict(from_attributes=True)


class TrackingIn(Incoming):
    """The most that may be tracked; a contact's recorded choice can only lower it."""

    # Words from JSON are plain strings; strictness is for numbers and booleans posing as something else.
    opens: Annotated[TrackingMode, Field(strict=False)] = TrackingMode.INDIVIDUAL
    clicks: Annotated[TrackingMode, Field(strict=False)] = TrackingMode.INDIVIDUAL


class MessageIn(Incoming):
    """One mail to send. Each recipient gets a message of their own, addressed to them alone."""

    sender: Annotated[Line, Field(alias="from", description="`name <address>` or an address")]
    to: Annotated[list[Line], Field(min_length=1, max_length=100_000)]
    subject: Line = ""
    text: Text | None = None
    html: Text | None = None
    reply_to: Line | None = None
    headers: dict[Annotated[str, Field(max_length=76)], Line] = Field(default_factory=dict)
    tracking: TrackingIn = Field(default_factory=TrackingIn)
    bulk: Annotated[bool, Field(description="Say in the headers that it is bulk mail, and how to leave")] = False


class AcceptedMessage(Outgoing):
    """One message that was stored and will be sent."""

    id: UUID
    recipient: str


class Accepted(Outgoing):
    """What became of a submission: everything in it is stored."""

    submission: UUID
    repeated: bool = Field(description="True when the same Idempotency-Key was answered before; nothing was sent again")
    messages: list[AcceptedMessage]


class Counts(Outgoing):
    """Events by who caused them."""

    human: int
    indeterminate: int
    machine: int


class MessageOut(Outgoing):
    """One message and what it set in motion so far."""

    id: UUID
    submission: UUID
    recipient: str
    sender: str
    subject: str
    state: MessageState
    state_at: datetime
    state_note: str
    created_at: datetime
    tracking: dict[str, TrackingMode]
    coverage: Coverage
    coverage_text: str = Field(description="What of it can be measured, in words; once its copy has been built.")
    untracked_reason: str
    opens: Counts
    clicks: Counts
    first_opened_at: datetime | None
    last_opened_at: datetime | None
    first_clicked_at: datetime | None
    last_clicked_at: datetime | None

    @classmethod
    def of(cls, row: Message) -> MessageOut:
        """The shape of a stored message."""
        return cls(
            id=row.id,
            submission=row.submission_id,
            recipient=row.recipient,
            sender=row.sender,
            subject=row.subject,
            state=row.state,
            state_at=row.state_at,
            state_note=row.state_note,
            created_at=row.created_at,
            tracking={"opens": row.track_opens, "clicks": row.track_clicks},
            coverage=row.coverage,
            coverage_text=explain_coverage(row.coverage).text if row.header_id else "",
            untracked_reason=row.untracked_reason,
            opens=Counts(human=row.opens_human, indeterminate=row.opens_indeterminate, machine=row.opens_machine),
            clicks=Counts(human=row.clicks_human, indeterminate=row.clicks_indeterminate, machine=row.clicks_machine),
            first_opened_at=row.first_opened_at,
            last_opened_at=row.last_opened_at,
            first_clicked_at=row.first_clicked_at,
            last_clicked_at=row.last_clicked_at,
        )


class MessagePage(Outgoing):
    """Messages, newest first; `next` continues the list, null at its end."""

    messages: list[MessageOut]
    next: UUID | None


class ClientOut(Outgoing):
    """The program behind an event."""

    kind: ClientKind
    name: str
    os: str
    device: str


class VisitOut(Outgoing):
    """What was looked at on a page of the sender's own site; `url` of the event names the page."""

    title: str
    came_from: str = Field(description="Path of the page before, on the same site.")
    element: str = Field(description="What was clicked there: the name in its data-resonanz attribute.")
    seconds: int | None = Field(description="How long the page was looked at so far; counts from its first event on.")

    @classmethod
    def of(cls, event: Event) -> VisitOut | None:
        """The shape of a visit's event; None for events of other kinds."""
        if event.kind is not EventKind.VISITED:
            return None
        told = event.detail
        seconds = told.get("seconds")
        return cls(
            title=str(told.get("title", "")),
            came_from=str(told.get("from", "")),
            element=str(told.get("element", "")),
            seconds=seconds if isinstance(seconds, int) else None,
        )


_CHOSEN: Mapping[object, Literal["off", "on"]] = {"off": "off", "on": "on"}


class EventOut(Outgoing):
    """One fact, with the verdict and its reasons where it has one."""

    id: int
    kind: EventKind
    message: UUID | None
    submission: UUID | None
    recipient: str
    occurred_at: datetime
    received_at: datetime
    source: str
    verdict: Verdict | None
    confidence: Confidence | None
    reasons: list[str]
    client: ClientOut | None
    country: str | None = Field(
        description="ISO 3166-1 alpha-2; only of what a person did from an address of their own."
    )
    region: str | None
    city: str | None
    timezone: str | None = Field(
        description="Of that place, such as `Europe/Berlin`; where the country has one clock too."
    )
    local_time: datetime | None = Field(description="`occurred_at` by the clock of that place.")
    link: int | None
    url: str
    repeat_of: int | None
    visit: VisitOut | None = Field(description="With `visited`: what was looked at.")
    tracking: Literal["off", "on"] | None = Field(description="With `preferred`: what the recipient chose.")
    blocked: bool = Field(description="Followed, but not let through: an operator has blocked the mail's links.")

    @classmethod
    def of(cls, event: Event) -> EventOut:
        """The shape of a recorded event."""
        return cls(
            id=event.id,
            kind=event.kind,
            message=event.message_id,
            submission=event.submission_id,
            recipient=event.recipient,
            occurred_at=event.occurred_at,
            received_at=event.received_at,
            source=event.source,
            verdict=event.verdict,
            confidence=event.confidence,
            reasons=list(event.reasons),
            client=ClientOut.model_validate(event.client) if event.client else None,
            country=event.place.country if event.place else None,
            region=(event.place.region or None) if event.place else None,
            city=(event.place.city or None) if event.place else None,
            timezone=(event.place.timezone or None) if event.place else None,
            local_time=local_time(event),
            link=event.link,
            url=event.url,
            repeat_of=event.repeat_of,
            visit=VisitOut.of(event),
            tracking=_CHOSEN.get(event.detail.get("tracking")),
            blocked=event.detail.get("blocked") is True,
        )


class EventPage(Outgoing):
    """Events in the order they were recorded; `next` is the id to continue `after`."""

    events: list[EventOut]
    next: int


class IntervalOut(Outgoing):
    """From `low` to `high` people."""

    low: int
    high: int

    @classmethod
    def of(cls, interval: Interval) -> IntervalOut:
        """In whole people, the ends rounded outwards."""
        return cls(low=math.floor(interval.low), high=math.ceil(interval.high))


class OpensOut(Outgoing):
    """How many opened, of those whose copy arrived and is tracked by name, opens and clicks."""

    delivered: int
    seen: int = Field(description="Proven: a person's program fetched an image, or a person followed a link.")
    possible: int = Field(description="`seen` and `indeterminate` together.")
    indeterminate: int = Field(description="Apple's privacy protection hides whether they opened.")
    estimate: int | None = Field(
        description="How many opened in truth: seen openers ÷ the share of clickers who were seen opening (Chapman); "
        "readers behind privacy protection by their clicks. Null when refused."
    )
    interval: IntervalOut | None = Field(
        description="Holds in 95 of 100 mailings if who loads images clicks neither more nor less, no machine's click "
        "is among the people's, and Apple's readers click like others."
    )
    sensitivity: IntervalOut | None = Field(
        description="The interval with image loaders clicking at up to twice the odds, and machines' clicks left of up "
        "to 1 in 100 who did not open."
    )
    refused: str | None = Field(description="Why there is no estimate.")

    @classmethod
    def of(cls, found: Estimate) -> OpensOut:
        """The shape of an estimate."""
        return cls(
            delivered=found.delivered,
            seen=found.seen,
            possible=found.possible,
            indeterminate=found.indeterminate,
            estimate=None if found.estimate is None else round(found.estimate),
            interval=IntervalOut.of(found.interval) if found.interval is not None else None,
            sensitivity=IntervalOut.of(found.sensitivity) if found.sensitivity is not None else None,
            refused=str(found.refused) if found.refused is not None else None,
        )


class RateOut(Outgoing):
    """A share with what so many can tell of the like: Wilson's interval at 95 %, `low` to `high`; all in 0…1."""

    part: int
    whole: int
    of: str = Field(
        description="What the whole is: copies that were tried (handed over or refused), that were "
        "arrived (handed over, and did not come back), or arrived with opens or clicks tracked by name."
    )
    share: float
    low: float
    high: float

    @classmethod
    def of_rate(cls, rate: Rate | None) -> RateOut | None:
        """The shape of a rate; None for none."""
        if rate is None:
            return None
        share = rate.part / rate.whole
        return cls(
            part=rate.part, whole=rate.whole, of=rate.of, share=share, low=rate.around.low, high=rate.around.high
        )


class RatesOut(Outgoing):
    """Simple rates of a submission; null where there is nothing to be a share of."""

    arrived: RateOut | None
    bounced: RateOut | None
    opened: RateOut | None = Field(description="Seen, by the image alone; `opens` tells what that leaves out.")
    clicked: RateOut | None
    unsubscribed: RateOut | None

    @classmethod
    def of(cls, rates: Rates) -> RatesOut:
        """The shape of a submission's rates."""
        return cls(
            arrived=RateOut.of_rate(rates.arrived),
            bounced=RateOut.of_rate(rates.bounced),
            opened=RateOut.of_rate(rates.opened),
            clicked=RateOut.of_rate(rates.clicked),
            unsubscribed=RateOut.of_rate(rates.unsubscribed),
        )


class UnmeasuredOut(Outgoing):
    """Copies that arrived and cannot be measured, or not fully, for one reason."""

    reason: str
    text: str
    messages: int


class SubmissionOut(Outgoing):
    """What was handed in at one time."""

    id: UUID
    source: str
    recipients: int
    created_at: datetime
    tracking: dict[str, TrackingMode]
    blocked: bool = Field(description="Whether an operator has blocked its links.")
    messages: list[AcceptedMessage]
    arrived: int = Field(description="Copies that were handed over and did not come back.")
    opens: OpensOut | None = Field(description="Null when no copy that arrived is tracked by name.")
    unmeasured: list[UnmeasuredOut]
    rates: RatesOut

    @classmethod
    def of(
        cls, row: Submission, messages: list[Message], opens: Opens, rates: Rates, *, blocked: bool
    ) -> SubmissionOut:
        """The shape of a stored submission."""
        return cls(
            id=row.id,
            source=row.source,
            recipients=row.recipients,
            created_at=row.created_at,
            tracking={"opens": row.track_opens, "clicks": row.track_clicks},
            blocked=blocked,
            messages=[AcceptedMessage(id=message.id, recipient=message.recipient) for message in messages],
            arrived=opens.arrived,
            opens=OpensOut.of(opens.estimate) if opens.estimate is not None else None,
            unmeasured=[
                UnmeasuredOut(reason=each.reason.code, text=each.reason.text, messages=each.messages)
                for each in opens.unmeasured
            ],
            rates=RatesOut.of(rates),
        )


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


class RulesIn(Incoming):
    """What of the mail that an account's mail programs hand in is tracked."""

    domain: Line = Field("", description="Only for mail from this sender domain; empty: for all mail")
    track: Literal["all", "none", "marked"] = "all"
    marker: Line = Field("[track]", description="What in a subject marks a mail; it is taken out")
    never: list[Line] = Field([], max_length=1_000, description="Addresses and domains that are never tracked")
    internal: list[Line] = Field([], max_length=1_000, description="Domains of your own, not tracked")


class RulesOut(Outgoing):
    """The rules for mail from one sender domain, or with an empty one for all mail."""

    domain: str
    track: str
    marker: str
    never: list[str]
    internal: list[str]


class RuleBookOut(Outgoing):
    """All rules of the caller's account."""

    rules: list[RulesOut]


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


class SendersOut(Outgoing):
    """Everything that accounts may send from beside their own addresses."""

    senders: list[SenderOut]


class StandingOut(Outgoing):
    """Whether a submission is blocked, and every decision about that, newest first."""

    blocked: bool
    decisions: list[BlockOut]


class ProviderIn(Incoming):
    """A provider whose webhooks are to be let in."""

    provider: Line = Field(description="brevo, mailersend, mailgun, mailjet, mandrill, postal, postmark, resend, "
                           "sendgrid, ses or sparkpost")  # fmt: skip
    label: Line = ""
    secret: Text = Field("", description="What the provider proves itself with, where it is known already.")


class SecretIn(Incoming):
    """A provider's secret; empty: made here, where the provider signs nothing."""

    secret: Text = ""


class ProviderOut(Outgoing):
    """A provider that reports to this instance."""

    id: UUID
    provider: str
    label: str
    address: str = Field(description="Where it posts to.")
    has_secret: bool = Field(description="Without one nothing is let in.")
    created_at: datetime
    created_by: str
    taken: int = Field(description="Reports that were understood.")
    kept: int = Field(description="Reports that became no fact and were kept.")
    last_at: datetime | None
    refused_at: datetime | None
    refusal: str

    @classmethod
    def of(cls, row: ProviderRow, address: str) -> ProviderOut:
        """The shape of a stored provider."""
        return cls(
            id=row.id,
            provider=row.provider,
            label=row.label,
            address=address,
            has_secret=row.secrets is not None,
            created_at=row.created_at,
            created_by=row.created_by,
            taken=row.taken,
            kept=row.kept,
            last_at=row.last_at,
            refused_at=row.refused_at,
            refusal=row.refusal,
        )


class ProviderAdded(ProviderOut):
    """A provider, and the address with its password in it, shown this once."""

    secret_address: str | None


class ProvidersOut(Outgoing):
    """Every provider, in the order they were added."""

    providers: list[ProviderOut]


class StrayOut(Outgoing):
    """A report that became no fact."""

    id: int
    source: str
    reason: str
    kind: str
    recipient: str
    received_at: datetime
    body: str

    @classmethod
    def of(cls, stray: Stray) -> StrayOut:
        """The shape of a stored one."""
        return cls(
            id=stray.id,
            source=stray.source,
            reason=stray.reason,
            kind=stray.kind,
            recipient=stray.recipient,
            received_at=stray.received_at,
            body=stray.body.decode("utf-8", "replace"),
        )


class StraysOut(Outgoing):
    """How many reports became no fact, and the newest."""

    total: int
    strays: list[StrayOut]


class MailboxIn(Incoming):
    """A mailbox to read reports from."""

    protocol: Literal["imap", "pop3"]
    host: Line
    port: Annotated[int, Field(ge=0, le=65535, description="0: the protocol's own.")] = 0
    security: Literal["tls", "starttls"] = "tls"
    username: Line
    password: Line
    folder: Line = "INBOX"
    then: Annotated[Literal["seen", "move", "delete"], Field(description="What happens to a report that was read.")] = (
        "seen"
    )
    move_to: Line = ""
    others: bool = Field(False, description="Let the same happen to mail that is no report.")


class MailboxOut(Outgoing):
    """A mailbox that reports are read from."""

    id: UUID
    protocol: str
    host: str
    port: int
    security: str
    username: str
    folder: str
    then: str
    move_to: str
    others: bool
    created_at: datetime
    created_by: str
    taken: int = Field(description="Reports and answers that were read.")
    checked_at: datetime | None
    failure: str = Field(description="Why it could not be read last; empty when it could.")


class MailboxesOut(Outgoing):
    """Every mailbox, in the order they were added."""

    mailboxes: list[MailboxOut]
