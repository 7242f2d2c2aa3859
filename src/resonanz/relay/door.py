"""The SMTP protocol at our doors: aiosmtpd's, kept behind this file, with what it leaves to others.

An own failure is answered 451, so that the client tries again. A door that closes lets a mail that is being handed in
finish and then says 421 (RFC 5321 section 3.8).
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import defaultdict
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP

from resonanz.accounts.throttle import network_bucket
from resonanz.mail.address import parse_address
from resonanz.model import InvalidInput
from resonanz.relay.asked import Asked, BadParameter, take_mail_parameters, take_rcpt_parameters
from resonanz.relay.data import LineTooLong, TooMuchData, read_data

log = structlog.get_logger(__name__)

MAX_CONNECTIONS = 200  # of all doors
MAX_CONNECTIONS_PER_NETWORK = 50  # one IPv4 address or IPv6 /56: mail programs open a few, a mail server twenty
IDLE_SECONDS = 300.0  # RFC 5321 section 4.5.3.2.7 asks for five minutes
# Programs write HTML in one line although RFC 5322 section 2.1.1 allows 998 octets; we re-encode what we change.
MAX_LINE_OCTETS = 1_048_576
# A long connection is welcome, guessing is not.
CALL_LIMITS = {"AUTH": 5, "*": 100_000}

CLOSING = b"421 4.3.2 closing for a restart, try again in a moment"
OUR_FAILURE = "451 4.3.0 a failure of ours, try again later"

# `<path>`, a source route in it ignored (RFC 5321 appendix C), or a path without brackets as some programs send it.
_PATH = re.compile(r'(?:<(?:@[^:<>"]*:)?((?:"(?:[^"\\]|\\.)*"|[^"<>(),;\s])*)>|([^"<>(),;\s]+))(?:\s+(.*)|)', re.DOTALL)
_MAIL_AUTH = re.compile(r"\sAUTH=\S*", re.IGNORECASE)


class Door(SMTP):
    """One connection. Subclasses and handlers say what is let in."""

    line_length_limit = MAX_LINE_OCTETS
    protocol = "ESMTP"  # as Received names it (RFC 3848)
    tells = False  # whether it takes what a client wants to be told of its mail (DSN, RFC 3461)

    def __init__(self, handler: Any, connections: set[Door], **settings: Any) -> None:
        super().__init__(
            handler,
            enable_SMTPUTF8=True,
            ident="Resonanz",
            timeout=IDLE_SECONDS,
            command_call_limit=CALL_LIMITS,
            loop=asyncio.get_running_loop(),
            **settings,
        )
        # aiosmtpd keeps one table for all connections and lets it grow with each greeting. RFC 5321 section 4.5.3.1.4
        # has 512 octets; a path of 254 in UTF-8, and the parameters of RFC 3461 section 4, need more.
        self.command_size_limits = defaultdict(lambda: 1_000, {"MAIL": 1_000, "RCPT": 1_500})
        self.asked = Asked()
        self._connections = connections
        self._is_taking_mail = False
        self._is_closing = False
        self.network = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection; called again when STARTTLS has put TLS under it."""
        peer = transport.get_extra_info("peername")
        self.network = network_bucket(str(peer[0]) if peer else "")
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self._connections.discard(self)
        super().connection_lost(error)

    def say_goodbye(self) -> None:
        """Close now, or as soon as the mail that is coming in has been answered."""
        self._is_closing = True
        if not self._is_taking_mail and self.transport is not None and not self.transport.is_closing():
            self._writer.write(CLOSING + b"\r\n")
            self.transport.close()

    def cut(self) -> None:
        """End the connection in the middle of whatever it is doing."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    async def _handle_client(self) -> None:
        if len(self._connections) > MAX_CONNECTIONS or self._is_one_of_too_many():
            await self.push("421 4.3.2 too many connections, try again later")
            assert self.transport is not None
            self.transport.close()
            return
        await super()._handle_client()

    def _is_one_of_too_many(self) -> bool:
        return sum(door.network == self.network for door in self._connections) > MAX_CONNECTIONS_PER_NETWORK

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Read one path and what follows it (RFC 5321 section 4.1.2), strictly: aiosmtpd's own parser turns
        `<a b@c>` into an address. The null path comes back as `<>`, one that is no address as (None, None)."""
        match = _PATH.fullmatch(arg.strip())
        if match is None:
            return None, None
        address, rest = match.group(1) if match.group(1) is not None else match.group(2), match.group(3) or ""
        if not address:
            return "<>", rest
        try:
            return parse_address(address).spec, rest
        except InvalidInput:
            return None, None

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        """Take MAIL; an `AUTH=` parameter has to be accepted where AUTH is offered (RFC 4954 section 5)."""
        asked, rest = Asked(), None if arg is None else _MAIL_AUTH.sub("", arg)
        if rest is not None and self.tells:
            try:
                rest, asked = take_mail_parameters(rest)
            except BadParameter as error:
                await self.push(f"501 5.5.4 {error}")
                return
        before = self.envelope.mail_from if self.envelope else None
        await super().smtp_MAIL(rest)
        if self.envelope and before is None and self.envelope.mail_from is not None:
            self.asked = asked

    def _set_post_data_state(self) -> None:
        super()._set_post_data_state()  # type: ignore[no-untyped-call]
        self.asked = Asked()

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        """Take RCPT, with what the client wants to be told of this recipient, where that is offered."""
        if arg is None or not self.tells:
            await super().smtp_RCPT(arg)
            return
        try:
            rest, wish = take_rcpt_parameters(arg)
        except BadParameter as error:
            await self.push(f"501 5.5.4 {error}")
            return
        taken = len(self.envelope.rcpt_tos) if self.envelope else 0
        await super().smtp_RCPT(rest)
        if self.envelope and len(self.envelope.rcpt_tos) > taken:
            self.asked.wishes.append(wish)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """Take the mail itself."""
        self._is_taking_mail = True
        try:
            await self._take_data(arg)
        finally:
            self._is_taking_mail = False
        if self._is_closing:
            self.say_goodbye()

    async def _take_data(self, arg: str | None) -> None:
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 Error: need RCPT command")
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        try:
            content = await read_data(self._reader, self.data_size_limit or sys.maxsize, self.line_length_limit)
        except TooMuchData:
            status = "552 Error: Too much mail data"
        except LineTooLong:
            status = "500 Line too long (see RFC5321 4.5.3.1.6)"
        else:
            self.envelope.content = self.envelope.original_content = content
            status = await self._call_handler_hook("DATA")
        self._set_post_data_state()
        await self.push(status)


class Handler:
    """What both doors' handlers share."""

    async def handle_exception(self, error: Exception) -> str:
        """Answer a failure nobody foresaw: it is ours, and temporary."""
        log.error("an SMTP session failed", error=type(error).__name__, exc_info=error)
        return OUR_FAILURE


def one_line(text: str) -> str:
    """Return text that fits into an SMTP reply: one line of printable ASCII."""
    flat = " ".join(text.encode("ascii", "backslashreplace").decode("ascii").split())
    return "".join(character for character in flat if " " <= character <= "~")[:400]
