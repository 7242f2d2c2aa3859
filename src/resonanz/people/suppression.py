"""The suppression list: addresses that get no mail, why and since when.

It is kept apart from contacts, so that erasing a contact does not make their address writable again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from resonanz.store import Tx
from resonanz.store import contacts as store
from resonanz.store.contacts import SuppressionRow


class Reason(StrEnum):
    """Why an address is on the list."""

    BOUNCED = "bounced"  # the mailbox does not exist, by the word of its own system
    COMPLAINED = "complained"  # the recipient called our mail spam
    UNSUBSCRIBED = "unsubscribed"
    MANUAL = "manual"  # somebody put it there


def reason_for(tx: Tx, address: str) -> str | None:
    """Return why this normalised address gets no mail, or None when it may be written to."""
    found = store.find_suppression(tx, address)
    return None if found is None else found.reason


def suppressed_among(tx: Tx, addresses: Collection[str]) -> dict[str, str]:
    """Return the reasons of those of these normalised addresses that are on the list."""
    return {row.address: row.reason for row in store.find_suppressions(tx, addresses)}


def suppress(tx: Tx, address: str, reason: str, *, now: datetime, source: str, note: str = "") -> bool:
    """Put a normalised address on the list; a first reason stays. Returns whether it was new."""
    return store.suppress(tx, SuppressionRow(address, reason, now, source, note))


def restore(tx: Tx, address: str) -> bool:
    """Take an address off the list, so that it is written to again. Returns whether it was on it."""
    return store.unsuppress(tx, address)
