"""Taking a person out of the rows that stay: messages, attempts, facts, contents nobody else got.

This is the one place that changes facts beside corrections of verdicts.
"""

from __future__ import annotations

import json
import quopri
from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, bindparam, cast, delete, func, or_, select, update

from resonanz.store.engine import Tx
from resonanz.store.tables import (
    attempts,
    contents,
    events,
    evidence,
    import_errors,
    links,
    messages,
    queue,
    strays,
    submissions,
)
from resonanz.store.wanted import forget_wanted

_PORTION = 1_000
_STRAYS_AT_A_TIME = 100  # of up to 100 kB each


def next_messages(tx: Tx, contact_id: UUID) -> list[UUID]:
    """Return the next of a contact's messages, none when all are detached; in the order of their ids, and locked."""
    query = select(messages.c.id).where(messages.c.contact_id == contact_id).order_by(messages.c.id).limit(_PORTION)
    return list(tx.execute(query.with_for_update()).scalars())


def waiting_messages(tx: Tx, contact_id: UUID) -> dict[UUID, bool]:
    """Return which of a contact's messages are in the queue, and whether each is on the wire; locked."""
    query = (
        select(queue.c.message_id, queue.c.on_wire)
        .join(messages, messages.c.id == queue.c.message_id)
        .where(messages.c.contact_id == contact_id)
        .order_by(queue.c.message_id)
    )
    return {row.message_id: row.on_wire for row in tx.execute(query.with_for_update(of=queue))}


def take_back(tx: Tx, message_ids: Collection[UUID]) -> None:
    """Take messages out of the queue, whoever holds them: a worker sends none whose row is gone."""
    tx.execute(delete(queue).where(queue.c.message_id.in_(message_ids)))


def detach_messages(tx: Tx, ids: Collection[UUID], pseudonym: str) -> None:
    """Take the person out of messages and of what was said while they were sent.

    A campaign's subject was filled for them; what is left is how it was written. What can be measured of a message
    stays, and the gateway's name with it: it stands for thousands of domains, and the mailing's shares need it.
    """
    written = (
        select(contents.c.subject)
        .join(submissions, submissions.c.content_id == contents.c.id)
        .where(submissions.c.id == messages.c.submission_id)
        .scalar_subquery()
    )
    tx.execute(
        update(messages)
        .where(messages.c.id.in_(ids))
        .values(contact_id=None, recipient=pseudonym, header_id=None, state_note="", subject=written)
    )
    tx.execute(update(attempts).where(attempts.c.message_id.in_(ids)).values(reply=""))
    tx.execute(delete(evidence).where(evidence.c.message_id.in_(ids)))
    forget_wanted(tx, ids)


def detach_answers(tx: Tx, address: str, pseudonym: str) -> None:
    """Take a person's address out of messages that passed an answer of theirs on."""
    passed_on = select(submissions.c.id).where(submissions.c.source == "reply")
    theirs = and_(func.lower(messages.c.sender) == address.lower(), messages.c.submission_id.in_(passed_on))
    tx.execute(update(messages).where(theirs).values(sender=pseudonym, subject=""))


def blank_events(
    tx: Tx,
    message_ids: Collection[UUID],
    pseudonym: str,
    keep: Callable[[Mapping[str, object]], Mapping[str, object]],
) -> None:
    """Take the person out of the facts about messages: address, page and place beyond the country go, and of the detail
    all but what `keep` returns."""
    about = events.c.message_id.in_(message_ids)
    said: list[dict[str, Any]] = [
        {"of_id": row.id, "kept": dict(kept)}
        for row in tx.execute(select(events.c.id, events.c.detail).where(about))
        if (kept := keep(row.detail)) != row.detail
    ]
    person = {"recipient": pseudonym, "url": "", "region": "", "city": "", "timezone": "", "client_device": ""}
    tx.execute(update(events).where(about).values(person))
    if said:
        tx.execute(update(events).where(events.c.id == bindparam("of_id")).values(detail=bindparam("kept")), said)


def blank_contents(tx: Tx, message_ids: Collection[UUID]) -> None:
    """Forget the mails that were written to nobody who is still known: their text and subject speak to one person."""
    theirs = select(messages.c.submission_id).where(messages.c.id.in_(message_ids))
    others = select(messages.c.submission_id).where(
        messages.c.submission_id == submissions.c.id, messages.c.contact_id.is_not(None)
    )
    rows = tx.execute(
        select(submissions.c.id, submissions.c.content_id)
        .join(contents, contents.c.id == submissions.c.content_id)
        .where(submissions.c.id.in_(theirs), ~others.exists(), contents.c.form.in_(("rfc822", "composed")))
    ).all()
    for row in rows:
        tx.execute(update(contents).where(contents.c.id == row.content_id).values(body=b"", subject=""))
        tx.execute(delete(links).where(links.c.content_id == row.content_id))
        tx.execute(update(messages).where(messages.c.submission_id == row.id).values(subject=""))


def forget_import_errors(tx: Tx, address: str) -> None:
    """Delete the rows of imports that were refused and hold this address."""
    cells = cast(import_errors.c.cells, Text)  # one database writes beyond ASCII as it is, the other escaped
    written = {address, json.dumps(address)[1:-1]}
    tx.execute(delete(import_errors).where(or_(*(cells.icontains(text, autoescape=True) for text in written))))


def forget_strays(tx: Tx, address: str) -> None:
    """Delete reports that became no fact and are about this (normalised) address, or hold it."""
    last = 0
    while rows := tx.execute(
        select(strays.c.id, strays.c.recipient, strays.c.body)
        .where(strays.c.id > last)
        .order_by(strays.c.id)
        .limit(_STRAYS_AT_A_TIME)
    ).all():
        found = [row.id for row in rows if row.recipient.lower() == address or _holds(bytes(row.body), address)]
        tx.execute(delete(strays).where(strays.c.id.in_(found)))
        last = rows[-1].id


def _holds(body: bytes, address: str) -> bool:
    """Whether a report names an address: as it is, in quoted-printable lines (RFC 2045), or escaped as JSON."""
    written = address.encode("utf-8"), json.dumps(address)[1:-1].encode("ascii")
    plain = body.lower()
    return any(text in plain for text in written) or written[0] in quopri.decodestring(body).lower()
