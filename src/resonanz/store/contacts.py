"""Contacts and their consents, as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from resonanz.model import new_id
from resonanz.store.bulk import Ids, select_by_ids
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions, insert_missing
from resonanz.store.tables import attributes, consents, contacts, memberships
from resonanz.store.text import storable

_CHOSEN_AT = itemgetter(3)


@dataclass(frozen=True, slots=True)
class Contact:
    """A person we know, by the normalised address. `attributes` holds text, numbers, true or false by name; a date is
    text like 2026-03-18."""

    id: UUID
    address: str
    name: str
    created_at: datetime
    language: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One recorded choice of a contact for one purpose."""

    contact_id: UUID
    purpose: str
    state: str
    occurred_at: datetime
    source: str
    text_version: str = ""
    actor: str = ""


_COLUMNS = (
    contacts.c.id,
    contacts.c.address,
    contacts.c.name,
    contacts.c.created_at,
    contacts.c.language,
    contacts.c.attributes,
    contacts.c.changed_at,
)


def ensure_contacts(tx: Tx, people: Sequence[tuple[str, str]], now: datetime) -> dict[str, UUID]:
    """Return the contact ids of these (normalised address, name) pairs, creating who is missing.

    They are inserted in the order of their addresses, so that two transactions with the same new people cannot wait for
    each other. Whom another transaction has made since we looked is left alone.
    """
    known = _ids_of(tx, [address for address, _ in people])
    missing = sorted((address, name) for address, name in people if address not in known)
    if missing:
        dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
        rows = [{"id": new_id(), "address": address, "name": name, "created_at": now} for address, name in missing]
        tx.execute(dialect.insert(contacts).on_conflict_do_nothing(), rows)
        known |= _ids_of(tx, [address for address, _ in missing])
    return known


def _ids_of(tx: Tx, addresses: Collection[str]) -> dict[str, UUID]:
    return {
        row.address: row.id
        for portion in in_portions(addresses)
        for row in tx.execute(select(contacts.c.address, contacts.c.id).where(contacts.c.address.in_(portion)))
    }


def find_contact(tx: Tx, address: str) -> Contact | None:
    """Return the contact with this normalised address."""
    row = tx.execute(select(*_COLUMNS).where(contacts.c.address == address)).one_or_none()
    return None if row is None else Contact(*row)


def get_contact(tx: Tx, contact_id: UUID) -> Contact | None:
    """Return one contact."""
    return get_contacts(tx, [contact_id]).get(contact_id)


def get_contacts(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Contact]:
    """Return these contacts; unknown ones are left out."""
    return {
        row.id: Contact(*row)
        for portion in in_portions(ids)
        for row in tx.execute(select(*_COLUMNS).where(contacts.c.id.in_(portion)))
    }


def find_contacts(tx: Tx, addresses: Collection[str]) -> dict[str, Contact]:
    """Return the contacts with these normalised addresses, by address; unknown ones are left out."""
    return {
        row.address: Contact(*row)
        for portion in in_portions(addresses)
        for row in tx.execute(select(*_COLUMNS).where(contacts.c.address.in_(portion)))
    }


def list_contacts(
    tx: Tx, *, limit: int, before: UUID | None = None, search: str = "", list_id: UUID | None = None
) -> list[Contact]:
    """Return contacts, newest first, from the one behind `before`: a page costs the same wherever it is.

    `search` finds part of an address or name, whatever its case; `list_id` keeps to the members of a list.
    """
    query: Select[Any] = select(*_COLUMNS).limit(limit)
    key = contacts.c.id
    if list_id is not None:
        key = memberships.c.contact_id  # so that the list's own index gives the order
        query = query.join(memberships, key == contacts.c.id).where(memberships.c.list_id == list_id)
    query = query.order_by(key.desc())
    if before is not None:
        query = query.where(key < before)
    if wanted := storable(search):
        query = query.where(
            or_(
                contacts.c.address.icontains(wanted, autoescape=True),
                contacts.c.name.icontains(wanted, autoescape=True),
            )
        )
    return [Contact(*row) for row in tx.execute(query)]


def attribute_names(tx: Tx) -> list[str]:
    """Return the names of the attributes that contacts may have, as placeholders write them."""
    return list(tx.execute(select(attributes.c.name).order_by(attributes.c.name)).scalars())


def count_contacts(tx: Tx) -> int:
    """Return how many contacts there are."""
    return tx.execute(select(func.count()).select_from(contacts)).scalar_one()


def add_contacts(tx: Tx, people: Iterable[Contact]) -> int:
    """Insert contacts, those whose address is there already left alone. Returns how many were new.

    They are inserted in the order of their addresses, so that two transactions with the same new people cannot wait for
    each other.
    """
    rows = [
        {
            "id": one.id,
            "address": one.address,
            "name": one.name,
            "created_at": one.created_at,
            "language": one.language,
            "attributes": dict(one.attributes),
            "changed_at": one.changed_at,
        }
        for one in sorted(people, key=lambda one: one.address)
    ]
    return insert_missing(tx, contacts, rows)


def save_contacts(tx: Tx, people: Collection[Contact]) -> None:
    """Bring the name, language, attributes and time of change of contacts that exist to these."""
    if people:
        tx.execute(
            update(contacts).where(contacts.c.id == bindparam("of_id")),
            [
                {
                    "of_id": one.id,
                    "name": one.name,
                    "language": one.language,
                    "attributes": dict(one.attributes),
                    "changed_at": one.changed_at,
                }
                for one in sorted(people, key=lambda one: one.id)
            ],
        )


def change_address(tx: Tx, contact_id: UUID, address: str, now: datetime) -> bool:
    """Give a contact another normalised address; what bounced at the old one says nothing about it. Returns False when
    another contact has it."""
    try:
        with tx.begin_nested():
            tx.execute(
                update(contacts)
                .where(contacts.c.id == contact_id)
                .values(address=address, changed_at=now, soft_bounces=0, softly_since=now)
            )
    except IntegrityError:
        return False
    return True


def delete_contact(tx: Tx, contact_id: UUID) -> bool:
    """Delete a contact with its choices and memberships; messages lose it. Returns whether there was one."""
    return tx.execute(delete(contacts).where(contacts.c.id == contact_id)).rowcount > 0


def add_consent(tx: Tx, consent: ConsentRow) -> None:
    """Append a choice; it is in force from now on."""
    add_consents(tx, [consent])


def add_consents(tx: Tx, rows: Iterable[ConsentRow]) -> None:
    """Append choices, in this order."""
    if values := [
        {
            "contact_id": row.contact_id,
            "purpose": row.purpose,
            "state": row.state,
            "occurred_at": row.occurred_at,
            "source": row.source,
            "text_version": row.text_version,
            "actor": row.actor,
        }
        for row in rows
    ]:
        tx.execute(insert(consents), values)


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
        ConsentRow(row.contact_id, row.purpose, row.state, row.occurred_at, row.source, row.text_version, row.actor)
        for row in rows
    ]
