"""Reports that come back about a message: bounces, delays, complaints, receipts, replies; whoever brought them.

The report was read by `resonanz.mail.reports`; here it becomes facts about one message.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from resonanz.ingest.record import record_all
from resonanz.mail.refusals import Outcome, Reason
from resonanz.mail.reports import OPT_OUT, REPLY, Report, ReportedRecipient, ReportKind
from resonanz.model import Event, EventKind, NotFound
from resonanz.store import Tx
from resonanz.store.messages import Message, get_message
from resonanz.store.text import storable

_KINDS = {
    ReportKind.COMPLAINT: EventKind.COMPLAINED,
    ReportKind.AUTOREPLY: EventKind.AUTORESPONDED,
}
_BY_KIND = {  # where a report names nobody: it came to the return path of this one message
    ReportKind.BOUNCE: Outcome.SOFT,
    ReportKind.DELAY: Outcome.DELAYED,
}
_WORST_FIRST = (Outcome.HARD, Outcome.SOFT, Outcome.DELAYED, Outcome.DELIVERED, None)
_OUTCOMES = {
    Outcome.HARD: EventKind.BOUNCED,
    Outcome.SOFT: EventKind.BOUNCED,
    Outcome.DELAYED: EventKind.DEFERRED,
    Outcome.DELIVERED: EventKind.DELIVERED,
}


def record_report(
    tx: Tx, *, message_id: UUID, report: Report, now: datetime, source: str, source_key: str
) -> list[Event]:
    """Record what a report, or an answer, says about one message. Returns the new events: none when it is known
    already, or says nothing about this message. `source_key` names the report within its source, for ever.

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


def record_leaving(
    tx: Tx, *, message_id: UUID, report: Report, now: datetime, source: str, source_key: str
) -> list[Event]:
    """Record that the recipient of a message asked to get no more, by mail to the address that its List-Unsubscribe
    names. Whatever they wrote counts; what a vacation program answers by itself does not. Returns the new events.

    Raises NotFound when there is no such message.
    """
    message = get_message(tx, message_id)
    if message is None:
        raise NotFound("there is no such message", where="mail to unsubscribe")
    if report.kind is ReportKind.AUTOREPLY:
        return []
    return record_all(
        tx,
        [
            Event(
                kind=EventKind.UNSUBSCRIBED,
                occurred_at=now,
                received_at=now,
                source=source,
                source_key=source_key,
                message_id=message.id,
                submission_id=message.submission_id,
                recipient=message.recipient,
                detail={"by": "mail"},
            )
        ],
    )


def _about(message: Message, report: Report) -> ReportedRecipient | None:
    """Return the report's words about this message's recipient, else about whom behind it fared worst."""
    ours = [found for found in report.recipients if _is_ours(message, found)]
    if not ours and not report.recipients and report.kind in _BY_KIND:
        return ReportedRecipient(message.recipient, _BY_KIND[report.kind], reason=Reason.UNSPECIFIED)
    others = sorted(report.recipients, key=lambda found: _WORST_FIRST.index(found.outcome))
    return next(iter([*ours, *others]), None)


def _is_ours(message: Message, recipient: ReportedRecipient) -> bool:
    return recipient.address.lower() == message.recipient.lower()


def _kind(report: Report, recipient: ReportedRecipient | None) -> EventKind | None:
    if report.kind is ReportKind.RECEIPT:  # `deleted` says that it was not displayed
        return EventKind.DISPLAYED if report.detail == "displayed" else None
    if report.kind is ReportKind.NONE:
        return EventKind.REPLIED if report.detail == REPLY else None
    if report.kind is ReportKind.COMPLAINT and report.detail == OPT_OUT:  # a mail client's button to unsubscribe
        return EventKind.UNSUBSCRIBED
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
