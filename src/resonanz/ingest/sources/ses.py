"""Amazon SES, which reports through SNS: signed notifications of one topic.

The certificate is fetched from the region's own SNS host only, and a subscription is confirmed by a question that is
put together here; no address that a delivery names is ever asked. (Amazon SNS developer guide, "Verifying the
signatures of Amazon SNS messages".)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlencode, urlsplit

from resonanz.ingest.sources.notices import Delivery, Json, Notice, header_id, joined, key_of, moment, part, text
from resonanz.ingest.sources.signatures import check_public_key, refused
from resonanz.model import EventKind, InvalidInput, TemporaryFailure

_KINDS = {
    "Delivery": EventKind.DELIVERED,
    "DeliveryDelay": EventKind.DEFERRED,
    "Bounce": EventKind.BOUNCED,
    "Reject": EventKind.BOUNCED,
    "Rendering Failure": EventKind.BOUNCED,
    "Complaint": EventKind.COMPLAINED,
    "Subscription": EventKind.UNSUBSCRIBED,
    "Open": EventKind.OPENED,
    "Click": EventKind.CLICKED,
}
_SILENT = frozenset({"Send", "SubscriptionConfirmation", "UnsubscribeConfirmation", "AmazonSnsSubscriptionSucceeded"})
_TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+){1,3}-\d):\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?"
)
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{1,64}\.pem")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_ON_LIST = "OnAccountSuppressionList"
_WINDOW = timedelta(hours=2)  # SNS tries again for an hour with the time it first signed


def verify(delivery: Delivery, secret: str) -> str:
    """The topic (that is the secret here: its ARN), then the signature by Amazon's certificate, then the time. A
    subscription of our topic is confirmed."""
    try:
        envelope = part({"envelope": delivery.json()}, "envelope")
    except ValueError:
        envelope = {}
    kind = text(envelope.get("Type"))
    if kind not in _SIGNED:
        raise refused("no notification of SNS; raw message delivery is not signed and has to be off")
    if envelope.get("TopicArn") != secret:
        raise refused("another topic than the one that was named")
    digest = {"1": "sha1", "2": "sha256"}.get(text(envelope.get("SignatureVersion")), "")
    if not digest:
        raise refused("a version of the signature that nobody knows here")
    key = _key(delivery, text(envelope.get("SigningCertURL")), region_host(secret))
    # As it came, not as it would be stored: the signature is over every character.
    lines = [(name, envelope[name]) for name in _SIGNED[kind] if isinstance(envelope.get(name), str)]
    signed = "".join(f"{name}\n{value}\n" for name, value in lines).encode("utf-8", "replace")
    check_public_key(signed, key, text(envelope.get("Signature")), digest=digest)
    if delivery.now - moment(envelope.get("Timestamp"), delivery.now) > _WINDOW:
        raise refused("the notification is too old")
    if kind == "SubscriptionConfirmation":
        _confirm(delivery, secret, text(envelope.get("Token")))
    return ""


def region_host(topic: str) -> str:
    """Return the SNS host of a topic's region. Raises InvalidInput for what is no topic's ARN."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise InvalidInput(
            "not the ARN of an SNS topic", where="secret", remedy="such as arn:aws:sns:eu-west-1:123456789012:ses"
        )
    return f"sns.{found[2]}.amazonaws.com{'.cn' if found[1] == 'aws-cn' else ''}"


