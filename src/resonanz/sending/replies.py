"""Answers to mail whose Reply-To leads here: passed on unchanged to whoever its author wants to have them.

The envelope is ours on the way on, so that our domain answers for it and what fails comes back here (as SRS does for
forwarders); an answer by a machine goes on without a return path, so that nothing answers it (RFC 3834 section 3).
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from functools import partial
from uuid import UUID

from resonanz.ingest.inbound import Arrived, Came, Taken, take_answer
from resonanz.mail.address import Address, parse_address, parse_addresses
from resonanz.mail.answers import answers_to, goes_round, hops_of
from resonanz.mail.composing import write_header
from resonanz.mail.structure import parse
from resonanz.model import InvalidInput, TrackingMode
from resonanz.sending.checking import check
from resonanz.sending.drafts import REPLY, Draft, HandedIn, Limits, ToBeTold
from resonanz.sending.fields import Fields
from resonanz.sending.submit import store
from resonanz.store import Database, Tx, messages
from resonanz.store.messages import Content, Message

MAX_HOPS = 30
_LIMITS = Limits(size_bytes=2**40)  # the door has bounded it


class Looping(InvalidInput):
    """The mail came by here before, or goes round in circles."""


def check_answer(content: bytes, address: str) -> None:
    """Check that an answer can be passed on as it is. Raises Looping, and InvalidInput for what programs on the way
    would read in different ways."""
    if b"\0" in content or not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r"):
        raise InvalidInput("the mail holds a NUL, or a bare CR or LF", where="mail")
    if len(hops_of(content)) > MAX_HOPS or goes_round(content, address):
        raise Looping("the mail goes round in circles", where="mail")


def take_and_pass_on(
    database: Database, arrived: Arrived, message_id: UUID, *, source: str, domain: str, came: Came, now: datetime
) -> Taken:
    """Record an answer to a message and pass it on, both once and in one transaction, whichever way it came in.

    Raises Looping and InvalidInput when it cannot be passed on (then nothing is recorded), NotFound when there is no
    such message, and TemporaryFailure.
    """
    check_answer(arrived.content, came.to)
    on = partial(pass_on, domain=domain, address=came.to, by=came.by, now=now)
    return take_answer(database, arrived, message_id, source=source, now=now, pass_on=on)


def pass_on(tx: Tx, message: Message, arrived: Arrived, *, domain: str, address: str, by: str, now: datetime) -> bool:
    """Queue an answer to a message for the message's author; once, however often it comes. `address` is where it came
    to, `by` what the door knows of its way here (the clauses of a Received field). Returns whether it was queued.
    Raises InvalidInput when it cannot be passed on."""
    key = f"answer/{message.id.hex}/{arrived.name}"
    if messages.find_submission(tx, None, key) is not None:
        return False
    submission = messages.get_submission(tx, message.submission_id)
    content = messages.get_content(tx, submission.content_id) if submission else None
    authors = [one for one in authors_of(content, message) if one.domain.lower() != domain.lower()]
    if not authors:
        raise Looping("whoever is to get this has no address of their own", where="mail")
    without_sender = arrived.is_notice or arrived.is_automatic
    received = write_header("Received", f"{by} for <{address.lower()}>; {format_datetime(now)}")
    draft = Draft(
        # By the instance's own way out: an account's may be a mailbox at a provider that lets nobody else into From.
        account_id=None,
        source=REPLY,
        sender="" if arrived.is_notice else arrived.sender,
        recipients=tuple(str(one) for one in authors),
        raw=received + arrived.content,
        track_opens=TrackingMode.OFF,
        track_clicks=TrackingMode.OFF,
        idempotency_key=key,
        to_be_told=None if without_sender else ToBeTold(),
        null_path=without_sender,
    )
    store(tx, [HandedIn(draft, check(draft, _LIMITS, now), now)])
    return True


def authors_of(content: Content | None, message: Message) -> list[Address]:
    """Return whom the author of a message wants answers to go to; of a mail that was erased, its envelope's sender."""
    found: list[Address] = []
    if content is not None and content.body:
        if content.form == "rfc822":
            found = answers_to(parse(content.body))
        else:
            fields = Fields.decode(content.body)
            found = parse_addresses(fields.reply_to or fields.sender)
    return found or [parse_address(message.sender)]
