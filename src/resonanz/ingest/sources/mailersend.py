"""MailerSend's webhooks: the second form of their payload, and the first, which older accounts still send."""

from __future__ import annotations

from resonanz.ingest.sources.notices import Delivery, Notice, joined, key_of, moment, number, part, text
from resonanz.ingest.sources.signatures import check_hmac
from resonanz.model import EventKind

_KINDS = {
    "activity.delivered": EventKind.DELIVERED,
    "activity.deferred": EventKind.DEFERRED,
    "activity.soft_bounced": EventKind.BOUNCED,
    "activity.hard_bounced": EventKind.BOUNCED,
    "activity.spam_complaint": EventKind.COMPLAINED,
    "activity.suppressed": EventKind.BOUNCED,  # never sent: the address is on the account's own list
    "activity.unsubscribed": EventKind.UNSUBSCRIBED,
    "activity.opened": EventKind.OPENED,
    "activity.opened_unique": EventKind.OPENED,
    "activity.clicked": EventKind.CLICKED,
    "activity.clicked_unique": EventKind.CLICKED,
}
_SILENT = frozenset({"activity.sent"})
_REASONS = ("reason", "readable_reason", "bounce_reason", "reject_reason", "suppression_reason")


def verify(delivery: Delivery, secret: str) -> str:
    """HMAC over the body."""
    check_hmac(delivery.body, secret.encode(), delivery.headers.get("signature", ""))
    return ""


def read(delivery: Delivery) -> list[Notice]:
    """The one activity."""
    event = part({"event": delivery.json()}, "event")
    word, data = text(event["type"], 64), part(event, "data")
    mail = part(data, "email")  # in the first form alone; the second names things flatly
    more = part(data, "morph") or part(data, "meta")  # an empty list where there is nothing to say
    return [
        Notice(
            word=word,
            kind=_KINDS.get(word),
            silent=word in _SILENT,
            occurred_at=moment(data.get("created_at") or event.get("created_at"), delivery.now),
            # A first opening is told twice, as an opening and as the first: each has an id of its own.
            key=key_of(word, data.get("id") or data),
            recipient=text(part(mail, "recipient").get("email") or data.get("recipient"), 320),
            provider_id=text(part(mail, "message").get("id") or data.get("message_id"), 100),
            reply=joined(more.get(name) for name in _REASONS),
            code=number(more.get("bounce_code")),
            url=text(more.get("url"), 8_000),
            address=text(more.get("ip"), 64),
            user_agent=text(more.get("user_agent")),
            raw=event,
        )
    ]
