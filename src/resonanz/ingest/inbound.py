"""A mail that may be a report: read, matched with one of our messages, recorded once; kept where it is about none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from resonanz.ingest import matching
from resonanz.ingest.sources.reports import record_report
from resonanz.mail.reports import Report, ReportKind, find_message, read_report
from resonanz.mail.structure import parse
from resonanz.model import NotFound
from resonanz.store import Database, Tx
from resonanz.store.messages import Message
from resonanz.store.strays import Stray, add_strays
from resonanz.tokens import Keys

MAX_HEADER_BYTES = 65_536

_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a mail was, and which message of ours it is about, if any."""

    kind: ReportKind
    message_id: UUID | None

    @property
    def is_report(self) -> bool:
        """Whether it is a report, or an answer to a mail of ours; anything else is somebody's mail."""
        return self.kind is not ReportKind.NONE or self.message_id is not None


def take_mail(database: Database, keys: Keys, content: bytes, *, source: str, now: datetime) -> Taken:
    """Record what a mail reports. Its name is its Message-ID, so that taking it twice records it once.

    A report that is about no message of ours is kept as a stray; other people's mail is not. Raises TemporaryFailure
    when the database cannot be used.
    """
    report, name = read_report(content), name_of(content)
    with database.write() as tx:
        message_id = find_message(report, keys) or _matched(tx, report, now)
        if message_id is not None:
            try:
                key = f"{message_id.hex}/{name}"
                record_report(tx, message_id=message_id, report=report, now=now, source=source, source_key=key)
                return Taken(report.kind, message_id)
            except NotFound:  # erased meanwhile: nothing is left that it could be about
                return Taken(report.kind, message_id)
        if report.kind is not ReportKind.NONE:
            about = report.recipients[0].address if report.recipients else ""
            add_strays(tx, [Stray(source, name, "no_message", report.kind.value, about, now, content)])
    return Taken(report.kind, None)


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
