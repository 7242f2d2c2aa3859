"""The inbound door: where reports about our mail come back, each to the return path of the message it is about, and
where recipients unsubscribe by mail, each at an address of their own message.

Nothing else is taken: a recipient that is no address of ours does not exist here, so this is no relay for anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from resonanz import model
from resonanz.ingest.inbound import Arrived, place_of, take_mail
from resonanz.model import TemporaryFailure
from resonanz.relay.door import OUR_FAILURE, Handler
from resonanz.store import Database
from resonanz.tokens import Keys

log = structlog.get_logger(__name__)

MAX_RECIPIENTS = 100
TAKEN = "250 2.0.0 thank you"


class InboundHandler(Handler):
    """Takes reports for our return paths and turns them into facts before they are answered."""

    def __init__(self, database: Database, keys: Keys, domain: str) -> None:
        self._database = database
        self._keys = keys
        self._domain = domain

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
        if place_of(self._keys, self._domain, address) is None:
            return "550 5.1.1 no such address here"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Record what the report says for each of its addresses, and only then say that we have it."""
        answers = await self.take(envelope)
        return next((answer for answer in answers if answer != TAKEN), TAKEN)

    async def take(self, envelope: Any) -> list[str]:
        """Take a mail for each recipient of its envelope, and return the answer for each."""
        is_notice = envelope.mail_from in ("", "<>", None)
        return await asyncio.to_thread(self._take, bytes(envelope.content), list(envelope.rcpt_tos), is_notice)

    def _take(self, content: bytes, addresses: Sequence[str], is_notice: bool) -> list[str]:
        arrived, now = Arrived.read(content, is_notice=is_notice), model.now()
        answers: list[str] = []
        for address in addresses:
            place = place_of(self._keys, self._domain, address)
            try:
                taken = take_mail(self._database, self._keys, arrived, source="relay", now=now, place=place)
            except TemporaryFailure as error:
                # What is away for one is away for the others: each would wait as long before saying so.
                log.error("a report could not be stored", error=str(error))
                return answers + [OUR_FAILURE] * (len(addresses) - len(answers))
            log.info("report taken", kind=taken.kind.value, message=str(taken.message_id))
            answers.append(TAKEN)
        return answers
