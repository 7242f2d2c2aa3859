"""Mails as they lie in a mailbox: no envelope tells to which address of ours they came, but the server that put them
there has noted it.

A mail to leave by, and an answer at a reply address, are taken as at the doors; all else is told by the mail itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from resonanz.ingest.inbound import MAX_HEADER_BYTES, Arrived, Came, Taken, place_of, take_mail
from resonanz.mail.answers import as_it_came, delivered_to, envelope_sender, goes_round
from resonanz.mail.reports import ReportKind
from resonanz.mail.structure import parse
from resonanz.model import InvalidInput, NotFound
from resonanz.store import Database
from resonanz.tokens import Keys, TokenKind

log = structlog.get_logger(__name__)

# An answer to a message, and how it came → recorded, and passed on to the message's author, both once.
# `sending.replies.take_and_pass_on` is one; it is handed down.
TakeAnswer = Callable[[Arrived, UUID, Came, datetime], Taken]

SOURCE = "mailbox"


class Deliveries:
    """Takes mails out of mailboxes. `domain` is that of our addresses (empty: there are none)."""

    def __init__(self, database: Database, keys: Keys, *, domain: str, take_answer: TakeAnswer) -> None:
        self._database = database
        self._keys = keys
        self._domain = domain
        self._take_answer = take_answer

    def take(self, content: bytes, *, whole: bool, by: str, now: datetime) -> Taken:
        """Record what a mail reports or asks for, and pass an answer on; once, however often it is read. `whole` is
        whether all of it was read, `by` how it came in.

        Raises TemporaryFailure when the database cannot be used.
        """
        head = parse(content[:MAX_HEADER_BYTES])
        arrived = Arrived.read(content, sender=envelope_sender(head))
        for address in delivered_to(head, self._domain) if self._domain else ():
            place = place_of(self._keys, self._domain, address)
            if place is None or place.kind is TokenKind.RETURN_PATH:
                continue
            if place.kind is TokenKind.UNSUBSCRIBE:
                return take_mail(self._database, self._keys, arrived, source=SOURCE, now=now, place=place)
            if goes_round(content, address):  # what was passed on has come to the author's own mailbox
                return Taken(ReportKind.NONE, None)
            return self._answer(arrived, place.message_id, Came(address, by), now, whole=whole)
        return self._other(arrived, now)

    def _answer(self, arrived: Arrived, message_id: UUID, came: Came, now: datetime, *, whole: bool) -> Taken:
        try:
            if not whole:
                raise InvalidInput("the mail is too large to be passed on", where="mail")
            passed = replace(arrived, content=as_it_came(arrived.content))
            return self._take_answer(passed, message_id, came, now)
        except NotFound:  # erased meanwhile
            return self._other(arrived, now)
        except InvalidInput as refused:
            log.warning("an answer stays in its mailbox", message=str(message_id), error=str(refused))
            return replace(self._other(arrived, now), stays=True)

    def _other(self, arrived: Arrived, now: datetime) -> Taken:
        return take_mail(self._database, self._keys, arrived, source=SOURCE, now=now)
