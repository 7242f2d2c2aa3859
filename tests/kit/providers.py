"""Providers as they report: payloads of each one's shape, made up here, and signed as each one signs.

posted = MAILGUN.post("delivered", message)     # path behind the address, headers, body
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from resonanz.store.messages import Message
from tests.kit.cast import BROWSER

TOPIC = "arn:aws:sns:eu-west-1:123456789012:resonanz"
LINK = "https://shop.example/help"
ADDRESS = "203.0.113.9"
REFUSED = "550 5.1.1 The email account that you tried to reach does not exist"
WORDS = ("delivered", "bounced", "deferred", "complained", "opened", "clicked", "silent", "unknown")

Event = dict[str, Any]


@dataclass(frozen=True)
class Posted:
    """What a provider posts: behind the address, and with it."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Provider:
    """One provider. `events` makes a payload's events of a word, a message, and an id of the event."""

    name: str
    secret: str
    events: Callable[[str, Message, str, datetime], Any]
    sign: Callable[[bytes, str, datetime], Posted]
    wrap: Callable[[list[Any], datetime], bytes] = lambda events, _now: json.dumps(events[0]).encode()
    batches: bool = False

    def tell(self, *events: Event, now: datetime, url: str) -> Posted:
        """A delivery of events that are spelt out."""
        return self.sign(self.wrap(list(events), now), url, now)

    def post(self, *words: str, message: Message, now: datetime, url: str, id: str = "") -> Posted:
        """A delivery of these words about a message."""
        events = [self.events(word, message, id or uuid4().hex, now) for word in words]
        return self.sign(self.wrap(events, now), url, now)


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key, made once."""
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key, made once."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def certificate() -> bytes:
    """A certificate like Amazon's for notifications, of the RSA key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(rsa_key().public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(rsa_key(), hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """A public key as providers show it: base64 of its DER."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def _hmac(secret: str, message: bytes, digest: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), message, digest).digest()


def _epoch(now: datetime) -> int:
    return int(now.timestamp())


def _by_word(word: str, **words: Any) -> Any:
    return words[word]


# ── Each provider's payload ─────────────────────────────────────────────────────────────────────────────────────────


def _sendgrid(word: str, message: Message, id: str, now: datetime) -> Event:
    names = {"bounced": "bounce", "complained": "spamreport", "opened": "open", "clicked": "click"}
    names |= {"silent": "processed", "unknown": "levitated"}
    event = {
        "email": message.recipient,
        "timestamp": _epoch(now),
        "smtp-id": message.header_id,
        "event": names.get(word, word),
        "sg_event_id": id,
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001",
    }
    more = {
        "bounced": {"reason": REFUSED, "status": "5.1.1", "type": "bounce"},
        "deferred": {"response": "451 4.7.1 try again later", "attempt": "2"},
        "opened": {"useragent": BROWSER, "ip": ADDRESS, "sg_machine_open": False},
        "clicked": {"useragent": BROWSER, "ip": ADDRESS, "url": LINK},
    }
    return event | more.get(word, {})


def _sign_sendgrid(body: bytes, _url: str, now: datetime) -> Posted:
    seconds = str(_epoch(now))
    signature = ec_key().sign(seconds.encode() + body, ec.ECDSA(hashes.SHA256()))
    prefix = "X-Twilio-Email-Event-Webhook-"
    signed = {f"{prefix}Signature": base64.b64encode(signature).decode(), f"{prefix}Timestamp": seconds}
    return Posted("", signed, body)


def _mailgun(word: str, message: Message, id: str, now: datetime) -> Event:
    names = {"bounced": "failed", "deferred": "failed", "silent": "accepted", "unknown": "levitated"}
    event = {
        "event": names.get(word, word),
        "timestamp": now.timestamp(),
        "id": id,
        "recipient": message.recipient,
        "message": {"headers": {"message-id": (message.header_id or "").strip("<>"), "to": message.recipient}},
    }
    more = {
        "bounced": {"severity": "permanent", "delivery-status": {"code": 550, "message": REFUSED}},
        "deferred": {"severity": "temporary", "delivery-status": {"code": 451, "message": "4.7.1 greylisted"}},
        "opened": {"ip": ADDRESS, "client-info": {"user-agent": BROWSER, "bot": ""}},
        "clicked": {"ip": ADDRESS, "url": LINK, "client-info": {"user-agent": BROWSER}},
    }
    return event | more.get(word, {})


