"""Everything known of one contact, as JSON: for whoever asks what is kept of them, or wants to take it elsewhere.

GDPR articles 15 and 20. Written piece by piece, since a contact can have had any number of mails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from resonanz.model import Event, NotFound
from resonanz.store import Database, Tx, contacts, events, histories, lists, queue, suppressions
from resonanz.store.contacts import Contact
from resonanz.store.messages import Message

_MESSAGES_AT_A_TIME = 100


def dossier(database: Database, contact_id: UUID, now: datetime) -> Iterator[str]:
    """Yield one JSON document about a contact, in pieces. Raises NotFound before the first.

    The pieces are read as they are wanted, each in a transaction of its own.
    """
    with database.read() as tx:
        contact = contacts.get_contact(tx, contact_id)
        if contact is None:
            raise NotFound("there is no such contact", where="contact")
        head = json.dumps(_about(tx, contact, now), ensure_ascii=False, indent=2)
    return _written(database, contact_id, head)


def _written(database: Database, contact_id: UUID, head: str) -> Iterator[str]:
    yield head.removesuffix("\n}") + ',\n  "messages": ['
    before: UUID | None = None
    separator = "\n"
    while True:
        with database.read() as tx:
            portion = histories.messages_of(tx, contact_id, limit=_MESSAGES_AT_A_TIME, before=before)
            facts = events.of_messages(tx, [message.id for message in portion])
            texts = [json.dumps(_message(tx, message, facts[message.id]), ensure_ascii=False) for message in portion]
        for text in texts:
            yield f"{separator}    {text}"
            separator = ",\n"
        if len(portion) < _MESSAGES_AT_A_TIME:
            yield "\n  ]\n}\n"
            return
        before = portion[-1].id


def _about(tx: Tx, contact: Contact, now: datetime) -> dict[str, Any]:
    suppression = suppressions.find_suppression(tx, contact.address)
    return {
        "made_at": _moment(now),
        "contact": {
            "id": str(contact.id),
            "address": contact.address,
            "name": contact.name,
            "language": contact.language,
            "attributes": dict(contact.attributes),
            "known_since": _moment(contact.created_at),
            "changed_at": _moment(contact.changed_at),
        },
        "lists": [
            {"name": one.list_name, "since": _moment(one.since), "source": one.source}
            for one in lists.memberships_of(tx, contact.id)
        ],
        "choices": [
            {
                "purpose": one.purpose,
                "state": one.state,
                "at": _moment(one.occurred_at),
                "source": one.source,
                "text_version": one.text_version,
                "entered_by": one.actor,
            }
            for one in contacts.consent_history(tx, contact.id)
        ],
        "suppression": None
        if suppression is None
        else {
            "reason": suppression.reason,
            "since": _moment(suppression.since),
            "source": suppression.source,
            "note": suppression.note,
        },
        "suppression_history": [
            {
                "change": one.change,
                "reason": one.reason,
                "at": _moment(one.occurred_at),
                "source": one.source,
                "note": one.note,
                "by": one.actor,
            }
            for one in suppressions.changes_of(tx, contact.address)
        ],
    }


def _message(tx: Tx, message: Message, facts: list[Event]) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "recipient": message.recipient,
        "sender": message.sender,
        "subject": message.subject,
        "message_id": message.header_id,
        "created_at": _moment(message.created_at),
        "state": message.state,
        "state_note": message.state_note,
        "tracking": {"opens": message.track_opens, "clicks": message.track_clicks},
        "coverage": message.coverage,
        "gateway": message.gateway,
        "attempts": [
            {"at": _moment(one.started_at), "transport": one.transport, "outcome": one.outcome, "reply": one.reply}
            for one in queue.list_attempts(tx, message.id)
        ],
        "events": [_event(fact) for fact in facts],
    }


def _event(fact: Event) -> dict[str, Any]:
    return {
        "id": fact.id,
        "kind": fact.kind,
        "occurred_at": _moment(fact.occurred_at),
        "received_at": _moment(fact.received_at),
        "source": fact.source,
        "verdict": fact.verdict,
        "confidence": fact.confidence,
        "reasons": list(fact.reasons),
        "program": fact.client and {"name": fact.client.name, "os": fact.client.os, "device": fact.client.device},
        "place": fact.place and {"country": fact.place.country, "region": fact.place.region, "city": fact.place.city},
        "link": fact.link,
        "url": fact.url,
        "repeat_of": fact.repeat_of,
        "detail": dict(fact.detail),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
