"""The layer for notifications that a provider sends by mail, as JSON in the text: Amazon SES by way of SNS."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from resonanz.mail.refusals import Outcome, understand
from resonanz.mail.reports.parts import Parts
from resonanz.mail.reports.report import MAX_DIAGNOSTIC, MAX_RECIPIENTS, Report, ReportedRecipient, ReportKind, kind_of

MAX_JSON = 200_000
_FROM = re.compile(r"@sns\.[a-z0-9-]{0,30}\.?amazonaws\.com", re.IGNORECASE)


def read_notification(parts: Parts) -> Report | None:
    """Read a notification of Amazon SES; None when there is none."""
    if not _FROM.search(parts.header("From")):
        return None
    for part in parts.structure.leaves[:4]:
        said = _notification(parts.decoded(part)[:MAX_JSON].decode("utf-8", "replace"))
        if said is not None:
            found = _read(said)
            if found is not None:
                return found
    return None


def _notification(text: str) -> Mapping[str, Any] | None:
    """The first JSON object in a text. SNS breaks lines inside strings, and may wrap the notification in its own."""
    begin = text.find("{")
    if begin < 0:
        return None
    unbroken = re.sub(r"\r?\n ?", "", text[begin:])
    try:
        said, _ = json.JSONDecoder(strict=False).raw_decode(unbroken)
        if isinstance(said, dict) and isinstance(said.get("Message"), str):
            said = json.loads(said["Message"], strict=False)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _read(said: Mapping[str, Any]) -> Report | None:
    mail = _dict(said.get("mail"))
    message_id = next(
        (
            str(one.get("value", ""))
            for one in map(_dict, _list(mail.get("headers")))
            if str(one.get("name")).lower() == "message-id"
        ),
        "",
    )
    kind = said.get("notificationType") or said.get("eventType")
    if kind == "Bounce":
        recipients = _bounced(_dict(said.get("bounce")))
        return Report(kind_of(recipients) if recipients else ReportKind.BOUNCE, recipients, message_id)
    if kind == "Complaint":
        complaint = _dict(said.get("complaint"))
        addresses = _addresses(complaint.get("complainedRecipients"))
        feedback = str(complaint.get("complaintFeedbackType") or "abuse")
        return Report(ReportKind.COMPLAINT, tuple(map(ReportedRecipient, addresses)), message_id, detail=feedback)
    if kind == "Delivery":
        delivery = _dict(said.get("delivery"))
        reply = str(delivery.get("smtpResponse") or "")
        refusal = understand(reply)
        found = tuple(
            ReportedRecipient(one, Outcome.DELIVERED, refusal.status, refusal.code, None, reply[:MAX_DIAGNOSTIC])
            for one in map(str, _list(delivery.get("recipients")))
            if "@" in one
        )
        return Report(ReportKind.DELIVERED, found[:MAX_RECIPIENTS], message_id)
    return None


def _bounced(bounce: Mapping[str, Any]) -> tuple[ReportedRecipient, ...]:
    found = []
    for one in map(_dict, _list(bounce.get("bouncedRecipients"))[:MAX_RECIPIENTS]):
        address = str(one.get("emailAddress") or "")
        diagnostic = str(one.get("diagnosticCode") or "").partition(";")[2].strip() or str(
            one.get("diagnosticCode") or ""
        )
        refusal = understand(diagnostic, status=str(one.get("status") or ""))
        outcome = Outcome.HARD if refusal.is_dead else Outcome.SOFT
        if "@" in address:
            found.append(
                ReportedRecipient(
                    address, outcome, refusal.status, refusal.code, refusal.reason, diagnostic[:MAX_DIAGNOSTIC]
                )
            )
    return tuple(found)


def _addresses(value: object) -> list[str]:
    found = [str(_dict(one).get("emailAddress") or "") for one in _list(value)[:MAX_RECIPIENTS]]
    return [one for one in found if "@" in one]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