def _wrap_mailgun(events: list[Event], now: datetime) -> bytes:
    seconds, token = str(_epoch(now)), hashlib.sha256(json.dumps(events).encode()).hexdigest()[:50]
    signature = _hmac("mailgun-signing-key", f"{seconds}{token}".encode()).hex()
    signed = {"timestamp": seconds, "token": token, "signature": signature}
    return json.dumps({"signature": signed, "event-data": events[0]}).encode()


def _postmark(word: str, message: Message, id: str, now: datetime) -> Event:
    record = _by_word(
        word, delivered="Delivery", bounced="Bounce", deferred="Bounce", complained="SpamComplaint", opened="Open",
        clicked="Click", silent="SubscriptionChange", unknown="Levitation",
    )  # fmt: skip
    event = {"RecordType": record, "MessageID": f"pm-{message.id}", "Tag": id}
    when = now.isoformat().replace("+00:00", "Z")
    more = {
        "delivered": {"Recipient": message.recipient, "DeliveredAt": when, "Details": "smtp;250 2.0.0 OK"},
        "bounced": {"Email": message.recipient, "Type": "HardBounce", "BouncedAt": when, "Details": f"smtp;{REFUSED}"},
        "deferred": {"Email": message.recipient, "Type": "Transient", "BouncedAt": when, "Details": "421 later"},
        "complained": {"Email": message.recipient, "Type": "SpamComplaint", "BouncedAt": when},
        "opened": {"Recipient": message.recipient, "ReceivedAt": when, "UserAgent": BROWSER, "Geo": {"IP": ADDRESS}},
        "clicked": {
            "Recipient": message.recipient, "ReceivedAt": when, "UserAgent": BROWSER, "Geo": {"IP": ADDRESS},
            "OriginalLink": LINK,
        },
        "silent": {"Recipient": message.recipient, "SuppressSending": True, "SuppressionReason": "HardBounce"},
        "unknown": {"Recipient": message.recipient},
    }  # fmt: skip
    return event | more[word]


def _brevo(word: str, message: Message, id: str, now: datetime) -> Event:
    names = {"bounced": "hard_bounce", "complained": "spam", "clicked": "click", "silent": "request"}
    event = {
        "event": names.get(word, "levitated" if word == "unknown" else word),
        "email": message.recipient,
        "id": 26224,
        "ts_epoch": int(now.timestamp() * 1000) if not id.isdigit() else int(id),
        "message-id": message.header_id,
    }
    more = {
        "bounced": {"reason": REFUSED},
        "deferred": {"reason": "451 4.7.1 later"},
        "opened": {"user_agent": BROWSER, "ip": ADDRESS},
        "clicked": {"user_agent": BROWSER, "ip": ADDRESS, "link": LINK},
    }
    return event | more.get(word, {})


def _mailjet(word: str, message: Message, id: str, now: datetime) -> Event:
    names = {"delivered": "sent", "bounced": "bounce", "complained": "spam", "opened": "open", "clicked": "click"}
    event = {
        "event": names.get(word, "levitated"),
        "time": _epoch(now),
        "MessageID": 19421777835146490,
        "Message_GUID": f"mj-{message.id}",
        "email": message.recipient,
        "CustomID": id,
    }
    more = {
        "delivered": {"smtp_reply": "sent (250 2.0.0 OK)"},
        "bounced": {"hard_bounce": True, "error_related_to": "recipient", "error": "user unknown"},
        "opened": {"ip": ADDRESS, "agent": BROWSER},
        "clicked": {"ip": ADDRESS, "agent": BROWSER, "url": LINK},
    }
    return event | more.get(word, {})


def _sparkpost(word: str, message: Message, id: str, now: datetime) -> Event:
    names = {"delivered": "delivery", "bounced": "bounce", "deferred": "delay", "complained": "spam_complaint"}
    names |= {"opened": "open", "clicked": "click", "silent": "injection", "unknown": "levitation"}
    group = "track_event" if word in ("opened", "clicked") else "message_event"
    event = {
        "type": names[word],
        "event_id": id,
        "timestamp": str(_epoch(now)),
        "rcpt_to": message.recipient.lower(),
        "raw_rcpt_to": message.recipient,
        "message_id": f"sp-{message.id}",
    }
    more = {
        "bounced": {"bounce_class": "10", "error_code": "550", "raw_reason": REFUSED},
        "deferred": {"bounce_class": "20", "error_code": "451", "raw_reason": "451 4.7.1 later"},
        "opened": {"ip_address": ADDRESS, "user_agent": BROWSER},
        "clicked": {"ip_address": ADDRESS, "user_agent": BROWSER, "target_link_url": LINK},
    }
    return {"msys": {group: event | more.get(word, {})}}


