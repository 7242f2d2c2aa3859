"""Custom tracking domains, and which senders' mail carries them, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing
from resonanz.store.tables import domain_senders, domains


@dataclass(frozen=True, slots=True)
class Domain:
    """A host that links carry in mail from `senders` while it is `in_use`.

    The edge answers for it from when it was first confirmed to lead here (`confirmed_at`), because mails that are out
    keep their links. `check_note` is what was seen at `checked_at`.
    """

    name: str
    senders: tuple[str, ...]
    created_at: datetime
    created_by: str
    confirmed_at: datetime | None = None
    in_use: bool = False
    checked_at: datetime | None = None
    check_note: str = ""


def add_domain(tx: Tx, domain: Domain) -> bool:
    """Store a domain, unless there is one with its name; then nothing is changed. Returns whether it was new."""
    row = {
        "name": domain.name,
        "created_at": domain.created_at,
        "created_by": domain.created_by,
        "confirmed_at": domain.confirmed_at,
        "in_use": domain.in_use,
        "checked_at": domain.checked_at,
        "check_note": domain.check_note,
    }
    return bool(insert_missing(tx, domains, [row]))


def add_senders(tx: Tx, name: str, senders: Sequence[str]) -> int:
    """Give a domain to these senders. Returns how many were free; the others have one already."""
    return insert_missing(tx, domain_senders, [{"sender": sender, "domain": name} for sender in senders])


def list_domains(tx: Tx) -> list[Domain]:
    """Return every domain by its name."""
    senders: dict[str, list[str]] = {}
    for row in tx.execute(select(domain_senders).order_by(domain_senders.c.sender)):
        senders.setdefault(row.domain, []).append(row.sender)
    return [
        Domain(
            row.name,
            tuple(senders.get(row.name, ())),
            row.created_at,
            row.created_by,
            row.confirmed_at,
            row.in_use,
            row.checked_at,
            row.check_note,
        )
        for row in tx.execute(select(domains).order_by(domains.c.name))
    ]


def save_check(tx: Tx, domain: Domain) -> bool:
    """Write down what a check has made of a domain. Returns whether it is still there."""
    values = {
        "confirmed_at": domain.confirmed_at,
        "in_use": domain.in_use,
        "checked_at": domain.checked_at,
        "check_note": domain.check_note,
    }
    return tx.execute(update(domains).where(domains.c.name == domain.name).values(values)).rowcount > 0


def remove_domain(tx: Tx, name: str) -> bool:
    """Remove a domain and its senders. Returns whether it was there."""
    tx.execute(delete(domain_senders).where(domain_senders.c.domain == name))
    return tx.execute(delete(domains).where(domains.c.name == name)).rowcount > 0
