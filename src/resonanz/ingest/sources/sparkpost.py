"""SparkPost's webhooks, with a password in the address."""

from __future__ import annotations

from resonanz.ingest.sources.notices import (
    PRIVACY_PROXY,
    Delivery,
    Json,
    Notice,
    joined,
    key_of,
    moment,
    number,
    objects,
    part,
    text,
)
from resonanz.ingest.sources.signatures import check_password
from resonanz.model import EventKind

_KINDS = {
    "delivery": EventKind.DELIVERED,
    "delay": EventKind.DEFERRED,
    "bounce": EventKind.BOUNCED,
    "out_of_band": EventKind.BOUNCED,
    "policy_rejection": EventKind.BOUNCED,
    "generation_rejection": EventKind.BOUNCED,
    "generation_failure": EventKind.BOUNCED,
    "spam_complaint": EventKind.COMPLAINED,
    "open": EventKind.OPENED,
    "initial_open": EventKind.OPENED,
    "amp_open": EventKind.OPENED,
    "amp_initial_open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "amp_click": EventKind.CLICKED,
    "list_unsubscribe": EventKind.UNSUBSCRIBED,
    "link_unsubscribe": EventKind.UNSUBSCRIBED,
}
_SILENT = frozenset({"injection"})
# Their bounce classification: what comes back to a return path need be no bounce, and two classes mean a dead address.
_DEAD_CLASSES = frozenset({"10", "30"})  # invalid recipient; no recipient by that name
_NO_BOUNCES = {
    "60": EventKind.AUTORESPONDED,
    "80": EventKind.AUTORESPONDED,  # somebody's request to be put on a list
    "90": EventKind.UNSUBSCRIBED,
    "100": EventKind.AUTORESPONDED,  # a challenge
}


def verify(delivery: Delivery, secret: str) -> str:
    """SparkPost signs nothing; the secret comes along."""
    check_password(delivery.password, secret)
    return ""


def read(delivery: Delivery) -> list[Notice]:
    """One notice for each event; the test of a new webhook holds none."""
    found = [part(one, "msys") for one in objects(delivery.json())]
    return [_notice(event, delivery) for one in found for event in one.values() if isinstance(event, dict)]


def _notice(one: Json, delivery: Delivery) -> Notice:
    word = text(one["type"], 64)
    kind = _KINDS.get(word)
    bounce_class = text(one.get("bounce_class"), 8)
    if kind is EventKind.BOUNCED:
        kind = _NO_BOUNCES.get(bounce_class, kind)
    return Notice(
        word=word,
        kind=kind,
        silent=word in _SILENT,
        occurred_at=moment(one.get("timestamp"), delivery.now),
        key=key_of(one.get("event_id") or one),
        recipient=text(one.get("raw_rcpt_to") or one.get("rcpt_to"), 320),
        provider_id=text(one.get("message_id"), 100),
        sender=text(one.get("msg_from"), 320),
        reply=joined((one.get("raw_reason") or one.get("reason"),)),
        code=number(one.get("error_code")),
        dead=bounce_class in _DEAD_CLASSES,
        url=text(one.get("target_link_url"), 8_000),
        address=text(one.get("ip_address"), 64),
        user_agent=PRIVACY_PROXY
        if part(one, "user_agent_parsed").get("is_prefetched")
        else text(one.get("user_agent")),
        raw=one,
    )
