"""Telling senders what became of mail that they handed in over SMTP: notices through the queue, each exactly once.

What there is to tell is noted by the transaction that records the fact (`ingest.record`); here one transaction stores
the notice and takes the note away. Nobody is told about a mail without a return path, hence none about a notice
(RFC 5321 section 6.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

import structlog

from resonanz.mail.address import parse_address
from resonanz.mail.composing import write_header
from resonanz.mail.notices import Fate, Notice, compose_notice, language_of
from resonanz.mail.refusals import Reason, understand
from resonanz.mail.structure import parse
from resonanz.model import Event, EventKind, InvalidInput, MessageState, TrackingMode, new_id
from resonanz.sending.checking import check
from resonanz.sending.copies import given_header_id, header_id_for, prepare_copy
from resonanz.sending.drafts import NOTICE, Draft, HandedIn, Limits
from resonanz.sending.schedule import DELAYS
from resonanz.sending.submit import store
from resonanz.store import Database, Tx, contacts, events, messages
from resonanz.store.messages import Message
from resonanz.store.wanted import Action, Wanted, take_due, told

log = structlog.get_logger(__name__)

AT_ONCE = 20  # messages in one transaction: each may bring its whole mail along
_LIMITS = Limits(size_bytes=2**40)

_WAITING = frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.DEFERRED})
_KINDS = {
    Action.FAILED: frozenset({EventKind.BOUNCED, EventKind.FAILED, EventKind.SUPPRESSED}),
    Action.DELAYED: frozenset({EventKind.DEFERRED}),
}


def tell_some(database: Database, return_path_domain: str, now: datetime) -> int:
    """Tell some of what there is to tell; return how much of it was taken up. Raises TemporaryFailure."""
    with database.write() as tx:
        due = take_due(tx, AT_ONCE)
        found = messages.get_messages(tx, [wanted.message_id for wanted in due])
        known = [(wanted, found[wanted.message_id]) for wanted in due if wanted.message_id in found]
        known.sort(key=lambda one: (one[1].submission_id, one[0].due or ""))
        for _, together in groupby(known, key=lambda one: (one[1].submission_id, one[0].due)):
            _tell(tx, list(together), return_path_domain, now)
        told(tx, due)
    return len(due)


def _tell(tx: Tx, about: Sequence[tuple[Wanted, Message]], domain: str, now: datetime) -> None:
    """Write one notice about messages of one submission that fared alike."""
    wanted, message = about[0]
    submission = messages.get_submission(tx, message.submission_id)
    content = messages.get_content(tx, submission.content_id) if submission else None
    action = wanted.due
    if submission is None or content is None or action is None:
        return
    fates = [fate for each, one in about if (fate := _fate(tx, action, each, one, domain)) is not None]
    if not fates:
        return
    host = domain or message.sender.rpartition("@")[2]
    header_id = message.header_id or given_header_id(message, submission)
    original = prepare_copy(content.body or _outline(message), header_id=header_id, date=message.created_at).message
    sender = f"mailer-daemon@{host}"
    try:
        notice = compose_notice(
            Notice(
                host=host,
                sender=sender,
                to=message.sender,
                fates=fates,
                original=original,
                arrived_at=message.created_at,
                at=now,
                message_id=header_id_for(new_id(), host),
                language=_language(tx, message.sender, original),
                whole=wanted.whole,
                envelope_id=wanted.envelope_id,
                retry_until=message.created_at + sum(DELAYS, timedelta(0)) if action is Action.DELAYED else None,
            )
        )
        draft = Draft(
            account_id=submission.account_id,
            source=NOTICE,
            sender=sender,
            recipients=(message.sender,),
            raw=notice,
            track_opens=TrackingMode.OFF,
            track_clicks=TrackingMode.OFF,
            null_path=True,
        )
        [receipt] = store(tx, [HandedIn(draft, check(draft, _LIMITS, now), now)])
    except InvalidInput as error:
        log.error("a notice to a sender could not be written", message=str(message.id), error=str(error))
        return
    log.info("sender told", action=action.value, message=str(message.id), notice=str(receipt.messages[0][0]))


def _outline(message: Message) -> bytes:
    """What is still known of a mail whose bytes are forgotten: an answer that was passed on, or an erased one."""
    fields = {"From": message.sender, "To": message.recipient, "Subject": message.subject}
    return b"".join(write_header(name, value) for name, value in fields.items()) + b"\r\n"


def _language(tx: Tx, sender: str, original: bytes) -> str:
    """The sender's language: as it is known of them, else as their mail program says (RFC 3282)."""
    contact = contacts.find_contact(tx, parse_address(sender).normalised)
    structure = parse(original)
    named = (structure.header("Accept-Language") or "", structure.header("Content-Language") or "")
    return language_of(contact.language if contact else "", *named)


def _fate(tx: Tx, action: Action, wanted: Wanted, message: Message, domain: str) -> Fate | None:
    """Return what became of one recipient; None where it went out after all meanwhile, or the sender was told already:
    without a return path of ours a report came to the sender's own mailbox."""
    kinds = _KINDS.get(action, frozenset())
    last = next((event for event in reversed(events.of_message(tx, message.id)) if event.kind in kinds), None)
    if last is not None and last.source == "mailbox" and not domain:
        return None
    recipient, original = message.recipient, wanted.original_recipient
    if action not in _KINDS:
        return Fate(recipient, action.value, "2.0.0", original_recipient=original)
    if action is Action.DELAYED:
        if message.state not in _WAITING:
            return None
        return _delayed(recipient, original, last)
    return _failed(recipient, original, last)


def _delayed(recipient: str, original: str, last: Event | None) -> Fate:
    """A delay; where nothing was tried yet, that is all that can be said."""
    said = str(last.detail.get("reply", "")) if last else ""
    if not said:
        return Fate(recipient, "delayed", "4.0.0", None, original_recipient=original)
    refusal = understand(said)
    status = refusal.status if refusal.status.startswith("4.") else "4.0.0"
    return Fate(recipient, "delayed", status, refusal.reason, said, original)


def _failed(recipient: str, original: str, last: Event | None) -> Fate:
    detail = last.detail if last else {}
    said = str(detail.get("reply", ""))
    if last is not None and last.kind is EventKind.SUPPRESSED:
        return Fate(recipient, "failed", "5.7.1", said=said, original_recipient=original, suppressed=True)
    if detail.get("gave_up"):
        why = understand(said).reason  # the last answer says more than that the time was up
        return Fate(recipient, "failed", "4.4.7", Reason.EXPIRED if why is Reason.UNSPECIFIED else why, said, original)
    if last is not None and last.kind is EventKind.FAILED:
        return Fate(recipient, "failed", "5.6.0", Reason.UNSPECIFIED, said, original)
    status, reason = str(detail.get("status", "")), str(detail.get("reason", Reason.UNSPECIFIED))
    is_status = status[:2] in ("4.", "5.")
    return Fate(recipient, "failed", status if is_status else "5.0.0", Reason(reason), said, original)
