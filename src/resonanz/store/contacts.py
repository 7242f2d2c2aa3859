"""Contacts, their consents, and the suppression list, as rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from sqlalchemy import delete, insert, select

from resonanz.model import new_id
from resonanz.store.bulk import Ids, select_by_ids
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions, insert_missing
from resonanz.store.tables import consents, contacts, suppressions

_CHOSEN_AT = itemgetter(3)


@dataclass(frozen=True, slots=True)
class Contact:
    """A person we know, by the normalised address."""

    id: UUID
    address: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One recorded choice of a contact for one purpose."""

    contact_id: UUID
    purpose: str
    state: str
    occurred_at: datetime
    source: str
    text_version: str = ""


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """An address that gets no mail, why and since when."""

    address: str
    reason: str
    since: datetime
    source: str
    note: str = ""


def ensure_contacts(tx: Tx, people: Sequence[tuple[str, str]], now: datetime) -> dict[str, UUID]:
    """Return the contact ids of these (normalised address, name) pairs, creating who is missing.

    They are inserted in the order of their addresses, so that two transactions with the same new people cannot wait for
    each other.
    """
    insert_missing(
        tx,
        contacts,
        [{"id": new_id(), "address": address, "name": name, "created_at": now} for address, name in sorted(people)],
    )
    return {
        row.address: row.id
        for portion in in_portions([address for address, _ in people])
        for row in tx.execute(select(contacts.c.address, contacts.c.id).where(contacts.c.address.in_(portion)))
    }


def find_contact(tx: Tx, address: str) -> Contact | None:
    """Return the contact with this normalised address."""
    row = tx.execute(select(contacts).where(contacts.c.address == address)).one_or_none()
    return None if row is None else Contact(row.id, row.address, row.name, row.created_at)


def names_of(tx: Tx, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return these contacts' names; those without one are left out."""
    return {
        row.id: row.name
        for portion in in_portions(ids)
        for row in tx.execute(select(contacts.c.id, contacts.c.name).where(contacts.c.id.in_(portion)))
        if row.name
    }


def add_consent(tx: Tx, consent: ConsentRow) -> None:
    """Append a choice; it is in force from now on."""
    tx.execute(
        insert(consents).values(
            contact_id=consent.contact_id,
            purpose=consent.purpose,
            state=consent.state,
            occurred_at=consent.occurred_at,
            source=consent.source,
            text_version=consent.text_version,
        )
    )


def current_consents(tx: Tx, contact_ids: Collection[UUID]) -> dict[tuple[UUID, str], str]:
    """Return the state in force per (contact, purpose); what was never recorded is not in it.

    In force is what was chosen last, not what was written down last: choices come in by several ways.
    """
    known = Ids()
    columns = ("contact_id", "purpose", "state", "occurred_at")
    rows = sorted(select_by_ids(tx, consents, columns, contact_ids, by="contact_id"), key=_CHOSEN_AT)
    return {(known[contact_id], purpose): state for contact_id, purpose, state, _ in rows}  # the newest comes last


def consent_history(tx: Tx, contact_id: UUID) -> list[ConsentRow]:
    """Return every recorded choice of one contact, oldest first."""
    rows = tx.execute(select(consents).where(consents.c.contact_id == contact_id).order_by(consents.c.id))
    return [
        ConsentRow(row.contact_id, row.purpose, row.state, row.occurred_at, row.source, row.text_version)
        for row in rows
    ]


def suppress(tx: Tx, row: SuppressionRow) -> bool:
    """Put an address on the list; the first reason stays. Returns whether it was new."""
    return bool(
        insert_missing(
            tx,
            suppressions,
            [
                {
                    "address": row.address,
                    "reason": row.reason,
                    "since": row.since,
                    "source": row.source,
                    "note": row.note,
                }
            ],
        )
    )


def find_suppression(tx: Tx, address: str) -> SuppressionRow | None:
    """Return why this normalised address is suppressed, or None."""
    row = tx.execute(select(suppressions).where(suppressions.c.address == address)).one_or_none()
    return None if row is None else SuppressionRow(row.address, row.reason, row.since, row.source, row.note)


def find_suppressions(tx: Tx, addresses: Collection[str]) -> list[SuppressionRow]:
    """Return the rows of those of these normalised addresses that are suppressed."""
    return [
        SuppressionRow(row.address, row.reason, row.since, row.source, row.note)
        for portion in in_portions(addresses)
        for row in tx.execute(select(suppressions).where(suppressions.c.address.in_(portion)))
    ]


def list_suppressions(tx: Tx, limit: int = 100, after: str = "") -> list[SuppressionRow]:
    """Return suppressed addresses in order, from the one behind `after`."""
    rows = tx.execute(
        select(suppressions).where(suppressions.c.address > after).order_by(suppressions.c.address).limit(limit)
    )
    return [SuppressionRow(row.address, row.reason, row.since, row.source, row.note) for row in rows]


def unsuppress(tx: Tx, address: str) -> bool:
    """Take an address off the list. Returns whether it was on it."""
    return tx.execute(delete(suppressions).where(suppressions.c.address == address)).rowcount > 0