def _mandrill(word: str, message: Message, id: str, now: datetime) -> Event:
    names = {"bounced": "hard_bounce", "deferred": "deferral", "complained": "spam", "opened": "open"}
    names |= {"clicked": "click", "silent": "send", "unknown": "levitate"}
    told = {"email": message.recipient, "_id": f"md-{message.id}", "subject": message.subject, "ts": _epoch(now)}
    if word == "bounced":
        told |= {"diag": f"smtp;{REFUSED}", "bounce_description": "bad_mailbox"}
    fetched = {"ip": ADDRESS, "user_agent": BROWSER, "url": LINK} if word in ("opened", "clicked") else {}
    return {"event": names.get(word, word), "ts": _epoch(now), "_id": id, "msg": told} | fetched


def _sign_mandrill(body: bytes, url: str, _now: datetime) -> Posted:
    events = body.decode()
    signature = base64.b64encode(_hmac("mandrill-key", f"{url}mandrill_events{events}".encode(), "sha1")).decode()
    headers = {"X-Mandrill-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return Posted("", headers, urlencode({"mandrill_events": events}).encode())


def _resend(word: str, message: Message, id: str, now: datetime) -> Event:
    names = {"deferred": "delivery_delayed", "silent": "sent", "unknown": "levitated"}
    data: Event = {"email_id": f"re-{message.id}", "to": [message.recipient], "subject": message.subject, "tag": id}
    if word == "bounced":
        data["bounce"] = {"message": REFUSED, "type": "Permanent", "subType": "NoEmail"}
    if word == "clicked":
        data["click"] = {"ipAddress": ADDRESS, "link": LINK, "userAgent": BROWSER, "timestamp": now.isoformat()}
    if word == "opened":
        data["open"] = {"ipAddress": ADDRESS, "userAgent": BROWSER, "timestamp": now.isoformat()}
    return {"type": f"email.{names.get(word, word)}", "created_at": now.isoformat(), "data": data}


RESEND_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def _sign_resend(body: bytes, _url: str, now: datetime) -> Posted:
    id, seconds = f"msg_{hashlib.sha256(body).hexdigest()[:20]}", str(_epoch(now))
    made = hmac.new(base64.b64decode(RESEND_SECRET[6:]), f"{id}.{seconds}.".encode() + body, "sha256").digest()
    signature = f"v1,AAAA v1,{base64.b64encode(made).decode()}"
    return Posted("", {"svix-id": id, "svix-timestamp": seconds, "svix-signature": signature}, body)


def _mailersend(word: str, message: Message, id: str, now: datetime) -> Event:
    names = {"bounced": "hard_bounced", "complained": "spam_complaint", "silent": "sent", "unknown": "levitated"}
    meta: Event | list[str] = []
    if word == "bounced":
        meta = {"bounce_reason": REFUSED, "bounce_code": 550, "bounce_type": "hard"}
    if word in ("opened", "clicked"):
        meta = {"ip": ADDRESS, "country": "DE", "user_agent": BROWSER, "device_type": "desktop", "url": LINK}
    data = {
        "id": id, "message_id": f"ms-{message.id}", "email_id": f"em-{message.id}", "type": names.get(word, word),
        "recipient": message.recipient, "subject": message.subject, "tags": [], "meta": meta,
    }  # fmt: skip
    return {"type": f"activity.{names.get(word, word)}", "created_at": now.isoformat(), "data": data}


def _postal(word: str, message: Message, id: str, now: datetime) -> Event:
    name = _by_word(
        word, delivered="MessageSent", bounced="MessageDeliveryFailed", deferred="MessageDelayed",
        complained="MessageLevitated", opened="MessageLoaded", clicked="MessageLinkClicked", silent="MessageHeld",
        unknown="MessageLevitated",
    )  # fmt: skip
    told = {"to": message.recipient, "message_id": (message.header_id or "").strip("<>"), "token": "abcdef123"}
    told |= {"direction": "outgoing"}
    payload: Event = {"message": told, "timestamp": now.timestamp(), "details": "", "output": ""}
    if word == "bounced":
        payload |= {"status": "HardFail", "output": REFUSED}
    if word in ("opened", "clicked"):
        payload |= {"ip_address": ADDRESS, "user_agent": BROWSER, "url": LINK}
    return {"event": name, "timestamp": now.timestamp(), "uuid": id, "payload": payload}


def _sign_postal(body: bytes, _url: str, _now: datetime) -> Posted:
    signature = rsa_key().sign(body, padding.PKCS1v15(), hashes.SHA256())
    return Posted("", {"X-Postal-Signature-256": base64.b64encode(signature).decode()}, body)


def _ses(word: str, message: Message, id: str, now: datetime) -> Event:
    name = _by_word(
        word, delivered="Delivery", bounced="Bounce", deferred="DeliveryDelay", complained="Complaint", opened="Open",
        clicked="Click", silent="Send", unknown="Levitation",
    )  # fmt: skip
    when = now.isoformat().replace("+00:00", "Z")
    mail = {
        "timestamp": when,
        "messageId": f"0100-{id}",
        "source": message.sender,
        "destination": [message.recipient],
        "commonHeaders": {"messageId": message.header_id},
    }
    said = {
        "delivered": {"delivery": {"timestamp": when, "recipients": [message.recipient]}},
        "bounced": {
            "bounce": {
                "bounceType": "Permanent", "bounceSubType": "General", "timestamp": when,
                "bouncedRecipients": [
                    {"emailAddress": message.recipient, "status": "5.1.1", "diagnosticCode": f"smtp; {REFUSED}"}
                ],
            }
        },
        "deferred": {
            "deliveryDelay": {
                "timestamp": when, "delayType": "TransientCommunicationFailure",
                "delayedRecipients": [{"emailAddress": message.recipient, "status": "4.4.1"}],
            }
        },
        "complained": {
            "complaint": {"timestamp": when, "complainedRecipients": [{"emailAddress": message.recipient}]}
        },
        "opened": {"open": {"timestamp": when, "ipAddress": ADDRESS, "userAgent": BROWSER}},
        "clicked": {"click": {"timestamp": when, "ipAddress": ADDRESS, "userAgent": BROWSER, "link": LINK}},
    }  # fmt: skip
    return {"eventType": name, "mail": mail} | said.get(word, {})


def notification(kind: str, now: datetime, *, version: str = "2", **more: str) -> Event:
    """A notification of SNS, signed."""
    told = {
        "Type": kind,
        "MessageId": uuid4().hex,
        "TopicArn": TOPIC,
        "Timestamp": now.isoformat().replace("+00:00", "Z"),
        "SignatureVersion": version,
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
        **more,
    }
    names = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")
    signed = "".join(f"{name}\n{told[name]}\n" for name in names if name in told).encode()
    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()
    told["Signature"] = base64.b64encode(rsa_key().sign(signed, padding.PKCS1v15(), algorithm)).decode()
    return told


def _wrap_ses(events: list[Event], now: datetime) -> bytes:
    return json.dumps(notification("Notification", now, Message=json.dumps(events[0]))).encode()


def _by_password(body: bytes, _url: str, _now: datetime) -> Posted:
    return Posted("/a-password-of-ours", {}, body)


def _unsigned(body: bytes, _url: str, _now: datetime) -> Posted:
    return Posted("", {}, body)


def _as_list(events: list[Event], _now: datetime) -> bytes:
    return json.dumps(events).encode()


_PASSWORD = "a-password-of-ours"

PROVIDERS = (
    Provider("ses", TOPIC, _ses, _unsigned, _wrap_ses),
    Provider("sendgrid", public(ec_key()), _sendgrid, _sign_sendgrid, _as_list, batches=True),
    Provider("mailgun", "mailgun-signing-key", _mailgun, _unsigned, _wrap_mailgun),
    Provider("postmark", _PASSWORD, _postmark, _by_password),
    Provider("brevo", _PASSWORD, _brevo, _by_password, _as_list, batches=True),
    Provider("mailjet", _PASSWORD, _mailjet, _by_password, _as_list, batches=True),
    Provider("sparkpost", _PASSWORD, _sparkpost, _by_password, _as_list, batches=True),
    Provider("mandrill", "mandrill-key", _mandrill, _sign_mandrill, _as_list, batches=True),
    Provider("resend", RESEND_SECRET, _resend, _sign_resend),
    Provider(
        "mailersend",
        "mailersend-secret",
        _mailersend,
        lambda body, _url, _now: Posted("", {"Signature": _hmac("mailersend-secret", body).hex()}, body),
    ),
    Provider("postal", public(rsa_key()), _postal, _sign_postal),
)
BY_NAME = {provider.name: provider for provider in PROVIDERS}
