"""SendGrid's signed event webhook."""

from __future__ import annotations

from resonanz.ingest.sources.notices import (
    PRIVACY_PROXY,
    Delivery,
    Notice,
    header_id,
    joined,
    key_of,
    moment,
    objects,
    text,
)
from resonanz.ingest.sources.signatures import check_public_key
from resonanz.model import EventKind

_KINDS = {
    "delivered": EventKind.DELIVERED,
    "deferred": EventKind.DEFERRED,
    "bounce": EventKind.BOUNCED,
    "dropped": EventKind.BOUNCED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
}
_SILENT = frozenset({"processed", "group_resubscribe"})


def verify(delivery: Delivery, secret: str) -> str:
    """ECDSA over time and body. A repeated delivery has the ids of the first, so that no window in time is needed."""
    signed = delivery.headers.get("x-twilio-email-event-webhook-timestamp", "").encode("utf-8", "replace")
    given = delivery.headers.get("x-twilio-email-event-webhook-signature", "")
    check_public_key(signed + delivery.body, secret, given)
    return ""


def read(delivery: Delivery) -> list[Notice]:
    """One notice for each entry."""
    return [
        Notice(
            word=(word := text(one.get("event"), 64)),
            kind=_KINDS.get(word),
            silent=word in _SILENT,
            occurred_at=moment(one.get("timestamp"), delivery.now),
            key=key_of(one.get("sg_event_id") or one),
            recipient=text(one.get("email"), 320),
            header_ids=header_id(one.get("smtp-id")),
            provider_id=text(one.get("sg_message_id")).partition(".")[0],
            reply=joined((one.get("reason"), one.get("response"))),
            status=text(one.get("status"), 20),
            url=text(one.get("url"), 8_000),
            address=text(one.get("ip"), 64),
            user_agent=PRIVACY_PROXY if one.get("sg_machine_open") is True else text(one.get("useragent")),
            raw=one,
        )
        for one in objects(delivery.json())
    ]
