"""Whose mail somebody speaks about who names no token of ours: by its Message-ID, by the id that the next server gave
it, and last by recipient and time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from resonanz.store import Tx
from resonanz.store.messages import Message, answered_with, find_by_header_id, recent_to

ID_KEPT = timedelta(days=60)  # how long after a mail somebody may speak of it by an id of theirs
RECENT = timedelta(days=5)  # the longest that mail systems commonly try
MANY = 50  # mails to one person that are looked at


def by_header_ids(tx: Tx, header_ids: Iterable[str], recipient: str) -> Message | None:
    """Return the message with one of these Message-IDs: of several copies, the recipient's own."""
    for header_id in header_ids:
        found = find_by_header_id(tx, header_id)
        own = [message for message in found if message.recipient.lower() == recipient.lower()]
        if own or len(found) == 1:
            return (own or found)[0]
    return None


def by_given_id(tx: Tx, given_id: str, recipient: str, at: datetime) -> Message | None:
    """Return the message to this recipient that the next server took with this id in its reply."""
    if len(given_id) < 8:  # an id so short stands in many replies
        return None
    sent = recent_to(tx, recipient, since=at - ID_KEPT, until=at, limit=MANY)
    named = answered_with(tx, [message.id for message in sent], given_id)
    return next((message for message in sent if message.id in named), None)


def by_recipient(tx: Tx, recipient: str, at: datetime, *, within: timedelta = RECENT) -> Message | None:
    """Return the one message to this recipient in the time before; None where it could have been another as well."""
    sent = recent_to(tx, recipient, since=at - within, until=at, limit=2)
    return sent[0] if len(sent) == 1 else None
