"""Brevo's transactional webhooks, with a password in the address."""

from __future__ import annotations

from resonanz.ingest.sources.notices import (
    PRIVACY_PROXY,
    Delivery,
    Json,
    Notice,
    header_id,
    key_of,
    moment,
    objects,
    text,
)
from resonanz.ingest.sources.signatures import check_password
from resonanz.model import EventKind

_KINDS = {
    "delivered": EventKind.DELIVERED,
    "deferred": EventKind.DEFERRED,
    "hard_bounce": EventKind.BOUNCED,
    "soft_bounce": EventKind.BOUNCED,
    "blocked": EventKind.BOUNCED,
    "invalid_email": EventKind.BOUNCED,
    "error": EventKind.BOUNCED,
    "spam": EventKind.COMPLAINED,
    "complaint": EventKind.COMPLAINED,
    "opened": EventKind.OPENED,
    "unique_opened": EventKind.OPENED,
    "proxy_open": EventKind.OPENED,
    "unique_proxy_open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
}
_SILENT = frozenset({"request", "sent", "list_addition", "contact_updated", "contact_deleted"})


def verify(delivery: Delivery, secret: str) -> str:
    """Brevo signs nothing; the secret comes along."""
    check_password(delivery.password, secret)
    return ""


def read(delivery: Delivery) -> list[Notice]:
    """One notice for each entry; batches are lists."""
    return [_notice(one, delivery) for one in objects(delivery.json())]


def _notice(one: Json, delivery: Delivery) -> Notice:
    word = text(one["event"], 64)
    agent = text(one.get("user_agent"))
    return Notice(
        word=word,
        kind=_KINDS.get(word),
        silent=word in _SILENT,
        occurred_at=moment(one.get("ts_epoch") or one.get("ts_event") or one.get("ts"), delivery.now),
        # Its id is that of the webhook, not of the event.
        key=key_of(
            word, one.get("message-id"), one.get("email"), one.get("ts_epoch") or one.get("ts"), one.get("link")
        ),
        recipient=text(one.get("email"), 320),
        header_ids=header_id(one.get("message-id")),
        provider_id=text(one.get("message-id"), 1_000).strip("<>"),
        reply=text(one.get("reason")),
        dead=word in ("hard_bounce", "invalid_email"),
        url=text(one.get("link"), 8_000),
        address=text(one.get("ip"), 64),
        user_agent=agent or (PRIVACY_PROXY if "proxy" in word else ""),
        raw=one,
    )
