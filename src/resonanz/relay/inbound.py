"""The inbound door: where reports about our mail come back, each to the return path of the message it is about.

Nothing else is taken: a recipient that is no return path of ours does not exist here, so this is no relay for anybody.
"""

from __future__ import annotations

import asyncio
import re
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
from resonanz.tokens import BadToken, Keys, read_return_path

log = structlog.get_logger(__name__)

MAX_RECIPIENTS = 100
MAX_HEADER_BYTES = 65_536

_ID = re.compile(r"<[^<>\s]+>")


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
        """Take a return path of ours, in whatever case it came back."""
        if self._message_of(address) is None:
            return "550 5.1.1 no such address here"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Record what the report says, and only then say that we have it."""
        about = [found for address in envelope.rcpt_tos if (found := self._message_of(address)) is not None]
        try:
            kind = await asyncio.to_thread(self._record, bytes(envelope.content), about)
        except TemporaryFailure as error:
            log.error("a report could not be stored", error=str(error))
            return OUR_FAILURE
        log.info("report taken", kind=kind.value, messages=[str(message_id) for message_id in about])
        return "250 2.0.0 thank you"

    def _message_of(self, address: str) -> UUID | None:
        local, at, domain = address.rpartition("@")
        if not at or domain.lower() != self._domain:
            return None
        try:
            return read_return_path(self._keys, local)
        except BadToken:
            return None

    def _record(self, content: bytes, about: list[UUID]) -> ReportKind:
        report = read_report(content)
        now = model.now()
        name = _name_of(content)
        for message_id in about:
            try:
                with self._database.write() as tx:
                    ingest.record_report(
                        tx,
                        message_id=message_id,
                        report=report,
                        now=now,
                        source="relay",
                        source_key=f"{message_id.hex}/{name}",
                    )
            except NotFound:
                log.info("a report about a message that is gone", message=str(message_id))
        return report.kind


def _name_of(content: bytes) -> str:
    """Name a report, so that taking it twice records it once: by its Message-ID, which survives a second way here."""
    header = parse(content[:MAX_HEADER_BYTES]).header("Message-ID") or ""
    match = _ID.search(header)
    return blake2b(match.group().encode() if match else content, digest_size=16).hexdigest()
