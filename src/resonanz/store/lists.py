"""Lists of contacts, and who is on them, as rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update

from resonanz.store.contacts import Contact, get_contacts
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions, insert_missing
from resonanz.store.tables import lists, memberships


@dataclass(frozen=True, slots=True)
class MailingList:
    """A named group of contacts. Mail to one that counts as marketing needs each contact's consent to mailing."""

    id: UUID
    name: str
    description: str
    is_marketing: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """That a contact is on a list, since when, and how they came there."""

    list_id: UUID
    list_name: str
    is_marketing: bool
    since: datetime
    source: str


def add_list(tx: Tx, one: MailingList) -> bool:
    """Insert a list. Returns whether its name was free."""
    row = {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "is_marketing": one.is_marketing,
        "created_at": one.created_at,
    }
    return bool(insert_missing(tx, lists, [row]))


def save_list(tx: Tx, one: MailingList) -> None:
    """Bring name, description and purpose of a list that exists to these. Raises IntegrityError for a taken name."""
    tx.execute(
        update(lists)
        .where(lists.c.id == one.id)
        .values(name=one.name, description=one.description, is_marketing=one.is_marketing)
    )


def delete_list(tx: Tx, list_id: UUID) -> bool:
    """Delete a list; its members stay contacts. Returns whether there was one."""
    return tx.execute(delete(lists).where(lists.c.id == list_id)).rowcount > 0


def get_list(tx: Tx, list_id: UUID) -> MailingList | None:
    """Return one list."""
    row = tx.execute(select(lists).where(lists.c.id == list_id)).one_or_none()
    return None if row is None else MailingList(**row._mapping)


def find_list(tx: Tx, name: str) -> MailingList | None:
    """Return the list of this name; the case of ASCII letters makes no difference."""
    alike = or_(lists.c.name == name, func.lower(lists.c.name) == func.lower(name))
    row = tx.execute(select(lists).where(alike).limit(1)).first()
    return None if row is None else MailingList(**row._mapping)


def list_lists(tx: Tx) -> list[tuple[MailingList, int]]:
    """Return every list by name, with the number of its members."""
    counts = tx.execute(select(memberships.c.list_id, func.count().label("members")).group_by(memberships.c.list_id))
    counted = {row.list_id: row.members for row in counts}
    found = [MailingList(**row._mapping) for row in tx.execute(select(lists).order_by(func.lower(lists.c.name)))]
    return [(one, counted.get(one.id, 0)) for one in found]


def count_members(tx: Tx, list_id: UUID) -> int:
    """Return how many contacts are on a list."""
    return tx.execute(select(func.count()).where(memberships.c.list_id == list_id)).scalar_one()


# ── Who is on them ──────────────────────────────────────────────────────────────────────────────────────────────────


def add_members(tx: Tx, list_id: UUID, contact_ids: Collection[UUID], *, since: datetime, source: str) -> int:
    """Put contacts on a list; who is on it stays as they are. Returns how many came on it."""
    rows = [
        {"list_id": list_id, "contact_id": contact_id, "since": since, "source": source}
        for contact_id in sorted(contact_ids)
    ]
    return insert_missing(tx, memberships, rows)


def remove_members(tx: Tx, list_id: UUID, contact_ids: Collection[UUID]) -> int:
    """Take contacts off a list. Returns how many were on it."""
    return sum(
        tx.execute(
            delete(memberships).where(memberships.c.list_id == list_id, memberships.c.contact_id.in_(portion))
        ).rowcount
        for portion in in_portions(contact_ids)
    )


def memberships_of(tx: Tx, contact_id: UUID) -> list[Membership]:
    """Return the lists that a contact is on, by name."""
    rows = tx.execute(
        select(lists.c.id, lists.c.name, lists.c.is_marketing, memberships.c.since, memberships.c.source)
        .join(memberships, memberships.c.list_id == lists.c.id)
        .where(memberships.c.contact_id == contact_id)
        .order_by(func.lower(lists.c.name))
    )
    return [Membership(*row) for row in rows]


def members(tx: Tx, list_ids: Collection[UUID], *, after: UUID | None = None, limit: int) -> list[Contact]:
    """Return the contacts on any of these lists, each once, in the order of their ids, from the one behind `after`.
    Fewer than `limit` is the end."""
    wanted = next_members(tx, list_ids, after=after, limit=limit)
    found = get_contacts(tx, list(wanted))
    return [found[id] for id in wanted if id in found]


def next_members(
    tx: Tx, list_ids: Collection[UUID], *, after: UUID | None = None, limit: int, joined_by: datetime | None = None
) -> dict[UUID, frozenset[UUID]]:
    """Return the next contacts on any of these lists, in the order of their ids, each with those of the lists it is on.
    With `joined_by`, who came on a list later does not count.

    A portion costs the same wherever it is: each list gives its next `limit` members by its own index, and the first
    `limit` of them all are the answer. None is the end.
    """
    on: dict[UUID, set[UUID]] = {}
    for list_id in list_ids:
        query = select(memberships.c.contact_id).where(memberships.c.list_id == list_id)
        if after is not None:
            query = query.where(memberships.c.contact_id > after)
        if joined_by is not None:
            query = query.where(memberships.c.since <= joined_by)
        for contact_id in tx.execute(query.order_by(memberships.c.contact_id).limit(limit)).scalars():
            on.setdefault(contact_id, set()).add(list_id)
    return {contact_id: frozenset(on[contact_id]) for contact_id in sorted(on)[:limit]}


def marketing_among(tx: Tx, list_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those of these lists whose mail is marketing."""
    query = select(lists.c.id).where(lists.c.id.in_(list(list_ids)), lists.c.is_marketing.is_(True))
    return frozenset(tx.execute(query).scalars())
