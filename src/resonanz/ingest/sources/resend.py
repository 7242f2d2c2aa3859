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
_SILENT = frozenset({"email.sent", "email.scheduled"})


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
    """One notice for each recipient."""
    event = part({"event": delivery.json()}, "event")
    word, data = text(event["type"], 64), part(event, "data")
    to = data.get("to")
    recipients = [address_of(one) for one in (to if isinstance(to, list) else [to])] if to else [""]
    bounce, failed = part(data, "bounce") or part(data, "suppressed"), part(data, "failed")
    fetched = part(data, "click") or part(data, "open")
    headers = data.get("headers")
    named = (
        {text(one.get("name")).lower(): one.get("value") for one in headers if isinstance(one, dict)}
        if (isinstance(headers, list))
        else {}
    )
    event_id = delivery.headers.get("svix-id") or delivery.headers.get("webhook-id", "")
    return [
        Notice(
            word=word,
            kind=_KINDS.get(word),
            silent=word in _SILENT,
            occurred_at=moment(fetched.get("timestamp") or event.get("created_at"), delivery.now),
            key=key_of(event_id, recipient),
            recipient=recipient,
            header_ids=header_id(named.get("message-id") or data.get("message_id")),
            provider_id=text(data.get("email_id"), 100),
            # What the recipient's server said outranks Resend's own words about it.
            reply=joined((*texts(bounce.get("diagnosticCode")), bounce.get("message"), failed.get("reason"))),
            dead=bounce.get("type") == "Permanent" and bounce.get("subType") == "NoEmail",
            url=text(fetched.get("link"), 8_000),
            address=text(fetched.get("ipAddress"), 64),
            user_agent=text(fetched.get("userAgent")),
            raw=event,
        )
        for recipient in recipients
    ]
