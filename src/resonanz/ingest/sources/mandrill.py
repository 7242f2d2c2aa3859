"""Mailchimp Transactional (Mandrill): events as a form field, signed together with the address they are sent to."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from resonanz.ingest.sources.notices import (
    Delivery,
    Json,
    Notice,
    header_id,
    key_of,
    moment,
    objects,
    part,
    text,
)
from resonanz.ingest.sources.signatures import check_hmac
from resonanz.model import EventKind

_KINDS = {
    "delivered": EventKind.DELIVERED,
    "deferral": EventKind.DEFERRED,
    "hard_bounce": EventKind.BOUNCED,
    "soft_bounce": EventKind.BOUNCED,
    "reject": EventKind.BOUNCED,
    "spam": EventKind.COMPLAINED,
    "unsub": EventKind.UNSUBSCRIBED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
}
_SILENT = frozenset({"send", "blacklist", "whitelist", "allowlist", "denylist"})


def verify(delivery: Delivery, secret: str) -> str:
    """HMAC-SHA1 over the address as it was given to Mandrill, and each field's name and value, sorted by name."""
    signed = delivery.url + "".join(name + value for name, value in sorted(_fields(delivery)))
    given = delivery.headers.get("x-mandrill-signature", "")
    check_hmac(signed.encode("utf-8", "replace"), secret.encode(), given, digest="sha1", in_base64=True)
    return ""


def read(delivery: Delivery) -> list[Notice]:
    """One notice for each event."""
    found = json.loads(dict(_fields(delivery))["mandrill_events"])
    return [_notice(one, delivery) for one in objects(found)]


def _fields(delivery: Delivery) -> list[tuple[str, str]]:
    try:
        return parse_qsl(delivery.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return []


def _notice(one: Json, delivery: Delivery) -> Notice:
    word = text(one.get("event") or one["type"], 64)  # changes to its own lists of refused addresses have a `type`
    message = part(one, "msg")
    described = text(message.get("bounce_description"))
    return Notice(
        word="sync" if "action" in one else word,
        kind=_KINDS.get(word),
        silent=word in _SILENT or "action" in one,
        occurred_at=moment(one.get("ts"), delivery.now),
        key=key_of(one),
        recipient=text(message.get("email"), 320),
        header_ids=header_id(part(message, "headers").get("Message-Id")),
        provider_id=text(one.get("_id") or message.get("_id"), 100),
        # What Mandrill makes of the reply speaks only where the reply itself is not told.
        reply=text(message.get("diag")) or _last_reply(message) or described.replace("_", " "),
        dead=described in ("bad_mailbox", "invalid_domain"),
        url=text(one.get("url"), 8_000),
        address=text(one.get("ip"), 64),
        user_agent=text(one.get("user_agent")),
        raw=one,
    )


def _last_reply(message: Json) -> str:
    """What the recipient's server said last: a deferral tells it among the attempts, and not by itself."""
    attempts = message.get("smtp_events")
    said = [text(one.get("diag")) for one in attempts if isinstance(one, dict)] if isinstance(attempts, list) else []
    return next((diagnostic for diagnostic in reversed(said) if diagnostic), "")
