"""Soft bounces in a row, counted with the contact: a projection of what became of mails to its address."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, update

from resonanz.model import MessageState
from resonanz.store.bulk import Ids, select_by_ids
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.tables import contacts, messages


@dataclass(frozen=True, slots=True)
class Run:
    """How many mails to a contact's normalised address bounced softly in a row; facts recorded until `since` do not
    count."""

    contact_id: UUID
    address: str
    count: int
    since: datetime | None


def begin_anew(tx: Tx, address: str, now: datetime) -> None:
    """Count the soft bounces of a normalised address from now on."""
    tx.execute(update(contacts).where(contacts.c.address == address).values(soft_bounces=0, softly_since=now))


def lock_runs(tx: Tx, contact_ids: Collection[UUID]) -> list[Run]:
    """Return these contacts' runs, held until the transaction ends; in the order of their ids."""
    query = select(contacts.c.id, contacts.c.address, contacts.c.soft_bounces, contacts.c.softly_since)
    return [
        Run(*row)
        for portion in in_portions(sorted(contact_ids))
        for row in tx.execute(
            query.where(contacts.c.id.in_(portion)).order_by(contacts.c.id).with_for_update(key_share=True)
        )
    ]


def save_runs(tx: Tx, counts: Mapping[UUID, int]) -> None:
    """Write how long these contacts' runs are."""
    if counts:
        tx.execute(
            update(contacts).where(contacts.c.id == bindparam("of_id")).values(soft_bounces=bindparam("so_many")),
            [{"of_id": id, "so_many": count} for id, count in sorted(counts.items())],
        )


def running(tx: Tx, contact_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these contacts are in a run."""
    known = Ids.known(tx, contact_ids)
    return {known[row[0]] for row in select_by_ids(tx, contacts, ("id",), contact_ids, where="soft_bounces > 0")}


def may_be_running(tx: Tx) -> list[UUID]:
    """Return the contacts with a run, and those to whom a mail bounced: nobody else can have one."""
    bounced = select(messages.c.contact_id).where(
        messages.c.state == MessageState.BOUNCED, messages.c.contact_id.is_not(None)
    )
    counted = select(contacts.c.id).where(contacts.c.soft_bounces > 0)
    return sorted({*tx.execute(bounced.distinct()).scalars(), *tx.execute(counted).scalars()})


def messages_of(tx: Tx, contact_ids: Collection[UUID]) -> list[UUID]:
    """Return the ids of all messages to these contacts."""
    return [
        id
        for portion in in_portions(contact_ids)
        for id in tx.execute(select(messages.c.id).where(messages.c.contact_id.in_(portion))).scalars()
    ]
