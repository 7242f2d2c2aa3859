"""What is posted: thin, stable, and only what may be told of the event."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from resonanz.model import Event, EventKind, Verdict
from resonanz.notify.webhooks.types import TEST, TYPES, name_of
from resonanz.people import is_pseudonym
from resonanz.store.webhook_deliveries import DeliveryRow


def webhook_id(delivery: UUID) -> str:
    """Return what stands in the header `webhook-id`: the same in every try."""
    return f"msg_{delivery.hex}"


def test_body(delivery: DeliveryRow) -> bytes:
    """Return the payload of a test."""
    return _body(delivery, delivery.created_at, {"text": "This is a test. Nothing happened to any mail."})


def body_of(delivery: DeliveryRow, event: Event, submission_id: UUID | None) -> bytes:
    """Return the payload that tells of an event. The judgement is the one that the delivery was made with, so that it
    says the same in every try; a correction is told by its own fact."""
    told = delivery.told
    found = TYPES[delivery.type]
    values: dict[str, Any] = {}
    for name in found.fields:
        if name in told:
            values[name] = told[name]
        elif name == "submission":
            values[name] = None if submission_id is None else str(submission_id)
        else:
            values[name] = _VALUES[name](event)
    return _body(delivery, event.occurred_at, values)


def judgement(event: Event) -> dict[str, Any]:
    """Return what is told of who caused an event."""
    return {
        "verdict": event.verdict,
        "who": event.verdict.who if event.verdict is not None else None,
        "confidence": event.confidence,
        "reasons": list(event.reasons),
    }


def correction(fact: Event, before: str) -> dict[str, Any]:
    """Return what is told of a correction, to somebody who was told the verdict `before` last."""
    was = Verdict(before) if before else None
    return {
        "event": fact.detail["event"],
        "of": name_of(EventKind(str(fact.detail["of"]))),
        "verdict": fact.verdict,  # what the next correction is compared with
        "before": {"verdict": was, "who": was.who if was is not None else None},
        "after": judgement(fact),
    }


def _body(delivery: DeliveryRow, occurred_at: datetime, data: Mapping[str, Any]) -> bytes:
    payload = {
        "id": webhook_id(delivery.id),
        "type": delivery.type or TEST,
        "timestamp": _moment(occurred_at),
        "data": data,
    }
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _recipient(event: Event) -> str | None:
    return None if not event.recipient or is_pseudonym(event.recipient) else event.recipient


def _client(event: Event) -> dict[str, str] | None:
    client = event.client
    if client is None:
        return None
    return {"kind": client.kind, "name": client.name, "os": client.os, "device": client.device}


def _said(name: str) -> Callable[[Event], str]:
    return lambda event: str(event.detail.get(name) or "")


_VALUES: Mapping[str, Callable[[Event], Any]] = {
    "event": lambda event: event.id,
    "occurred_at": lambda event: _moment(event.occurred_at),
    "recorded_at": lambda event: _moment(event.received_at),
    "message": lambda event: None if event.message_id is None else str(event.message_id),
    "recipient": _recipient,
    "source": lambda event: event.source,
    "client": _client,
    "country": lambda event: event.place.country if event.place is not None else None,
    "link": lambda event: event.link,
    "url": lambda event: event.url,
    "bounce": lambda event: "hard" if event.detail.get("bounce") == "hard" else "soft",
    "tracking": lambda event: "on" if event.detail.get("tracking") == "on" else "off",
    **{name: _said(name) for name in ("title", "reason", "status", "reply")},
}
