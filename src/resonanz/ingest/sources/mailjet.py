"""Mailjet's event callbacks, with a password in the address."""

from __future__ import annotations

from resonanz.ingest.sources.notices import Delivery, Json, Notice, joined, key_of, moment, objects, text
from resonanz.ingest.sources.signatures import check_password
from resonanz.model import EventKind

_KINDS = {
    "sent": EventKind.DELIVERED,  # told once the recipient's server has answered
    "bounce": EventKind.BOUNCED,
    "blocked": EventKind.BOUNCED,
    "spam": EventKind.COMPLAINED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "unsub": EventKind.UNSUBSCRIBED,
}
_DEAD = frozenset({"user unknown", "invalid domain"})
_TRIED_AGAIN = "greylisted"  # told as a bounce, but Mailjet goes on trying


def verify(delivery: Delivery, secret: str) -> str:
    """Mailjet signs nothing; the secret comes along."""
    check_password(delivery.password, secret)
    return ""


def read(delivery: Delivery) -> list[Notice]:
    """One notice for each entry; grouped events are lists."""
    return [_notice(one, delivery) for one in objects(delivery.json())]


def _notice(one: Json, delivery: Delivery) -> Notice:
    word, error = text(one["event"], 64), text(one.get("error"))
    return Notice(
        word=word,
        kind=EventKind.DEFERRED if error == _TRIED_AGAIN else _KINDS.get(word),
        occurred_at=moment(one.get("time"), delivery.now),
        key=key_of(one),
        recipient=text(one.get("email"), 320),
        provider_id=text(one.get("Message_GUID"), 100),
        # What Mailjet makes of the reply speaks only where the reply itself is not told.
        reply=joined((one.get("smtp_reply"), one.get("comment"))) or joined((one.get("error_related_to"), error)),
        dead=bool(one.get("hard_bounce")) and error in _DEAD,
        url=text(one.get("url"), 8_000),
        address=text(one.get("ip"), 64),
        user_agent=text(one.get("agent")),
        raw=one,
    )