def _key(delivery: Delivery, url: str, host: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.netloc != host or parts.query or not _CERTIFICATE.fullmatch(parts.path):
        raise refused("the certificate does not lie on the host of the topic's region")
    assert delivery.fetch is not None
    try:
        until, key = _certificate(delivery.fetch, f"https://{host}{parts.path}")
    except ValueError:
        raise TemporaryFailure("the certificate of SNS cannot be read", where=host) from None
    if delivery.now > until:
        raise refused("the certificate is no longer valid")
    return key


@lru_cache(maxsize=16)
def _certificate(fetch: object, url: str) -> tuple[datetime, str]:
    """Return until when a certificate holds, and its public key; its file has its content's name and never changes."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    assert callable(fetch)
    certificate = x509.load_pem_x509_certificate(fetch(url))
    pem = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return certificate.not_valid_after_utc.astimezone(UTC), pem.decode("ascii")


def _confirm(delivery: Delivery, topic: str, token: str) -> None:
    """Confirm that we want what this topic tells."""
    assert delivery.fetch is not None
    asked = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token})
    delivery.fetch(f"https://{region_host(topic)}/?{asked}")


def read(delivery: Delivery) -> list[Notice]:
    """One notice for each recipient that the notification speaks about."""
    import json

    envelope = part({"envelope": delivery.json()}, "envelope")
    if envelope["Type"] != "Notification":
        return [_silent(envelope, delivery)]
    try:
        told = json.loads(envelope["Message"])
    except ValueError:
        if "successfully validated" in envelope["Message"]:  # what SES publishes once, when the topic is chosen
            return [_silent(envelope, delivery)]
        raise
    report = part({"told": told}, "told")
    word = text(report.get("eventType") or report["notificationType"], 64)
    mail, said = part(report, "mail"), part(report, word[:1].lower() + word[1:].replace(" F", "F"))
    return [_notice(word, mail, said, about, delivery, report) for about in _recipients(word, mail, said)]


def _silent(envelope: Json, delivery: Delivery) -> Notice:
    word = text(envelope.get("Type"), 64)
    return Notice(
        word="AmazonSnsSubscriptionSucceeded" if word == "Notification" else word,
        kind=None,
        silent=True,
        occurred_at=delivery.now,
        key=key_of(envelope.get("MessageId")),
        recipient="",
        raw=envelope,
    )


def _recipients(word: str, mail: Json, said: Json) -> list[Json]:
    names = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients", "DeliveryDelay": "delayedRecipients"}
    listed = said.get(names.get(word, ""))
    found: list[Json] = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if found:
        return found
    plain = said.get("recipients") if isinstance(said.get("recipients"), list) else mail.get("destination")
    return [{"emailAddress": one} for one in plain] if isinstance(plain, list) and plain else [{}]


def _notice(word: str, mail: Json, said: Json, about: Json, delivery: Delivery, report: Json) -> Notice:
    recipient = text(about.get("emailAddress"), 1_000)
    headers = part(mail, "commonHeaders")
    sort, subsort = text(said.get("bounceType")), text(said.get("bounceSubType"))
    diagnostic = text(about.get("diagnosticCode")).removeprefix("smtp; ")
    kind = _KINDS.get(word)
    if word == "Complaint" and said.get("complaintFeedbackType") == "not-spam":
        kind = None
    # Never sent: the address is on the account's own list. It need not be dead, and nobody complained about this mail.
    on_list = said.get("complaintSubType") == _ON_LIST or subsort == _ON_LIST
    if word == "Complaint" and on_list:
        kind = EventKind.BOUNCED
    return Notice(
        word=word,
        kind=kind,
        silent=word in _SILENT or (word == "Complaint" and kind is None),
        occurred_at=moment(said.get("timestamp") or mail.get("timestamp"), delivery.now),
        key=key_of(mail.get("messageId"), word, recipient, said.get("timestamp"), said.get("link")),
        recipient=recipient.rpartition("<")[2].rstrip(">")[:320],
        header_ids=header_id(headers.get("messageId")),
        provider_id=text(mail.get("messageId"), 100),
        sender=text(mail.get("source"), 320),
        reply=_ON_LIST
        if on_list
        else joined((diagnostic, said.get("smtpResponse"), said.get("reason"), said.get("delayType"))),
        status="" if on_list else text(about.get("status"), 20),
        dead=sort == "Permanent" and subsort == "NoEmail",
        url=text(said.get("link"), 8_000),
        address=text(said.get("ipAddress"), 64),
        user_agent=text(said.get("userAgent")),
        raw=report,
    )
