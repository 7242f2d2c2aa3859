"""What single providers document about their events, where it decides what becomes of a mail: read as they write it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from resonanz.ingest.providers import source_of
from resonanz.ingest.sources.notices import PRIVACY_PROXY, Delivery, Notice
from resonanz.model import EventKind

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def read(provider: str, payload: Any) -> Notice:
    """The one notice of a payload."""
    (notice,) = source_of(provider).read(Delivery(json.dumps(payload).encode(), {}, "", NOW))
    return notice


def ses(word: str, **said: Any) -> dict[str, str]:
    """What SES tells, in SNS's envelope."""
    mail = {"messageId": "m", "destination": ["alma@rcpt.example"], "timestamp": "2026-05-04T12:00:00Z"}
    told = {"eventType": word, "mail": mail, word.lower(): {"timestamp": "2026-05-04T12:00:00Z", **said}}
    return {"Type": "Notification", "MessageId": "n", "Message": json.dumps(told)}


def sparkpost(**more: Any) -> list[dict[str, Any]]:
    """An open, as SparkPost batches it."""
    return [{"msys": {"track_event": {"type": "open", "event_id": "1", "user_agent": AGENT, **more}}}]


def mailgun(bot: str) -> dict[str, Any]:
    """An open, and whom Mailgun takes for its cause."""
    return {"event-data": {"event": "opened", "id": "1", "client-info": {"user-agent": AGENT, "bot": bot}}}


@pytest.mark.parametrize(
    ("provider", "payload", "agent", "bot"),
    [
        ("sendgrid", {"event": "open", "useragent": AGENT, "sg_machine_open": True}, PRIVACY_PROXY, False),
        ("sendgrid", {"event": "open", "useragent": AGENT, "sg_machine_open": False}, AGENT, False),
        ("sparkpost", sparkpost(user_agent_parsed={"is_prefetched": True}), PRIVACY_PROXY, False),
        ("sparkpost", sparkpost(user_agent_parsed={"is_prefetched": False}), AGENT, False),
        ("mailgun", mailgun("apple"), PRIVACY_PROXY, False),
        ("mailgun", mailgun(""), AGENT, False),
        ("mailgun", mailgun("generic"), AGENT, True),
        ("brevo", {"event": "unique_proxy_open"}, PRIVACY_PROXY, False),
    ],
)
def test_who_fetched(provider: str, payload: Any, agent: str, bot: bool) -> None:
    """A provider's word for a privacy proxy leaves open who it was, as with our own pixel; only what it calls a bot is
    a machine's."""
    notice = read(provider, payload)
    assert (notice.kind, notice.user_agent, notice.bot) == (EventKind.OPENED, agent, bot)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (ses("Bounce", bounceType="Permanent", bounceSubType="OnAccountSuppressionList",
             bouncedRecipients=[{"emailAddress": "alma@rcpt.example", "status": "5.1.1"}]), "soft"),
        (ses("Complaint", complaintSubType="OnAccountSuppressionList"), "soft"),
        (ses("Bounce", bounceType="Permanent", bounceSubType="General",
             bouncedRecipients=[{"emailAddress": "alma@rcpt.example", "status": "5.1.1"}]), "hard"),
    ],
)  # fmt: skip
def test_what_amazon_never_sent(payload: Any, reason: str) -> None:
    """What was not sent because of the account's own list is no complaint, and no proof of a dead address."""
    notice = read("ses", payload)
    assert (notice.kind, notice.detail("ses")["bounce"]) == (EventKind.BOUNCED, reason)


def test_the_servers_words_behind_resend() -> None:
    """Resend's own words are general; what the recipient's server said decides, also of a full mailbox."""
    bounce = {"message": "It bounced.", "type": "Permanent", "subType": "General"}
    for said, reason in (("smtp; 550 5.1.1 user unknown", "unknown_mailbox"), ("smtp; 552 5.2.2 full", "mailbox_full")):
        payload = {
            "type": "email.bounced",
            "data": {"to": ["a@b.example"], "bounce": bounce | {"diagnosticCode": [said]}},
        }
        assert read("resend", payload).detail("resend")["reason"] == reason


@pytest.mark.parametrize(
    ("origin", "kind"), [("Recipient", EventKind.UNSUBSCRIBED), ("Customer", None), ("Admin", None)]
)
def test_who_suppressed_at_postmark(origin: str, kind: EventKind | None) -> None:
    """Only the recipient unsubscribes; what whoever runs the account suppresses is no wish of theirs."""
    change = {"RecordType": "SubscriptionChange", "SuppressSending": True, "Recipient": "a@b.example"}
    notice = read("postmark", change | {"SuppressionReason": "ManualSuppression", "Origin": origin})
    assert (notice.kind, notice.silent) == (kind, kind is None)
