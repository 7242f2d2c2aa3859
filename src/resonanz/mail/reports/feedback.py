"""The layer for complaints: feedback reports (RFC 5965), and what older providers send in place of them."""

from __future__ import annotations

import re

from resonanz.mail.reports.addresses import find_addresses, first_address, typed_address
from resonanz.mail.reports.parts import Parts
from resonanz.mail.reports.report import OPT_OUT, Report, ReportedRecipient, ReportKind, about

NO_COMPLAINT = ("not-spam", "auth-failure", "auth-failures", "virus")

# Hotmail's Junk Mail Reporting Program forwards the mail under this subject; others before RFC 5965 did alike.
_FORWARDED = re.compile(
    r"^complaint about message from|client tos notification|^email feedback report"
    r"|^\W*(?:abuse|spam) (?:report|complaint)",
    re.IGNORECASE,
)
_HOTMAIL_RECIPIENT = "X-HmXmrOriginalRecipient"
_APPLE = re.compile(r"sent this (?:e-?mail|message) to unsubscribe", re.IGNORECASE)


def read_feedback(parts: Parts) -> Report | None:
    """Read a complaint. `not-spam` takes one back, `auth-failure` is about the sender (RFC 6591) and `virus` what a
    scanner found: none of them is one.

    A mail client's request to unsubscribe is feedback of the type `opt-out`.
    """
    groups = parts.fields_of("message/feedback-report")
    if groups or any(leaf.type == "message/feedback-report" for leaf in parts.structure.leaves):
        fields = {name: value for group in reversed(groups) for name, value in group.items()}
        feedback = fields.get("feedback-type", "abuse").lower()
        if feedback in NO_COMPLAINT:
            return Report(ReportKind.NONE, detail=feedback)
        stated = [fields.get(name, "") for name in ("original-rcpt-to", "removal-recipient", "original-recipient")]
        return Report(ReportKind.COMPLAINT, _complainers(parts, stated), detail=feedback)
    if _FORWARDED.search(parts.header("Subject")) and parts.copy:
        stated = [parts.copied(_HOTMAIL_RECIPIENT) or parts.header(_HOTMAIL_RECIPIENT)]
        return Report(ReportKind.COMPLAINT, _complainers(parts, stated), detail="abuse")
    if any(_APPLE.search(shown.text[:400]) for shown in parts.shown[:1]):
        return Report(ReportKind.COMPLAINT, about(first_address(parts.header("From"))), detail=OPT_OUT)
    return None


def _complainers(parts: Parts, stated: list[str]) -> tuple[ReportedRecipient, ...]:
    """Who complained: as stated, else whom the returned mail was for, if it says so."""
    for value in (*stated, parts.copied("X-Original-To"), parts.copied("Delivered-To"), parts.copied("To")):
        found = [typed_address(one) or first_address(one) for one in value.split("\n")]
        if any(found):
            return tuple(ReportedRecipient(one) for one in dict.fromkeys(found) if one)
    for received in parts.copied_header.all("Received"):
        match = re.search(r"\bfor\s+<?([^\s<>;]{1,320})", received.text)
        if match and (found := find_addresses(match.group(1))):
            return about(found[0])
    return ()
