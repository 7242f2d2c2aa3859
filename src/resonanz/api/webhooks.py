"""Webhooks going out: where programs of others are told of events, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from resonanz import model
from resonanz.api.access import ApiParts, Caller, Parts
from resonanz.api.webhook_shapes import (
    AgainIn,
    AgainOut,
    EventTypeOut,
    EventTypesOut,
    ResumeIn,
    WebhookAdded,
    WebhookChange,
    WebhookDeliveriesOut,
    WebhookDeliveryOut,
    WebhookIn,
    WebhookOut,
    WebhooksOut,
)
from resonanz.notify.webhooks import endpoints
from resonanz.notify.webhooks.endpoints import Wanted
from resonanz.notify.webhooks.payload import webhook_id
from resonanz.notify.webhooks.reach import reach_of
from resonanz.notify.webhooks.types import TYPES
from resonanz.store import webhook_deliveries as deliveries
from resonanz.store.accounts import Account
from resonanz.store.webhook_deliveries import DeliveryState

if TYPE_CHECKING:
    from resonanz.store.webhook_endpoints import EndpointRow

router = APIRouter(tags=["Webhooks"])


@router.get("/webhooks", response_model=WebhooksOut, summary="Every webhook")
def get_webhooks(parts: Parts, caller: Caller) -> WebhooksOut:
    """Return the caller's webhooks and how they are; whoever runs the instance sees all."""
    with parts.database.read() as tx:
        return WebhooksOut(webhooks=[WebhookOut.of(row) for row in endpoints.endpoints_of(tx, caller.id)])


@router.get("/webhooks/types", response_model=EventTypesOut, summary="Every type of event, with its schema")
def get_types(_caller: Caller) -> EventTypesOut:
    """Return the closed list. Fields are only ever added to a type."""
    return EventTypesOut(
        types=[
            EventTypeOut(name=one.name, text=one.text, judged=one.is_judged, payload=one.schema)
            for one in TYPES.values()
        ]
    )


@router.post("/webhooks", status_code=201, response_model=WebhookAdded, summary="Tell an address of events")
def post_webhook(wanted: WebhookIn, parts: Parts, caller: Caller) -> WebhookAdded:
    """Tell this address of what happens from now on. The secret that signs is in the answer, and nowhere else."""
    fresh = endpoints.add_endpoint(
        parts.database,
        parts.sealer,
        reach_of(parts.private_hosts),
        Wanted(wanted.url, frozenset(wanted.types), wanted.description, frozenset(wanted.who), wanted.all_mail),
        account_id=caller.id,
        actor=caller.address,
        now=model.now(),
    )
    return WebhookAdded.with_secret(fresh.row, fresh.secret)


@router.get("/webhooks/{webhook}", response_model=WebhookOut, summary="One webhook")
def get_webhook(webhook: UUID, parts: Parts, caller: Caller) -> WebhookOut:
    """Return a webhook and how it is."""
    return WebhookOut.of(_found(parts, webhook, caller))


@router.patch("/webhooks/{webhook}", response_model=WebhookOut, summary="Change a webhook")
def patch_webhook(webhook: UUID, wanted: WebhookChange, parts: Parts, caller: Caller) -> WebhookOut:
    """Change what is given. It holds for what happens from now on; what waits goes to the new address."""
    row = _found(parts, webhook, caller)
    given: dict[str, Any] = wanted.model_dump(exclude_unset=True)
    given |= {name: frozenset(given[name]) for name in ("types", "who") if name in given}
    as_is = Wanted(row.url, row.types, row.description, row.who, row.all_mail)
    changed = endpoints.change_endpoint(parts.database, reach_of(parts.private_hosts), webhook, replace(as_is, **given))
    return WebhookOut.of(changed)


@router.delete("/webhooks/{webhook}", status_code=204, summary="Tell an address nothing more")
def delete_webhook(webhook: UUID, parts: Parts, caller: Caller) -> None:
    """Remove it, with what waits and the record of what it was told."""
    _found(parts, webhook, caller)
    endpoints.remove_endpoint(parts.database, webhook)


