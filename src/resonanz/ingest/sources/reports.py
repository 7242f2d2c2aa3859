"""Reports that come back about a message: bounces, delays, complaints, receipts, replies; whoever brought them.

The report was read by `resonanz.mail.reports`; here it becomes facts about one message.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from resonanz.ingest.record import record_all
from resonanz.mail.refusals import Outcome
from resonanz.mail.reports import Report, ReportedRecipient, ReportKind
from resonanz.model import Event, EventKind, NotFound
from resonanz.store import Tx
from resonanz.store.messages import Message, get_message
from resonanz.store.text import storable

_KINDS = {
    ReportKind.COMPLAINT: EventKind.COMPLAINED,
    ReportKind.AUTOREPLY: EventKind.AUTORESPONDED,
}
_OUTCOMES = {
    Outcome.HARD: EventKind.BOUNCED,
    Outcome.SOFT: EventKind.BOUNCED,
    Outcome.DELAYED: EventKind.DEFERRED,
    Outcome.DELIVERED: EventKind.DELIVERED,
}


def record_report(
    tx: Tx, *, message_id: UUID, report: Report, now: datetime, source: str, source_key: str
) -> list[Event]:
    """Record what a report says about one message. Returns the new events: none when the report is known already, or
    says nothing about this message. `source_key` names the report within its source, for ever.

    Raises NotFound when there is no such message.
    """
    message = get_message(tx, message_id)
    if message is None:
        raise NotFound("there is no such message", where="report")
    recipient = _about(message, report)
    kind = _kind(report, recipient)
    if kind is None:
        return []
    return record_all(
        tx,
        [
            Event(
                kind=kind,
                occurred_at=now,
                received_at=now,
                source=source,
                source_key=source_key,
                message_id=message.id,
                submission_id=message.submission_id,
                recipient=message.recipient,
                detail=_detail(message, report, recipient),
            )
        ],
    )


def _about(message: Message, report: Report) -> ReportedRecipient | None:
    """Return the report's words about this message's recipient, else its first."""
    ours = [found for found in report.recipients if _is_ours(message, found)]
    return next(iter([*ours, *report.recipients]), None)


def _is_ours(message: Message, recipient: ReportedRecipient) -> bool:
    return recipient.address.lower() == message.recipient.lower()


def _kind(report: Report, recipient: ReportedRecipient | None) -> EventKind | None:
    if report.kind is ReportKind.RECEIPT:  # `deleted` says that it was not displayed
        return EventKind.DISPLAYED if report.detail == "displayed" else None
    if report.kind in _KINDS:
        return _KINDS[report.kind]
    if recipient is None or recipient.outcome is None:
        return None
    return _OUTCOMES[recipient.outcome]


def _detail(message: Message, report: Report, recipient: ReportedRecipient | None) -> dict[str, object]:
    detail: dict[str, object] = {"report": report.kind.value}
    if report.detail:
        detail["about"] = storable(report.detail)
    if recipient is None or recipient.outcome is None:
        return detail
    detail |= {"reply": storable(recipient.diagnostic), "status": recipient.status}
    if recipient.reason is not None:
        detail["reason"] = recipient.reason.value
    if _OUTCOMES[recipient.outcome] is EventKind.BOUNCED:
        # Where a forward or a list behind our recipient failed, the address that we wrote to is not dead.
        detail["bounce"] = recipient.outcome.value if _is_ours(message, recipient) else Outcome.SOFT.value
    return detail
