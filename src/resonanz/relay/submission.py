"""The submission door: mail clients hand in mail as to any SMTP server (RFC 6409), with a mail password or an API key.

A mail is answered 250 only when it is stored. Everything else follows from one rule: whoever is at fault is told so,
the client with 5xx, we with 4xx.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from aiosmtpd.smtp import AuthResult, LoginPassword

from resonanz import model
from resonanz.accounts.throttle import count, network_bucket
from resonanz.mail.address import parse_address
from resonanz.model import Forbidden, InvalidInput, TemporaryFailure, TooLarge, TooMany, TrackingMode
from resonanz.relay.asked import Asked
from resonanz.relay.door import OUR_FAILURE, Door, Handler, one_line
from resonanz.relay.trust import ATTRIBUTES, Network, is_trusted, read_forwarded
from resonanz.sending.drafts import Draft, Receipt
from resonanz.store import Database
from resonanz.store.accounts import Account

log = structlog.get_logger(__name__)

MAX_RECIPIENTS = 1_000  # RFC 5321 section 4.5.3.1.8 asks for at least a hundred
NULL_PATH = "<>"
MAX_HOPS = 100  # RFC 5321 section 6.3 asks for at least that many

_RECEIVED = re.compile(rb"^received:", re.IGNORECASE | re.MULTILINE)

Authenticate = Callable[[str, datetime], Account | None]
Submit = Callable[[Draft, datetime], Receipt]


class SubmissionHandler(Handler):
    """Checks addresses as they come and hands the mail over when it is whole."""

    def __init__(self, database: Database, authenticate: Authenticate, submit: Submit) -> None:
        self._database = database
        self._authenticate = authenticate
        self._submit = submit

    def log_in(self, login: str, secret: str, peer: str) -> Account | None:
        """Return the account whose address and password these are. Raises TooMany after too many wrong ones.

        Only wrong logins are counted, apart from those of the dashboard: a mail client with an old key must not lock
        its owner out.
        """
        now = model.now()
        account = self._authenticate(secret, now)
        if account is not None and account.address == _normalised(login):
            return account
        count(self._database, [f"{network_bucket(peer)} smtp"], now)
        return None

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer DSN (RFC 3461) beside the rest: what becomes of a mail is told to its sender."""
        session.host_name = hostname
        forward = [f"250-XFORWARD {' '.join(ATTRIBUTES)}"] if server.is_trusted else []
        return [*responses[:-1], "250-DSN", *forward, responses[-1]]

    async def handle_AUTH(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, args: list[str]
    ) -> str | None:
        """Check the credentials that the protocol has read; None means that it has answered already."""
        read = server.auth_PLAIN if args[0] == "PLAIN" else server.auth_LOGIN
        given = (await read(server, args)).auth_data
        if not isinstance(given, LoginPassword):
            return None
        login, secret = given.login.decode("utf-8", "replace"), given.password.decode("utf-8", "replace")
        peer = str(session.peer[0]) if session.peer else ""
        try:
            account = await asyncio.to_thread(self.log_in, login, secret, peer)
        except TooMany:
            log.warning("too many wrong logins")
            return "454 4.7.0 too many wrong logins, wait a while"
        except TemporaryFailure as error:  # RFC 4954 section 4: the client keeps its password and tries again
            log.error("a login could not be checked", error=str(error))
            return "454 4.7.0 temporary authentication failure"
        if account is None:
            return "535 5.7.8 address and password do not match"
        session.authenticated, session.auth_data = True, account
        return "235 2.7.0 welcome"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take one recipient."""
        if address == NULL_PATH:
            return "553 5.1.3 a mail needs a recipient"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients, send the rest in another mail"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Store the mail, and only then say so."""
        content: bytes = envelope.content
        refusal = _refuse_bytes(content)
        if refusal:
            return refusal
        # A client's own read receipts come with the null path, and go on so: nobody is to be told about them (RFC 8098
        # section 3), and nobody tracks them. The account answers for them, or whoever stands in From.
        account: Account | None = session.auth_data
        is_notice = envelope.mail_from == NULL_PATH
        asked: Asked = server.asked
        mode = TrackingMode.OFF if is_notice else TrackingMode.INDIVIDUAL
        draft = Draft(
            account_id=account.id if account else None,
            source="relay",
            sender=(account.address if account else "") if is_notice else envelope.mail_from,
            recipients=tuple(envelope.rcpt_tos),
            raw=content,
            track_opens=mode,
            track_clicks=mode,
            to_be_told=None if is_notice else asked.to_be_told(),
            null_path=is_notice,
            vouched_for=account is None,
        )
        try:
            receipt = await asyncio.to_thread(self._submit, draft, model.now())
        except TooLarge as error:
            # Too many recipients are a matter of this mail too: RFC 5321 section 4.5.3.1.10 has 452 for them.
            code = "452 4.5.3" if error.where == "recipients" else "552 5.3.4"
            return f"{code} {one_line(error.what)}"
        except Forbidden as error:
            return f"550 5.7.1 {one_line(f'{error.what}: {error.remedy}')}"
        except InvalidInput as error:
            return f"554 5.6.0 {one_line(str(error))}"
        except TemporaryFailure as error:
            log.error("a mail could not be stored", error=str(error))
            return OUR_FAILURE
        client = {"client": server.forwarded["ADDR"]} if "ADDR" in server.forwarded else {}
        log.info("mail taken", submission=str(receipt.submission_id), messages=len(receipt.messages), **client)
        return f"250 2.0.0 stored as {receipt.submission_id}"


