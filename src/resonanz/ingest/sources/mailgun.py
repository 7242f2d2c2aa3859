"""Mailgun's webhooks, with the signing key of the account."""

from __future__ import annotations

from datetime import timedelta

from resonanz.ingest.sources.notices import (
    PRIVACY_PROXY,
    Delivery,
    Json,
    Notice,
    header_id,
    joined,
    key_of,
    moment,
    number,
    part,
    text,
)
from resonanz.ingest.sources.signatures import check_hmac, check_time
from resonanz.model import EventKind

_KINDS = {
    "delivered": EventKind.DELIVERED,
    "opened": EventKind.OPENED,
    "clicked": EventKind.CLICKED,
    "complained": EventKind.COMPLAINED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    "rejected": EventKind.BOUNCED,
}
_SILENT = frozenset({"accepted", "stored"})

# Retries go on for eight hours. The token, used once for one body, is what keeps replays out.
WINDOW = timedelta(hours=10)


def verify(delivery: Delivery, secret: str) -> str:
    """HMAC over time and token. It does not cover the body, so the token counts once."""
    try:
        signature = part(delivery.json(), "signature")
    except ValueError:
        signature = {}
    seconds, token = text(signature.get("timestamp"), 20), text(signature.get("token"), 128)
    check_hmac(f"{seconds}{token}".encode(), secret.encode(), text(signature.get("signature")))
    check_time(seconds, delivery.now, WINDOW)
    return token


def read(delivery: Delivery) -> list[Notice]:
    """The one event."""
    one = part(delivery.json(), "event-data")
    word = text(one["event"], 64)
    status, client = part(one, "delivery-status"), part(one, "client-info")
    bot = text(client.get("bot"))  # documented: apple (its privacy proxy), gmail, generic; empty where it saw none
    return [
        Notice(
            word=word,
            kind=_failed(one) if word == "failed" else _KINDS.get(word),
            silent=word in _SILENT,
            occurred_at=moment(one.get("timestamp"), delivery.now),
            key=key_of(one.get("id") or one),
            recipient=text(one.get("recipient"), 320),
            header_ids=header_id(part(one, "message", "headers").get("message-id")),
            sender=text(part(one, "envelope").get("sender"), 320),
            reply=joined((status.get("message"), status.get("description"), part(one, "reject").get("reason"))),
            code=number(status.get("code")),
            status=text(status.get("enhanced-code"), 20),
            url=text(one.get("url"), 8_000),
            address=text(one.get("ip"), 64),
            user_agent=PRIVACY_PROXY if bot == "apple" else text(client.get("user-agent")),
            bot=bot not in ("", "apple"),
            raw=one,
        )
    ]


def _failed(one: Json) -> EventKind:
    return EventKind.DEFERRED if one.get("severity") == "temporary" else EventKind.BOUNCED
