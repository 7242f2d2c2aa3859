"""What goes in and out of the API about webhooks going out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from resonanz.api.shaping import Incoming, Line, Outgoing
from resonanz.model import Who
from resonanz.store.webhook_deliveries import DeliveryRow, DeliveryState
from resonanz.store.webhook_endpoints import EndpointRow

Types = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(min_length=1, max_length=50, description="Of events, as `GET /api/v1/webhooks/types` lists them."),
]
WhoList = Annotated[
    list[Annotated[Who, Field(strict=False)]],
    Field(min_length=1, max_length=10, description="By whom an event must be caused that has a verdict."),
]


class WebhookIn(Incoming):
    """Where to tell what."""

    url: Line
    types: Types
    description: Line = ""
    who: WhoList = Field(default_factory=lambda: [Who.HUMAN])
    all_mail: bool = Field(
        False, description="Of the whole instance, not of the caller's mail alone; for its operator."
    )


class WebhookChange(Incoming):
    """What is to be different; fields that are missing stay as they are. It holds for what happens from now on."""

    url: Line = ""
    types: Types = Field(default_factory=list)
    description: Line = ""
    who: WhoList = Field(default_factory=list)
    all_mail: bool = False


class WebhookOut(Outgoing):
    """An endpoint that is told of events."""

    id: UUID
    account: UUID = Field(description="Whose it is.")
    url: str
    description: str
    types: list[str]
    who: list[Who]
    all_mail: bool
    created_at: datetime
    created_by: str
    state: Literal["on", "failing", "paused"]
    paused_at: datetime | None
    note: str = Field(description="Why it is paused.")
    failures: int = Field(description="Tries in a row that failed.")
    failing_since: datetime | None
    rests_until: datetime | None = Field(description="Nothing is sent before.")
    delivered_at: datetime | None = Field(description="When something was taken last.")

    @classmethod
    def of(cls, row: EndpointRow) -> WebhookOut:
        """The shape of a stored endpoint."""
        names = cls.model_fields.keys() - {"account", "state", "types", "who"}
        state: Any = "paused" if row.paused_at else "failing" if row.failures else "on"
        known = {name: getattr(row, name) for name in names}
        return cls(**known, account=row.account_id, state=state, types=sorted(row.types), who=sorted(row.who))


class WebhookAdded(WebhookOut):
    """An endpoint with its secret, which nobody can read again."""

    secret: str

    @classmethod
    def with_secret(cls, row: EndpointRow, secret: str) -> WebhookAdded:
        """The shape of an endpoint whose secret was just made."""
        return cls(**WebhookOut.of(row).model_dump(), secret=secret)


class WebhooksOut(Outgoing):
    """Every endpoint of the caller, or of everybody for whoever runs the instance, in the order they were added."""

    webhooks: list[WebhookOut]


class EventTypeOut(Outgoing):
    """One type of event."""

    name: str
    text: str
    judged: bool = Field(description="Whether it has a verdict, and `who` decides if it is told.")
    payload: dict[str, Any] = Field(description="JSON Schema (draft 2020-12) of the body that is posted.")


class EventTypesOut(Outgoing):
    """The closed list of event types."""

    types: list[EventTypeOut]


class WebhookDeliveryOut(Outgoing):
    """One event for one endpoint, and what came of the last try."""

    id: UUID
    webhook_id: str = Field(description="As in the header: the same in every try.")
    type: str
    event: int | None = Field(description="The id of the event that it tells of; null for a test.")
    state: DeliveryState
    created_at: datetime
    due_at: datetime | None = Field(description="When it is tried next.")
    tries: int
    tried_at: datetime | None
    status: int | None = Field(description="Of HTTP; null when there was no answer.")
    response: str = Field(description="How its body begins.")
    milliseconds: int | None
    failure: str

    @classmethod
    def of(cls, row: DeliveryRow, webhook_id: str) -> WebhookDeliveryOut:
        """The shape of a stored delivery."""
        names = cls.model_fields.keys() - {"webhook_id", "event"}
        return cls(**{name: getattr(row, name) for name in names}, webhook_id=webhook_id, event=row.about)


class WebhookDeliveriesOut(Outgoing):
    """Deliveries, newest first; `next` is the `before` of the following page, null on the last."""

    deliveries: list[WebhookDeliveryOut]
    next: UUID | None


class AgainIn(Incoming):
    """From when on."""

    since: Annotated[AwareDatetime, Field(strict=False, description="When the deliveries were made, at the earliest.")]


class AgainOut(Outgoing):
    """How many deliveries are posted once more."""

    deliveries: int


class ResumeIn(Incoming):
    """Where to go on."""

    from_now: bool = Field(False, description="Give up what waits, and tell only what happens from now on.")
