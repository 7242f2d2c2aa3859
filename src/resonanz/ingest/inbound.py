"""A mail that may be a report: read, matched with one of our messages, recorded once; kept where it is about none.

Every way in ends here: the doors that know by the address which message it is for, and mailboxes, where only the mail
itself can tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from resonanz.ingest import matching
from resonanz.ingest.sources.reports import record_leaving, record_report
from resonanz.mail.answers import is_automatic
from resonanz.mail.reports import REPLY, Report, ReportKind, find_message, read_report
from resonanz.mail.structure import parse
from resonanz.model import NotFound
from resonanz.store import Database, Tx
from resonanz.store.messages import Message, get_message
from resonanz.store.strays import Stray, add_strays
from resonanz.tokens import (
    REPLY_PREFIX,
    RETURN_PATH_PREFIX,
    UNSUBSCRIBE_PREFIX,
    BadToken,
    Keys,
    TokenKind,
    read_reply_path,
    read_return_path,
    read_unsubscribe_path,
)

MAX_HEADER_BYTES = 65_536

_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Place:
    """What an address of ours stands for: the return path of a message, leaving by way of it, or answers to it."""

    kind: TokenKind
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Arrived:
    """A mail that came in, read once for all the addresses it came to. Its `name` is its Message-ID's, so that taking
    it twice records it once. `sender` is its envelope's: `<>` for a machine's word about mail, empty where nobody
    knows. `is_automatic` is whether it says that no person wrote it."""

    content: bytes
    report: Report
    name: str
    sender: str
    is_automatic: bool

    @classmethod
    def read(cls, content: bytes, *, sender: str = "") -> Arrived:
        """Read a mail. Never raises."""
        report = read_report(content)
        automatic = report.kind is ReportKind.AUTOREPLY or is_automatic(parse(content[:MAX_HEADER_BYTES]))
        return cls(content, report, name_of(content), sender, automatic)

    @property
    def is_notice(self) -> bool:
        """Whether its envelope has no sender."""
        return self.sender == "<>"


PassOn = Callable[[Tx, Message, Arrived], object]
"""Passes an answer on, in the transaction that records it."""


@dataclass(frozen=True, slots=True)
class Came:
    """How a mail came in: to which address of ours, and by what way (the clauses of a Received field)."""

    to: str
    by: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a mail was, and which message of ours it is about, if any. One that `stays` is to be left where it lies: it
    is somebody's answer that did not go on."""

    kind: ReportKind
    message_id: UUID | None
    stays: bool = False

    @property
    def is_report(self) -> bool:
        """Whether it is a report, or an answer to a mail of ours; anything else is somebody's mail."""
        return self.kind is not ReportKind.NONE or self.message_id is not None


_READERS = {
    UNSUBSCRIBE_PREFIX: (TokenKind.UNSUBSCRIBE, read_unsubscribe_path),
    RETURN_PATH_PREFIX: (TokenKind.RETURN_PATH, read_return_path),
    REPLY_PREFIX: (TokenKind.REPLY, read_reply_path),
}


def place_of(keys: Keys, domain: str, address: str) -> Place | None:
    """Return what an address stands for, in whatever case it came back; None where it is none of ours."""
    local, at, host = address.rpartition("@")
    if not at or host.lower() != domain.lower() or local[:2].lower() not in _READERS:
        return None
    kind, read = _READERS[local[:2].lower()]
    try:
        return Place(kind, read(keys, local))
    except BadToken:
        return None


def take_mail(
    database: Database, keys: Keys, arrived: Arrived, *, source: str, now: datetime, place: Place | None = None
) -> Taken:
    """Record what a mail reports, once. `place` is the return path, or the address to leave by, that it came to.

    A report that is about no message of ours is kept as a stray; other people's mail is not. Raises TemporaryFailure
    when the database cannot be used.
    """
    report = arrived.report
    with database.write() as tx:
        message_id = place.message_id if place else find_message(report, keys) or _matched(tx, report, now)
        if message_id is not None:
            with suppress(NotFound):  # erased meanwhile: nothing is left that it could be about
                _record(tx, message_id, arrived, place, source, now)
            return Taken(report.kind, message_id)
        if report.kind is not ReportKind.NONE:
            about = report.recipients[0].address if report.recipients else ""
            kept = Stray(source, arrived.name, "no_message", report.kind.value, about, now, arrived.content)
            add_strays(tx, [kept])
    return Taken(report.kind, None)


def take_answer(
    database: Database, arrived: Arrived, message_id: UUID, *, source: str, now: datetime, pass_on: PassOn
) -> Taken:
    """Record an answer to a message and have it passed on, both once; a machine's reports go no further. What is no
    report by its envelope is an answer, whatever it talks about.

    Raises NotFound when there is no such message, InvalidInput when the answer cannot be passed on (then nothing is
    recorded), and TemporaryFailure.
    """
    report = arrived.report
    if report.kind in _ABOUT_DELIVERY and not arrived.is_notice:
        report = Report(ReportKind.NONE)
    if report.kind is ReportKind.NONE:
        by_person = not (arrived.is_automatic or arrived.is_notice)
        report = replace(report, detail=REPLY if by_person else "")
    with database.write() as tx:
        message = get_message(tx, message_id)
        if message is None:
            raise NotFound("there is no such message", where="answer")
        key = f"{message_id.hex}/{arrived.name}"
        record_report(tx, message_id=message_id, report=report, now=now, source=source, source_key=key)
        if report.kind in (ReportKind.NONE, ReportKind.AUTOREPLY):
            pass_on(tx, message, arrived)
    return Taken(report.kind, message_id)


_ABOUT_DELIVERY = (ReportKind.BOUNCE, ReportKind.DELAY, ReportKind.DELIVERED)


def _record(tx: Tx, message_id: UUID, arrived: Arrived, place: Place | None, source: str, now: datetime) -> None:
    leaving = place is not None and place.kind is TokenKind.UNSUBSCRIBE
    if leaving and arrived.is_notice:
        return  # RFC 5321 section 4.5.5: never a person who wants to go
    record = record_leaving if leaving else record_report
    key = f"{message_id.hex}{'/leaving' if leaving else ''}/{arrived.name}"
    record(tx, message_id=message_id, report=arrived.report, now=now, source=source, source_key=key)


def _matched(tx: Tx, report: Report, now: datetime) -> UUID | None:
    """Match a report that names no token: by the Message-ID of what came back, then by recipient and time. An answer
    is only matched by what it answers: people write for other reasons, too."""
    addresses = [recipient.address for recipient in report.recipients]
    found: Message | None = None
    if report.message_id:
        found = matching.by_header_ids(tx, [report.message_id], addresses[0] if addresses else "")
    elif report.kind in (ReportKind.BOUNCE, ReportKind.DELAY, ReportKind.DELIVERED):
        matched = (matching.by_recipient(tx, address, now) for address in addresses[:20])
        found = next((message for message in matched if message is not None), None)
    return None if found is None else found.id


def name_of(content: bytes) -> str:
    """Name a mail by its Message-ID, which survives a second way here; one without by its content."""
    header = parse(content[:MAX_HEADER_BYTES]).header("Message-ID") or ""
    match = _ID.search(header)
    named = match.group().encode("utf-8", "surrogatepass") if match else content
    return blake2b(named, digest_size=16).hexdigest()
