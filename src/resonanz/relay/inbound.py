"""The inbound door: where reports about our mail come back, each to the return path of the message it is about, and
where recipients unsubscribe by mail, each at an address of their own message.

Nothing else is taken: a recipient that is no address of ours does not exist here, so this is no relay for anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from resonanz import model
from resonanz.ingest.inbound import Arrived, Came, place_of, take_mail
from resonanz.model import InvalidInput, NotFound, TemporaryFailure
from resonanz.relay.door import OUR_FAILURE, Handler, one_line
from resonanz.sending.replies import Looping, take_and_pass_on
from resonanz.store import Database
from resonanz.tokens import Keys, TokenKind

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
        answers = await self.take(server, session, envelope)
        return next((answer for answer in answers if answer != TAKEN), TAKEN)

    async def take(self, server: Any, session: Any, envelope: Any) -> list[str]:
        """Take a mail for each recipient of its envelope, and return the answer for each."""
        arrived = partial(Arrived.read, bytes(envelope.content), sender=envelope.mail_from)
        peer = f" ([{session.peer[0]}])" if session.peer else ""
        by = one_line(f"from {session.host_name}{peer} by {server.hostname} with {server.protocol}")
        return await asyncio.to_thread(self._take, arrived, list(envelope.rcpt_tos), by)

    def _take(self, read: Callable[[], Arrived], addresses: Sequence[str], by: str) -> list[str]:
        arrived, now = read(), model.now()
        answers: list[str] = []
        for address in addresses:
            try:
                answers.append(self._take_for(address, arrived, by, now))
            except TemporaryFailure as error:
                # What is away for one is away for the others: each would wait as long before saying so.
                log.error("a report could not be stored", error=str(error))
                return answers + [OUR_FAILURE] * (len(addresses) - len(answers))
        return answers

    def _take_for(self, address: str, arrived: Arrived, by: str, now: datetime) -> str:
        place = place_of(self._keys, self._domain, address)
        if place is not None and place.kind is TokenKind.REPLY:
            return self._take_answer(address, place.message_id, arrived, by, now)
        taken = take_mail(self._database, self._keys, arrived, source="relay", now=now, place=place)
        log.info("report taken", kind=taken.kind.value, message=str(taken.message_id))
        return TAKEN

    def _take_answer(self, address: str, message_id: UUID, arrived: Arrived, by: str, now: datetime) -> str:
        came = Came(address, by)
        try:
            taken = take_and_pass_on(
                self._database, arrived, message_id, source="relay", domain=self._domain, came=came, now=now
            )
        except NotFound:
            return "550 5.1.1 no such address here"
        except Looping as error:
            return f"554 5.4.6 {one_line(error.what)}"
        except InvalidInput as error:
            return f"554 5.6.0 {one_line(str(error))}"
        log.info("answer taken", kind=taken.kind.value, message=str(message_id))
        return TAKEN
