"""The submission door: mail clients hand in mail as to any SMTP server (RFC 6409), with a mail password or an API key.

A mail is answered 250 only when it is stored. Everything else follows from one rule: whoever is at fault is told so,
the client with 5xx, we with 4xx.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from aiosmtpd.smtp import AuthResult, LoginPassword

from resonanz import model
from resonanz.accounts.throttle import count, network_bucket
from resonanz.mail.address import parse_address
from resonanz.model import Forbidden, InvalidInput, TemporaryFailure, TooLarge, TooMany
from resonanz.relay.asked import Asked
from resonanz.relay.door import OUR_FAILURE, Door, Handler, one_line
from resonanz.sending.submit import Draft, Receipt
from resonanz.store import Database
from resonanz.store.accounts import Account

log = structlog.get_logger(__name__)

MAX_RECIPIENTS = 1_000  # RFC 5321 section 4.5.3.1.8 asks for at least a hundred
NULL_PATH = "<>"

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
        return [*responses[:-1], "250-DSN", responses[-1]]

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
        account: Account = session.auth_data
        # A client's own read receipts come with the null path, and go on so: nobody is to be told about them (RFC 8098
        # section 3). The account answers for them.
        is_notice = envelope.mail_from == NULL_PATH
        asked: Asked = server.asked
        draft = Draft(
            account_id=account.id,
            source="relay",
            sender=account.address if is_notice else envelope.mail_from,
            recipients=tuple(envelope.rcpt_tos),
            raw=content,
            to_be_told=None if is_notice else asked.to_be_told(),
            null_path=is_notice,
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
        log.info("mail taken", submission=str(receipt.submission_id), messages=len(receipt.messages))
        return f"250 2.0.0 stored as {receipt.submission_id}"


class SubmissionDoor(Door):
    """One connection of a mail client. Nothing but EHLO, STARTTLS and AUTH before the login."""

    tells = True

    def __init__(self, handler: SubmissionHandler, connections: set[Door], **settings: Any) -> None:
        super().__init__(handler, connections, authenticator=_as_given, **settings)
        self._auth_required = True  # its own parameter for this logs a warning per connection when TLS is not required

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
    return None


def _normalised(text: str) -> str:
    try:
        return parse_address(text).normalised
    except InvalidInput:
        return ""
