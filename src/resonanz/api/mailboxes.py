"""Mailboxes at other servers that reports come back to."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from resonanz import model
from resonanz.api.access import Operator, Parts
from resonanz.api.source_shapes import MailboxesOut, MailboxFoundOut, MailboxIn, MailboxOut, MailboxPasswordIn
from resonanz.ingest.mailboxes import add_mailbox, change_password, check_mailbox, remove_mailbox
from resonanz.store import mailboxes as rows

router = APIRouter(tags=["Mailboxes"])


@router.get("/mailboxes", response_model=MailboxesOut, summary="Every mailbox that reports are read from")
def get_mailboxes(parts: Parts, _operator: Operator) -> MailboxesOut:
    """Return the mailboxes, when each was looked at, and what went wrong."""
    with parts.database.read() as tx:
        return MailboxesOut(mailboxes=[MailboxOut.model_validate(row) for row in rows.list_mailboxes(tx)])


@router.post("/mailboxes", status_code=201, response_model=MailboxOut, summary="Read reports from a mailbox")
def post_mailbox(wanted: MailboxIn, parts: Parts, operator: Operator) -> MailboxOut:
    """Add a mailbox. A running worker reads it from then on; `checked_at` and `failure` tell how that goes."""
    row = add_mailbox(parts.database, parts.sealer, **wanted.model_dump(), actor=operator.address, now=model.now())
    return MailboxOut.model_validate(row)


@router.post("/mailboxes/{mailbox}/check", response_model=MailboxFoundOut, summary="Look at a mailbox")
def check(mailbox: UUID, parts: Parts, _operator: Operator) -> MailboxFoundOut:
    """Connect, sign in and count. No mail is read, nothing is marked. Answers 503 with the reason when that fails."""
    opener = parts.opener
    found = check_mailbox(parts.database, opener.sealer, opener.ca_file, mailbox, ask=opener.ask)
    return MailboxFoundOut.model_validate(found)


@router.put("/mailboxes/{mailbox}/password", response_model=MailboxFoundOut, summary="Change a mailbox's password")
def put_password(mailbox: UUID, wanted: MailboxPasswordIn, parts: Parts, _operator: Operator) -> MailboxFoundOut:
    """Sign in with the new password, and keep it where that works. 422 with the server's words when it is not taken,
    503 when the server cannot be reached; then the old one stays."""
    opener = parts.opener
    found = change_password(parts.database, opener.sealer, opener.ca_file, mailbox, wanted.password, now=model.now())
    return MailboxFoundOut.model_validate(found)


@router.delete("/mailboxes/{mailbox}", status_code=204, summary="Read a mailbox no more")
def delete_mailbox(mailbox: UUID, parts: Parts, _operator: Operator) -> None:
    """Remove it. What was recorded stays."""
    remove_mailbox(parts.database, mailbox)
