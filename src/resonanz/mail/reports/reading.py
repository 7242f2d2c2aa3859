"""Reading a report: the layers in their order, and whose mail it was."""

from __future__ import annotations

from dataclasses import replace

from resonanz.mail.reports.delivery_status import read_delivery_status
from resonanz.mail.reports.feedback import read_feedback
from resonanz.mail.reports.notifications import read_notification
from resonanz.mail.reports.parts import Parts
from resonanz.mail.reports.prose import read_prose
from resonanz.mail.reports.receipts import read_receipt
from resonanz.mail.reports.replies import read_absence, read_automatic_reply, read_reply
from resonanz.mail.reports.report import Report, ReportKind
from resonanz.mail.reports.whose import find_message_id, find_tokens

LAYERS = (
    read_feedback,
    read_delivery_status,
    read_receipt,
    read_notification,
    read_absence,
    read_prose,
    read_automatic_reply,
    read_reply,
)


MAX_WRAPPED = 2  # reports inside reports: a gateway or a helpdesk passed one on as an attachment


def read_report(message: bytes) -> Report:
    """Read a message as a report. Never raises; what is no report comes back as kind `none`."""
    return _read(message, MAX_WRAPPED)


def _read(message: bytes, wrapped: int) -> Report:
    parts = Parts(message)
    found = next((said for layer in LAYERS if (said := layer(parts)) is not None), Report(ReportKind.NONE))
    if wrapped and _is_wrapper(found, parts):
        inner = _read(parts.copy, wrapped - 1)
        if inner.kind is ReportKind.BOUNCE or inner.recipients:
            return inner if inner.tokens else replace(inner, tokens=find_tokens(parts))
    return replace(found, message_id=found.message_id or find_message_id(parts), tokens=find_tokens(parts))


def _is_wrapper(found: Report, parts: Parts) -> bool:
    """Whether the mail that was brought back is itself a report, and the one around it names nobody."""
    if found.kind not in (ReportKind.NONE, ReportKind.BOUNCE, ReportKind.DELAY):
        return False
    return parts.brings_back_a_report and (not found.recipients or found.kind is ReportKind.NONE)
