"""What stays of a contact who was erased: their messages and facts, without anything that could name them.

GDPR articles 17 and 5 (1) (e). Counts and states of a mailing stay what they were; nobody can tell any more whose they
are. The suppression list keeps an address that is on it, so that it is not written to again (article 17 (3) (b)).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from uuid import UUID

from resonanz.store import Tx, aside
from resonanz.store import erasure as store
from resonanz.store.contacts import Contact, delete_contact
from resonanz.store.evidence import forget_messages

# A domain under .invalid belongs to nobody, ever (RFC 6761 section 6.4).
_PSEUDONYMS = "@erased.invalid"
# Words of our own that say what happened and to no one in particular; other servers' words and pages' addresses go.
_KEPT = frozenset(
    {
        *("bounce", "reason", "status", "report", "uncertain", "gave_up", "held", "tracking", "blocked"),
        *("event", "was", "judge", "network"),
    }
)


def is_pseudonym(address: str) -> bool:
    """Tell whether an address is what stands in place of an erased one."""
    return address.endswith(_PSEUDONYMS)


def without_person(detail: Mapping[str, object]) -> dict[str, object]:
    """Return what of a fact's detail may stay when its person is erased."""
    return {name: value for name, value in detail.items() if name in _KEPT}


def erase(tx: Tx, contact: Contact) -> int:
    """Erase a contact: the row goes with its choices and memberships, their messages get a pseudonym that is written
    down nowhere else. Returns how many messages. Nothing of theirs may be waiting in the queue."""
    pseudonym = f"erased-{secrets.token_hex(5)}{_PSEUDONYMS}"
    erased: set[UUID] = set()
    while portion := store.next_messages(tx, contact.id):
        store.detach_messages(tx, portion, pseudonym)
        store.blank_events(tx, portion, pseudonym, without_person)
        store.blank_contents(tx, portion)
        forget_messages(tx, portion)  # who asked, kept for a while to tell people from programs
        erased.update(portion)
    _forget_aside(tx, erased)
    store.detach_answers(tx, contact.address, pseudonym)
    store.forget_import_errors(tx, contact.address)
    store.forget_strays(tx, contact.address)
    delete_contact(tx, contact.id)
    return len(erased)


def _forget_aside(tx: Tx, message_ids: Collection[UUID]) -> None:
    """Let go of hits on these messages that wait to be understood: they hold who asked, word for word."""
    after = ("", 0)
    while rows := aside.list_aside(tx, after):
        for row in rows:
            if _is_about(row.hit, message_ids):
                aside.drop_aside(tx, row.journal, row.position)
        after = rows[-1].journal, rows[-1].position


def _is_about(text: str, message_ids: Collection[UUID]) -> bool:
    from resonanz.journal import decode  # hits lie aside hardly ever

    try:
        return any(hit.id in message_ids for hit in decode(text))
    except ValueError:  # what cannot be read may still name the message as others do
        return any(id.hex in text for id in message_ids)
