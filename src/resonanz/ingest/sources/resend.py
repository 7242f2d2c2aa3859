"""Resend's webhooks, signed as Standard Webhooks (Svix)."""

from __future__ import annotations

from resonanz.ingest.sources.notices import (
    Delivery,
    Notice,
    address_of,
    header_id,
    joined,
    key_of,
    moment,
    part,
    text,
    texts,
)
from resonanz.ingest.sources.signatures import check_standard_webhook
from resonanz.model import EventKind

_KINDS = {
    "email.delivered": EventKind.DELIVERED,
    "email.delivery_delayed": EventKind.DEFERRED,
    "email.bounced": EventKind.BOUNCED,
    "email.failed": EventKind.BOUNCED,
    "email.suppressed": EventKind.BOUNCED,
    "email.complained": EventKind.COMPLAINED,
    "email.opened": EventKind.OPENED,
    "email.clicked": EventKind.CLICKED,
}
_SILENT = frozenset({"email.sent", "email.scheduled", "email.received", "suppression.added", "suppression.removed"})


def verify(delivery: Delivery, secret: str) -> str:
    """HMAC over id, time and body."""
    names = ("id", "timestamp", "signature")
    found = {
        name: delivery.headers.get(f"svix-{name}") or delivery.headers.get(f"webhook-{name}", "") for name in names
    }
    check_standard_webhook(
        delivery.body,
        secret,
        message_id=found["id"],
        seconds=found["timestamp"],
        given=found["signature"],
        now=delivery.now,
    )
    return ""


def read(delivery: Delivery) -> list[Notice]:
    """The one event."""
    event = part({"event": delivery.json()}, "event")
    word, data = text(event["type"], 64), part(event, "data")
    recipient = _recipient(data.get("to"))
    bounce, failed = part(data, "bounce") or part(data, "suppressed"), part(data, "failed")
    fetched = part(data, "click") or part(data, "open")
    return [
        Notice(
            word=word,
            kind=_KINDS.get(word),
            silent=word in _SILENT,
            occurred_at=moment(fetched.get("timestamp") or event.get("created_at"), delivery.now),
            key=key_of(delivery.headers.get("svix-id") or delivery.headers.get("webhook-id", ""), recipient),
            recipient=recipient,
            header_ids=header_id(_header(data.get("headers"), "message-id") or data.get("message_id")),
            provider_id=text(data.get("email_id"), 100),
            # Resend's own words about a refusal speak only where the server's are not told.
            reply=joined(texts(bounce.get("diagnosticCode"))) or joined((bounce.get("message"), failed.get("reason"))),
            dead=bounce.get("type") == "Permanent" and bounce.get("subType") == "NoEmail",
            url=text(fetched.get("link"), 8_000),
            address=text(fetched.get("ipAddress"), 64),
            user_agent=text(fetched.get("userAgent")),
            raw=event,
        )
    ]


def _recipient(to: object) -> str:
    """Whom it is about; empty where the mail names several: each has events of their own, and none says whose it is.
    Then the Message-ID tells whose copy it was, or nothing does, and nobody pays for another's bounce."""
    named = [address_of(one) for one in (to if isinstance(to, list) else [to])]
    return named[0] if len(named) == 1 else ""


def _header(headers: object, name: str) -> object:
    """A header of the mail as it was sent, of `[{"name": …, "value": …}]`."""
    listed = [one for one in headers if isinstance(one, dict)] if isinstance(headers, list) else []
    return next((one.get("value") for one in listed if text(one.get("name")).lower() == name), None)