class SubmissionDoor(Door):
    """One connection of a mail client, or of a mail server in a trusted network. Of others nothing but EHLO, STARTTLS
    and AUTH before the login."""

    tells = True

    def __init__(
        self,
        handler: SubmissionHandler,
        connections: set[Door],
        *,
        trusted: Sequence[Network] = (),
        **settings: Any,
    ) -> None:
        self._trusted = trusted
        self.is_trusted = False  # whether this mail server needs no login
        self.forwarded: Mapping[str, str] = {}  # whom it has the next mail from
        super().__init__(handler, connections, authenticator=_as_given, **settings)
        self._auth_required = True  # its own parameter for this logs a warning per connection when TLS is not required

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look who it is."""
        peer = transport.get_extra_info("peername")
        self.is_trusted = bool(peer) and is_trusted(str(peer[0]), self._trusted)
        self._auth_required = not self.is_trusted
        super().connection_made(transport)

    def _set_post_data_state(self) -> None:
        super()._set_post_data_state()
        self.forwarded = {}

    async def smtp_XFORWARD(self, arg: str | None) -> None:  # noqa: N802
        """Take note of whom a trusted server has the next mail from."""
        found = read_forwarded(arg or "")
        if not self.is_trusted:
            await self.push("550 5.7.1 not from here")
        elif self.envelope is not None and self.envelope.mail_from is not None:
            await self.push("503 5.5.1 not within a mail")
        elif (not found and not arg) or found is None:
            await self.push("501 5.5.4 attributes are NAME=value")
        else:
            self.forwarded = {**self.forwarded, **found}
            await self.push("250 2.0.0 ok")

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        """Take AUTH, its mechanism in whatever case (RFC 4954 section 4)."""
        mechanism, space, rest = (arg or "").partition(" ")
        await super().smtp_AUTH(f"{mechanism.upper()}{space}{rest}")


def _as_given(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Hand the credentials on, unchecked: the check asks the database and must not block the loop."""
    return AuthResult(success=False, handled=False, auth_data=data)


def _refuse_bytes(content: bytes) -> str | None:
    """Refuse what programs on the way would read in different ways (RFC 5321 section 2.3.8)."""
    if b"\0" in content:
        return "554 5.6.11 the mail holds a NUL byte"
    if not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r"):
        return "554 5.6.11 the mail holds a bare CR or LF"
    if len(_RECEIVED.findall(content[: content.find(b"\r\n\r\n") + 2 or None])) > MAX_HOPS:
        return "554 5.4.6 too many hops: the mail goes round in circles"
    return None


def _normalised(text: str) -> str:
    try:
        return parse_address(text).normalised
    except InvalidInput:
        return ""
