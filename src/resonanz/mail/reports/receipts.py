"""The layer for receipts (RFC 8098): a mail client says what was done with the mail."""

from __future__ import annotations

import re

from resonanz.mail.refusals import Outcome, understand
from resonanz.mail.reports.addresses import find_addresses, first_address, typed_address
from resonanz.mail.reports.parts import Parts
from resonanz.mail.reports.report import MAX_DIAGNOSTIC, Report, ReportedRecipient, ReportKind, about

_REJECTED = re.compile(r"automatically (?:rejected|refused)|rejected", re.IGNORECASE)
_TO = re.compile(r"message to\W{1,4}\S{1,320}", re.IGNORECASE)


def read_receipt(parts: Parts) -> Report | None:
    """Read a disposition notification: `displayed`, `deleted`, `dispatched` … A Sieve `reject` comes as one, too
    (RFC 5429 section 2.2), and is a refusal."""
    root = parts.structure.root
    is_report = root.parameters.get("report-type", "").lower() == "disposition-notification"
    groups = parts.fields_of("message/disposition-notification")
    if not groups and not is_report:
        return None
    fields = groups[0] if groups else {}
    disposition = fields.get("disposition", "").rpartition(";")[2].partition("/")[0].strip().lower()
    address = typed_address(fields.get("final-recipient", "")) or typed_address(fields.get("original-recipient", ""))
    text = parts.shown[0].text if parts.shown else ""
    if "rejected" in parts.header("Auto-Submitted").lower() or (
        disposition != "displayed" and _REJECTED.search(parts.header("Subject"))
    ):
        return _refused(address, text)
    return Report(
        ReportKind.RECEIPT, about(address or first_address(parts.header("From"))), detail=disposition or "displayed"
    )


def _refused(address: str, text: str) -> Report:
    match = _TO.search(text)
    address = address or next(iter(find_addresses(match.group() if match else text)), "")
    refusal = understand(text)
    outcome = Outcome.HARD if refusal.is_dead else Outcome.SOFT
    diagnostic = " ".join(text.split())[:MAX_DIAGNOSTIC]
    recipient = ReportedRecipient(address, outcome, refusal.status, refusal.code, refusal.reason, diagnostic)
    return Report(ReportKind.BOUNCE, (recipient,) if address else ())
