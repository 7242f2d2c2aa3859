"""Mailboxes that reports come back to, and how far each was read, as rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing
from resonanz.store.tables import mailbox_seen, mailboxes
from resonanz.store.text import storable


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One mailbox. `security` is tls or starttls; `then` is what happens to a report that was read (`seen`, `move` to
    the folder `move_to`, `delete`), with `others` to all mail. `last_uid` belongs to `uid_validity` (RFC 3501).

    `authentication` is password or xoauth2: then `secret` is a refresh token of the `provider`, empty until somebody
    signs in, and the client is our application there. Both secrets are sealed."""

    id: UUID
    protocol: str
    host: str
    port: int
    security: str
    username: str
    secret: bytes
    folder: str
    then: str
    move_to: str
    others: bool
    created_at: datetime
    created_by: str
    uid_validity: int | None = None
    last_uid: int = 0
    taken: int = 0
    checked_at: datetime | None = None
    failure: str = ""
    authentication: str = "password"
    provider: str = ""
    client_id: str = ""
    client_secret: bytes | None = None
    tenant: str = ""
    taken_at: datetime | None = None


def add_mailbox(tx: Tx, row: MailboxRow) -> None:
    """Store one."""
    tx.execute(insert(mailboxes).values({column.name: getattr(row, column.name) for column in mailboxes.columns}))


def get_mailbox(tx: Tx, id: UUID) -> MailboxRow | None:
    """Return one."""
    row = tx.execute(select(mailboxes).where(mailboxes.c.id == id)).one_or_none()
    return None if row is None else MailboxRow(**row._mapping)


def list_mailboxes(tx: Tx) -> list[MailboxRow]:
    """Return all, in the order they were added."""
    return [MailboxRow(**row._mapping) for row in tx.execute(select(mailboxes).order_by(mailboxes.c.id))]


def remove_mailbox(tx: Tx, id: UUID) -> bool:
    """Remove one. Returns whether it was there."""
    tx.execute(delete(mailbox_seen).where(mailbox_seen.c.mailbox_id == id))
    return tx.execute(delete(mailboxes).where(mailboxes.c.id == id)).rowcount > 0


def move_on(tx: Tx, id: UUID, *, uid_validity: int, last_uid: int) -> None:
    """Write down how far an IMAP folder was read."""
    tx.execute(update(mailboxes).where(mailboxes.c.id == id).values(uid_validity=uid_validity, last_uid=last_uid))


def set_secret(tx: Tx, id: UUID, secret: bytes) -> bool:
    """Keep another secret. Returns whether the mailbox was there."""
    return tx.execute(update(mailboxes).where(mailboxes.c.id == id).values(secret=secret)).rowcount > 0


def count_taken(tx: Tx, id: UUID, now: datetime) -> None:
    """Count a report that was taken."""
    tx.execute(update(mailboxes).where(mailboxes.c.id == id).values(taken=mailboxes.c.taken + 1, taken_at=now))


def note_check(tx: Tx, id: UUID, *, now: datetime, failure: str) -> None:
    """Write down that a mailbox was looked at, or why that failed."""
    tx.execute(update(mailboxes).where(mailboxes.c.id == id).values(checked_at=now, failure=storable(failure)[:500]))


def seen_in(tx: Tx, id: UUID) -> frozenset[str]:
    """Return what was read of a POP3 mailbox, by its unique names (RFC 1939, UIDL)."""
    return frozenset(tx.execute(select(mailbox_seen.c.uidl).where(mailbox_seen.c.mailbox_id == id)).scalars())


def note_seen(tx: Tx, id: UUID, uidl: str) -> None:
    """Write down that this was read."""
    insert_missing(tx, mailbox_seen, [{"mailbox_id": id, "uidl": uidl}])


def forget_seen(tx: Tx, id: UUID, gone: Collection[str]) -> None:
    """Forget what lies in the mailbox no longer."""
    for uidl in gone:
        tx.execute(delete(mailbox_seen).where(mailbox_seen.c.mailbox_id == id, mailbox_seen.c.uidl == uidl))
