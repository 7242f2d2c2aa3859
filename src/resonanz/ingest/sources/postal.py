"""Postal's webhooks, signed by the installation's RSA key."""

from __future__ import annotations

from resonanz.ingest.sources.notices import Delivery, Notice, header_id, joined, key_of, moment, part, text
from resonanz.ingest.sources.signatures import check_public_key
from resonanz.model import EventKind

_KINDS = {
    "MessageSent": EventKind.DELIVERED,  # Postal hands over to the recipient's own server
    "MessageDelayed": EventKind.DEFERRED,
    "MessageDeliveryFailed": EventKind.BOUNCED,
    "MessageBounced": EventKind.BOUNCED,
    "MessageLoaded": EventKind.OPENED,
    "MessageLinkClicked": EventKind.CLICKED,
}
_SILENT = frozenset({"MessageHeld", "DomainDNSError", "SendLimitApproaching", "SendLimitExceeded"})


def verify(delivery: Delivery, secret: str) -> str:
    """RSA over the body, by SHA-256 where the installation is new enough to offer it, else by SHA-1."""
    newer = delivery.headers.get("x-postal-signature-256", "")
    given = newer or delivery.headers.get("x-postal-signature", "")
    check_public_key(delivery.body, secret, given, digest="sha256" if newer else "sha1")
    return ""


def read(delivery: Delivery) -> list[Notice]:
    """The one event. A bounce speaks about the mail that it answers."""
    event = part({"event": delivery.json()}, "event")
    word, payload = text(event["event"], 64), part(event, "payload")
    message = part(payload, "original_message") or part(payload, "message")
    is_incoming = message.get("direction") == "incoming"  # mail that Postal took in and hands on is none of ours
    return [
        Notice(
            word=word,
            kind=None if is_incoming else _KINDS.get(word),
            silent=word in _SILENT or is_incoming,
            occurred_at=moment(payload.get("timestamp") or event.get("timestamp"), delivery.now),
            key=key_of(event.get("uuid") or event),
            recipient=text(message.get("to"), 320),
            header_ids=header_id(message.get("message_id")),
            provider_id=text(message.get("token"), 100),
            reply=joined((payload.get("output"), payload.get("details"))),
            url=text(payload.get("url"), 8_000),
            address=text(payload.get("ip_address"), 64),
            user_agent=text(payload.get("user_agent")),
            raw=event,
        )
    ]
