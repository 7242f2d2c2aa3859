"""Erasing a contact: what still waits to be sent to them is taken back first."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from resonanz import ingest
from resonanz.model import Conflict, Event, EventKind
from resonanz.people import Reason, suppress
from resonanz.people.contacts import get_contact
from resonanz.people.erasure import erase
from resonanz.store import Database, Tx, erasure
from resonanz.store.messages import get_messages, lock
from resonanz.store.softly import messages_of

NOT_SENT = "taken back before it was sent: its recipient was erased"


ForgetMails = Callable[[Collection[UUID]], None]


def no_mails(message_ids: Collection[UUID]) -> None:
    """Where no mail lies in a folder there is none to forget."""


def erase_contact(
    database: Database,
    contact_id: UUID,
    forget_mails: ForgetMails,
    *,
    now: datetime,
    source: str,
    actor: str,
    suppressed: bool = False,
) -> int:
    """Erase a contact in one transaction, and return how many of their messages stay without a name.

    With `suppressed`, their address is put on the suppression list first. `forget_mails` deletes copies that lie in the
    built-in outbox. Raises NotFound, and Conflict while a mail to them is on the wire: what becomes of it would be
    written down with their name after the erasure; TemporaryFailure when the outbox cannot be changed.
    """
    with database.write() as tx:
        contact = get_contact(tx, contact_id)
        ids = _take_back(tx, contact_id, now)
        if suppressed:
            note = "asked not to be written to, and was erased"
            suppress(tx, contact.address, Reason.MANUAL, now=now, source=source, note=note, actor=actor)
        erased = erase(tx, contact)
        # Last, and before the commit: whatever fails, the contact is still there to be erased again.
        forget_mails(ids)
        return erased


def _take_back(tx: Tx, contact_id: UUID, now: datetime) -> Collection[UUID]:
    """Have nothing of theirs in the queue, and return the ids of all their messages."""
    waiting = erasure.waiting_messages(tx, contact_id)
    if any(waiting.values()):
        raise Conflict(
            "a mail to this contact is being handed over right now",
            where="contact",
            remedy="try again in a minute",
        )
    # All of theirs at once, in the order in which recording locks: before anything that recording holds to the end.
    theirs = messages_of(tx, [contact_id])
    lock(tx, theirs)
    erasure.take_back(tx, waiting)
    ingest.record_all(
        tx,
        [
            Event(
                kind=EventKind.FAILED,
                occurred_at=now,
                received_at=now,
                source="sending",
                message_id=message.id,
                submission_id=message.submission_id,
                recipient=message.recipient,
                detail={"reply": NOT_SENT},
            )
            for message in get_messages(tx, waiting).values()
        ],
    )
    return theirs
