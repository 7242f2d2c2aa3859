"""The inbound door: where reports about our mail come back, each to the return path of the message it is about, and
where recipients unsubscribe by mail, each at an address of their own message.

Nothing else is taken: a recipient that is no address of ours does not exist here, so this is no relay for anybody.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from uuid import UUID

import structlog

from resonanz import ingest, model
from resonanz.mail.reports import ReportKind, read_report
from resonanz.mail.structure import parse
from resonanz.model import NotFound, TemporaryFailure
from resonanz.relay.door import OUR_FAILURE, Handler
from resonanz.store import Database
from resonanz.tokens import UNSUBSCRIBE_PREFIX, BadToken, Keys, read_return_path, read_unsubscribe_path

log = structlog.get_logger(__name__)

MAX_RECIPIENTS = 100
MAX_HEADER_BYTES = 65_536

_ID = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class _Place:
    """What an address of ours stands for: the return path of a message, or leaving by way of it."""

    message_id: UUID
    leaving: bool


class InboundHandler(Handler):
    """Takes reports for our return paths and turns them into facts before they are answered."""

    def __init__(self, database: Database, keys: Keys, domain: str) -> None:
        self._database = database
        self._keys = keys
        self._domain = domain.lower()

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer everything but AUTH: there is nobody to log in."""
        session.host_name = hostname
        return [line for line in responses if not line.startswith("250-AUTH")]

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take an address of ours, in whatever case it came back."""
        if self._place_of(address) is None:
            return "550 5.1.1 no such address here"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Record what the report says, and only then say that we have it."""
        places = [found for address in envelope.rcpt_tos if (found := self._place_of(address)) is not None]
        # Mail without a sender is a machine's word about mail (RFC 5321 section 4.5.5), never a person who wants to go.
        is_report = envelope.mail_from in ("", "<>", None)
        places = [place for place in places if not (is_report and place.leaving)]
        try:
            kind = await asyncio.to_thread(self._record, bytes(envelope.content), places)
        except TemporaryFailure as error:
            log.error("a report could not be stored", error=str(error))
            return OUR_FAILURE
        log.info("report taken", kind=kind.value, messages=[str(place.message_id) for place in places])
        return "250 2.0.0 thank you"

    def _place_of(self, address: str) -> _Place | None:
        local, at, domain = address.rpartition("@")
        if not at or domain.lower() != self._domain:
            return None
        leaving = local.lower().startswith(UNSUBSCRIBE_PREFIX)
        read = read_unsubscribe_path if leaving else read_return_path
        try:
            return _Place(read(self._keys, local), leaving)
        except BadToken:
            return None

    def _record(self, content: bytes, places: Sequence[_Place]) -> ReportKind:
        report = read_report(content)
        now = model.now()
        name = _name_of(content)
        for place in places:
            record = ingest.record_leaving if place.leaving else ingest.record_report
            what = "/leaving" if place.leaving else ""
            try:
                with self._database.write() as tx:
                    record(
                        tx,
                        message_id=place.message_id,
                        report=report,
                        now=now,
                        source="relay",
                        source_key=f"{place.message_id.hex}{what}/{name}",
                    )
            except NotFound:
                log.info("mail about a message that is gone", message=str(place.message_id))
        return report.kind


def _name_of(content: bytes) -> str:
    """Name a report, so that taking it twice records it once: by its Message-ID, which survives a second way here."""
    header = parse(content[:MAX_HEADER_BYTES]).header("Message-ID") or ""
    match = _ID.search(header)
    return blake2b(match.group().encode() if match else content, digest_size=16).hexdigest()
