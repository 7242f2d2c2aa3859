"""Soft bounces in a row, counted with the contact: a projection of what became of mails to its address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from resonanz.store.engine import Tx
from resonanz.store.tables import contacts


def begin_anew(tx: Tx, address: str, now: datetime) -> None:
    """Count the soft bounces of a normalised address from now on."""
    tx.execute(update(contacts).where(contacts.c.address == address).values(soft_bounces=0, softly_since=now))
