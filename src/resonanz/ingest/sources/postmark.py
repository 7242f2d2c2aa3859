"""Postmark's webhooks, with a password in the address."""

from __future__ import annotations

from resonanz.ingest.sources.notices import Delivery, Json, Notice, joined, key_of, moment, objects, part, text
from resonanz.ingest.sources.signatures import check_password
from resonanz.model import EventKind

_KINDS = {
    "Delivery": EventKind.DELIVERED,
    "SpamComplaint": EventKind.COMPLAINED,
    "Open": EventKind.OPENED,
    "Click": EventKind.CLICKED,
}
_BOUNCES = {
    "HardBounce": EventKind.BOUNCED,
    "SoftBounce": EventKind.BOUNCED,
    "Blocked": EventKind.BOUNCED,
    "DnsError": EventKind.BOUNCED,
    "BadEmailAddress": EventKind.BOUNCED,
    "SMTPApiError": EventKind.BOUNCED,
    "InboundError": EventKind.BOUNCED,
    "DMARCPolicy": EventKind.BOUNCED,
    "SpamNotification": EventKind.BOUNCED,
    "ManuallyDeactivated": EventKind.BOUNCED,
    "Undeliverable": EventKind.BOUNCED,
    "VirusNotification": EventKind.BOUNCED,
    "TemplateRenderingFailed": EventKind.BOUNCED,
    "Unknown": EventKind.BOUNCED,
    "Unconfirmed": EventKind.BOUNCED,
    "Transient": EventKind.DEFERRED,
    "SpamComplaint": EventKind.COMPLAINED,
    "AutoResponder": EventKind.AUTORESPONDED,
    "AddressChange": EventKind.AUTORESPONDED,
    "ChallengeVerification": EventKind.AUTORESPONDED,
    "Unsubscribe": EventKind.UNSUBSCRIBED,
}
_MOMENTS = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")


def verify(delivery: Delivery, secret: str) -> str:
    """Postmark signs nothing; the secret comes along."""
    check_password(delivery.password, secret)
    return ""


def read(delivery: Delivery) -> list[Notice]:
    """The one record."""
    return [_notice(one, delivery) for one in objects(delivery.json())]


def _notice(one: Json, delivery: Delivery) -> Notice:
    record, sort = text(one["RecordType"], 64), text(one.get("Type"), 60)
    kind = _BOUNCES.get(sort) if record == "Bounce" else _KINDS.get(record)
    silent = False
    if record == "SubscriptionChange":
        # Bounces and complaints are told by records of their own; only what the person did is new here, and not what
        # whoever runs the account (`Customer`, `Admin`) put on its list.
        is_manual = (
            one.get("SuppressionReason") == "ManualSuppression" and one.get("Origin", "Recipient") == "Recipient"
        )
        by_person = bool(one.get("SuppressSending")) and is_manual
        kind, silent = (EventKind.UNSUBSCRIBED if by_person else None), not by_person
    when = next((one[name] for name in _MOMENTS if one.get(name)), None)
    return Notice(
        word=f"{record} {sort}".strip() if record == "Bounce" else record,
        kind=kind,
        silent=silent,
        occurred_at=moment(when, delivery.now),
        key=key_of(one),
        recipient=text(one.get("Recipient") or one.get("Email"), 320),
        provider_id=text(one.get("MessageID"), 100),
        # The description is of the type, with examples ("unknown user, …"): it speaks only where the server did not.
        reply=joined((one.get("Details"),)) or joined((one.get("Description"),)),
        dead=sort in ("HardBounce", "BadEmailAddress"),
        url=text(one.get("OriginalLink"), 8_000),
        address=text(part(one, "Geo").get("IP"), 64),
        user_agent=text(one.get("UserAgent")),
        raw=one,
    )
