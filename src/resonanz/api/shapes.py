"""What goes in and out of the API when mail is sent and what it set in motion is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from resonanz.api.figure_shapes import BehindOut, OpensOut, RatesOut, UnmeasuredOut
from resonanz.api.shaping import Incoming, Line, Outgoing, Text
from resonanz.insight import Opens, Rates, explain_coverage, explain_gateway, local_time
from resonanz.model import ClientKind, Confidence, Coverage, Event, EventKind, MessageState, TrackingMode, Verdict
from resonanz.store.messages import Message, Submission


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
    gateway: str | None = Field(
        description="Who scans the recipient's mail or takes tracking out of it, by the MX records of their domain; "
        "empty for nobody, null as long as it is not known."
    )
    gateway_text: str = Field(description="What that means, in words.")
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
            gateway=row.gateway,
            gateway_text=explain_gateway(row.gateway).text if row.gateway else "",
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
    judge: int | None = Field(description="Version of the rules that the verdict is by.")
    network: str | None = Field(
        description="Class of the network it came from: mail_proxy, apple_egress, scanner, security, provider, "
        "preview or hosting; null for all others. The address itself is not kept."
    )
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
            judge=version if isinstance(version := event.detail.get("judge"), int) else None,
            network=str(event.detail["network"]) if event.detail.get("network") else None,
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


class GroupOut(Outgoing):
    """Recipients who share one copy, and how often anybody of them opened it or followed a link, machines left out."""

    recipients: int
    opens: int
    clicks: int


class SubmissionOut(Outgoing):
    """What was handed in at one time."""

    id: UUID
    source: str
    recipients: int
    created_at: datetime
    tracking: dict[str, TrackingMode]
    blocked: bool = Field(description="Whether an operator has blocked its links.")
    group: GroupOut | None = Field(description="Null unless recipients share one copy.")
    messages: list[AcceptedMessage]
    arrived: int = Field(description="Copies that were handed over and did not come back.")
    opens: OpensOut | None = Field(description="Null when no copy that arrived is tracked by name.")
    unmeasured: list[UnmeasuredOut]
    gateways: list[BehindOut] = Field(description="Who stands before the recipients, the most first.")
    rates: RatesOut

    @classmethod
    def of(
        cls, row: Submission, messages: list[Message], opens: Opens, rates: Rates, *, blocked: bool, group: int | None
    ) -> SubmissionOut:
        """The shape of a stored submission."""
        return cls(
            id=row.id,
            source=row.source,
            recipients=row.recipients,
            created_at=row.created_at,
            tracking={"opens": row.track_opens, "clicks": row.track_clicks},
            blocked=blocked,
            group=None
            if group is None
            else GroupOut(recipients=group, opens=row.anonymous_opens, clicks=row.anonymous_clicks),
            messages=[AcceptedMessage(id=message.id, recipient=message.recipient) for message in messages],
            arrived=opens.arrived,
            opens=OpensOut.of(opens.estimate) if opens.estimate is not None else None,
            unmeasured=[UnmeasuredOut.of(each) for each in opens.unmeasured],
            gateways=[BehindOut.of(each, opens.arrived) for each in opens.gateways],
            rates=RatesOut.of(rates),
        )