@router.post("/webhooks/{webhook}/secret", response_model=WebhookAdded, summary="Make a new secret")
def post_secret(webhook: UUID, parts: Parts, caller: Caller) -> WebhookAdded:
    """Make a new secret and return it, this once. For another day each delivery is signed with the one before, too."""
    _found(parts, webhook, caller)
    fresh = endpoints.rotate_secret(parts.database, parts.sealer, webhook, now=model.now())
    return WebhookAdded.with_secret(fresh.row, fresh.secret)


@router.post("/webhooks/{webhook}/pause", response_model=WebhookOut, summary="Pause a webhook")
def post_pause(webhook: UUID, parts: Parts, caller: Caller) -> WebhookOut:
    """Tell it nothing until it is resumed. What happens meanwhile is told then."""
    _found(parts, webhook, caller)
    endpoints.pause(parts.database, webhook, why=f"paused by {caller.address}", now=model.now())
    return WebhookOut.of(_found(parts, webhook, caller))


@router.post("/webhooks/{webhook}/resume", response_model=WebhookOut, summary="Resume a webhook")
def post_resume(webhook: UUID, wanted: ResumeIn, parts: Parts, caller: Caller) -> WebhookOut:
    """Go on where it stopped, or with `from_now` with what happens from now on."""
    _found(parts, webhook, caller)
    endpoints.resume(parts.database, webhook, from_now=wanted.from_now)
    return WebhookOut.of(_found(parts, webhook, caller))


@router.post("/webhooks/{webhook}/test", status_code=202, response_model=WebhookDeliveryOut, summary="Send a test")
def post_test(webhook: UUID, parts: Parts, caller: Caller) -> WebhookDeliveryOut:
    """Let the worker post an event of type `webhook.test`, once; the delivery tells what came of it."""
    _found(parts, webhook, caller)
    delivery = endpoints.send_test(parts.database, webhook, now=model.now())
    return _delivery(parts, webhook, delivery)


@router.get("/webhooks/{webhook}/deliveries", response_model=WebhookDeliveriesOut, summary="What it was told")
def get_deliveries(
    webhook: UUID,
    parts: Parts,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[UUID | None, Query(description="Continue behind this one: `next` of the page before")] = None,
    state: DeliveryState | None = None,
) -> WebhookDeliveriesOut:
    """Return deliveries, newest first. They are kept for 30 days."""
    _found(parts, webhook, caller)
    with parts.database.read() as tx:
        rows = deliveries.list_deliveries(tx, webhook, limit=limit + 1, before=before, state=state)
    page = rows[:limit]
    return WebhookDeliveriesOut(
        deliveries=[WebhookDeliveryOut.of(row, webhook_id(row.id)) for row in page],
        next=page[-1].id if len(rows) > limit else None,
    )


@router.post(
    "/webhooks/{webhook}/deliveries/{delivery}/again",
    status_code=202,
    response_model=WebhookDeliveryOut,
    summary="Send one delivery again",
)
def post_delivery_again(webhook: UUID, delivery: UUID, parts: Parts, caller: Caller) -> WebhookDeliveryOut:
    """Post it once more, whatever came of it, with the same id. 409 when consent was withdrawn since."""
    _found(parts, webhook, caller)
    endpoints.send_again(parts.database, webhook, now=model.now(), delivery=delivery)
    return _delivery(parts, webhook, delivery)


@router.post("/webhooks/{webhook}/again", status_code=202, response_model=AgainOut, summary="Send again what failed")
def post_again(webhook: UUID, wanted: AgainIn, parts: Parts, caller: Caller) -> AgainOut:
    """Post everything once more that was given up and was made since a moment."""
    _found(parts, webhook, caller)
    amount = endpoints.send_again(parts.database, webhook, now=model.now(), since=wanted.since)
    return AgainOut(deliveries=amount)


def _found(parts: ApiParts, webhook: UUID, caller: Account) -> EndpointRow:
    with parts.database.read() as tx:
        return endpoints.find_endpoint(tx, webhook, caller.id)


def _delivery(parts: ApiParts, webhook: UUID, delivery: UUID) -> WebhookDeliveryOut:
    with parts.database.read() as tx:
        row = deliveries.get_delivery(tx, webhook, delivery)
    assert row is not None
    return WebhookDeliveryOut.of(row, webhook_id(row.id))
