"""The suppression list: addresses that get no mail, why and since when.

It is kept apart from contacts, so that erasing a contact does not make their address writable again. How an address
came on the list and off it is kept too.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from resonanz.store import Tx
from resonanz.store import suppressions as store
from resonanz.store.softly import begin_anew
from resonanz.store.suppressions import SuppressionChange, SuppressionRow


class Reason(StrEnum):
    """Why an address is on the list."""

    BOUNCED = "bounced"  # the mailbox does not exist, by the word of its own system
    SOFT_BOUNCED = "soft_bounced"  # one mail after the other came back, and none arrived between
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


def suppress(
    tx: Tx, address: str, reason: Reason, *, now: datetime, source: str, note: str = "", actor: str = ""
) -> bool:
    """Put a normalised address on the list; a first reason stays. Returns whether it was new.

    `source` is where that came from, `actor` who did it: empty when nobody did, but it happened.
    """
    is_new = store.suppress(tx, SuppressionRow(address, reason, now, source, note))
    if is_new:
        store.add_change(tx, SuppressionChange(address, "added", reason, now, source, note, actor))
    return is_new


def restore(tx: Tx, address: str, *, now: datetime, source: str, note: str, actor: str) -> bool:
    """Take a normalised address off the list, so that it is written to again. Returns whether it was on it.

    Soft bounces are counted from the beginning again.
    """
    found = store.find_suppression(tx, address)
    if found is None or not store.unsuppress(tx, address):
        return False
    store.add_change(tx, SuppressionChange(address, "removed", found.reason, now, source, note, actor))
    begin_anew(tx, address, now)
    return True
