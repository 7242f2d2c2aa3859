"""SMTP out: to one server, over connections that are kept and used again.

A certificate is always verified. DSN parameters (RFC 3461) go along when the server offers them, so that reports come
back to our return path and name the message. Addresses are checked before they reach a command line.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib.email import quote_address

from resonanz.mail.refusals import DEAD, Reason, Refusal, understand
from resonanz.model import InvalidInput
from resonanz.sending.transports.base import (
    Deferred,
    Delivery,
    Envelope,
    Refused,
    Throttled,
    Unreachable,
)
from resonanz.sending.transports.conversation import Conversation, Lost, Reply, as_data, command

CONNECT_SECONDS = 30.0
REPLY_SECONDS = 300.0  # RFC 5321 section 4.5.3.2: minutes, not seconds; a server may be scanning
QUIT_SECONDS = 5.0
IDLE_SECONDS = 20.0
MAX_MAILS_PER_CONNECTION = 100
MAX_REPLY_CHARACTERS = 1_000

# Means one thing to everybody; asking the library takes a tenth of a millisecond.
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+=-]+(?:\.[A-Za-z0-9_+=-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_SCHEMES = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes out. `security` is none, starttls or tls. A server that is not its operator's choice is
    `public_only`: nobody else gets to talk to machines inside our network."""

    host: str
    port: int
    security: str = "none"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    public_only: bool = False


Login = Callable[[aiosmtplib.SMTP], Awaitable[None]]


def read_smtp_url(url: str, ca_file: Path | None = None) -> SmtpServer:
    """Read `smtp://`, `smtp+starttls://` or `smtps://user:password@host:port`. Raises InvalidInput, without the URL."""
    where = "RESONANZ_SMTP_URL"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidInput("not an address", where=where) from None
    if parts.scheme not in _SCHEMES:
        raise InvalidInput("unknown scheme", where=where, remedy="use smtp://, smtp+starttls:// or smtps://")
    if not parts.hostname:
        raise InvalidInput("names no host", where=where)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidInput("has more than host and port", where=where, remedy="percent-encode / ? # in the password")
    security = {"smtp": "none", "smtp+starttls": "starttls", "smtps": "tls"}[parts.scheme]
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    return SmtpServer(parts.hostname, port or _SCHEMES[parts.scheme], security, username, password, ca_file)


class SmtpTransport:
    """Delivers to one SMTP server. As many connections are open as deliveries run at once.

    `login` is awaited on every new connection; without it user and password of `server` are used, where it has some.
    """

    def __init__(self, server: SmtpServer, *, name: str = "", helo_name: str = "", login: Login | None = None) -> None:
        self.name = name or f"smtp:{server.host}:{server.port}"[:64]
        self._server = server
        self._login = login or (_password_login(server) if server.username else None)
        self._closed = False
        self._helo_name = helo_name or None
        self._context = _tls_context(server)
        self._idle: list[_Connection] = []

    async def deliver(self, envelope: Envelope, message: bytes) -> Delivery:
        """Hand a message to the server. Raises Refused, Deferred or Unreachable."""
        connection = self._reuse()
        if connection is not None:
            try:
                return await self._deliver_over(connection, envelope, message)
            except _LostBeforeData:
                pass  # the server had given up an idle connection: that says nothing about this mail
        connection = await self._connect()
        try:
            return await self._deliver_over(connection, envelope, message)
        except _LostBeforeData as lost:
            raise lost.meaning from lost

    async def check(self) -> str:
        """Connect, secure, log in, and say what the server offers. Raises Unreachable."""
        talk = (await self._connect()).talk
        offered = [name.upper() for name in ("dsn", "8bitmime", "smtputf8") if talk.extensions[name]]
        await talk.quit(QUIT_SECONDS)
        server = self._server
        secured = {"none": "without TLS", "starttls": "with STARTTLS", "tls": "over TLS"}[server.security]
        login = f", logged in as {server.username}" if server.username else ""
        extras = f"; offers {', '.join(offered)}" if offered else ""
        return f"{server.host}:{server.port} answers {secured}{login}{extras}"

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.stop_clock()
            await connection.talk.quit(QUIT_SECONDS)

    # ── Connections ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _deliver_over(self, connection: _Connection, envelope: Envelope, message: bytes) -> Delivery:
        try:
            reply = await _transact(connection.talk, envelope, message)
        except (Refused, Deferred):
            await self._keep(connection, reset=True)
            raise
        except BaseException:  # lost, or stopped in the middle of a command: of no more use
            connection.talk.close()
            raise
        await self._keep(connection, reset=False)
        return Delivery(reply, reports=bool(connection.talk.extensions["dsn"]))

    def _reuse(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            connection.stop_clock()
            if connection.talk.is_open:
                return connection
        return None

    async def _keep(self, connection: _Connection, *, reset: bool) -> None:
        """Put the connection aside for the next mail."""
        talk = connection.talk
        connection.mails += 1
        if not talk.is_open:
            return
        if self._closed or connection.mails >= MAX_MAILS_PER_CONNECTION:
            await talk.quit(QUIT_SECONDS)
            return
        if reset:
            try:
                await talk.ask(b"RSET\r\n", 1, REPLY_SECONDS)
            except Lost:
                return
        connection.start_clock(lambda: self._expire(connection))
        self._idle.append(connection)

    def _expire(self, connection: _Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
            connection.talk.close()

    async def _connect(self) -> _Connection:
        server = self._server
        sock = await _public_socket(server) if server.public_only else None
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=None if sock else server.port,
            sock=sock,
            local_hostname=self._helo_name,
            timeout=CONNECT_SECONDS,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._context if server.security != "none" else None,
        )
        try:
            await client.connect()
            await client.ehlo()
            if self._login:
                await self._login(client)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise _connection_failure(error, server) from error
        except BaseException:
            client.close()
            raise
        return _Connection(Conversation(client))


def _password_login(server: SmtpServer) -> Login:
    async def login(client: aiosmtplib.SMTP) -> None:
        await client.login(server.username, server.password)

    return login


async def _public_socket(server: SmtpServer) -> socket.socket:
    """Connect to an address that was looked at: a name that answers differently the second time gains nothing."""
    from resonanz.outbound.web import is_public  # loads an HTTP client, which few processes need

    where = f"{server.host}:{server.port}"
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(f"{where} has no address: {error.strerror or error}") from error
    if not all(is_public(ip_address(str(entry[4][0]).partition("%")[0])) for entry in found):
        raise Unreachable(f"{where} leads into a private network")
    family, kind, protocol, _, address = found[0]
    connected = socket.socket(family, kind, protocol)
    connected.setblocking(False)
    try:
        await asyncio.wait_for(loop.sock_connect(connected, address), CONNECT_SECONDS)
    except OSError as error:
        connected.close()
        raise Unreachable(f"{where} cannot be reached: {error.strerror or error}") from error
    except BaseException:
        connected.close()
        raise
    return connected


class _LostBeforeData(Exception):
    """The connection broke at a moment when the mail was certainly not taken; `meaning` is what that is on a connection
    that was new."""

    def __init__(self, meaning: Refused | Deferred) -> None:
        super().__init__(meaning.what)
        self.meaning = meaning


@dataclass(eq=False, slots=True)
class _Connection:
    """A connection, how many mails went over it, and the clock that ends it when it is idle."""

    talk: Conversation
    mails: int = 0
    clock: asyncio.TimerHandle | None = None

    def start_clock(self, ring: Callable[[], None]) -> None:
        self.clock = asyncio.get_running_loop().call_later(IDLE_SECONDS, ring)

    def stop_clock(self) -> None:
        if self.clock is not None:
            self.clock.cancel()


def _tls_context(server: SmtpServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.ca_file is not None:
        try:
            context.load_verify_locations(server.ca_file)
        except OSError as error:
            raise InvalidInput(
                f"the certificates cannot be read: {error.strerror or error}", where="RESONANZ_SMTP_CA_FILE"
            ) from error
    return context


def _connection_failure(error: Exception, server: SmtpServer) -> Unreachable:
    """Say what kept us from connecting. All of it is temporary: mail waits until the setting is put right."""
    where = f"{server.host}:{server.port}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(
                f"{where} shows a certificate that cannot be verified: {cause.verify_message}",
                remedy="name the right host, or its authority's certificate in RESONANZ_SMTP_CA_FILE",
            )
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return Unreachable(
            f"{where} refused the login: {_short(f'{error.code} {error.message}')}",
            remedy="check user and password in RESONANZ_SMTP_URL",
        )
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Unreachable(f"{where} refused the connection: {_short(f'{error.code} {error.message}')}")
    return Unreachable(f"{where} cannot be reached: {_short(str(error)) or type(error).__name__}")


# ── One mail ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _transact(talk: Conversation, envelope: Envelope, message: bytes) -> str:
    """MAIL, RCPT, DATA. Returns the last reply. Raises Refused, Deferred or _LostBeforeData."""
    encoding, utf8 = _encoding(talk, envelope)
    mail = command("MAIL FROM", _checked(envelope.sender), _mail_options(talk, envelope, message, utf8), encoding)
    rcpt = command("RCPT TO", _checked(envelope.recipient), _rcpt_options(talk, envelope), encoding)
    data = as_data(message)
    try:
        if talk.extensions["pipelining"]:
            taken, accepted = await talk.ask(mail + rcpt, 2, REPLY_SECONDS)
            _expect(taken, "MAIL")
        else:
            _expect((await talk.ask(mail, 1, REPLY_SECONDS))[0], "MAIL")
            accepted = (await talk.ask(rcpt, 1, REPLY_SECONDS))[0]
        _expect(accepted, "RCPT")
    except Lost as error:
        raise _LostBeforeData(Deferred(f"the connection was lost: {error}")) from error
    await envelope.handing_over()
    try:
        _expect((await talk.ask(b"DATA\r\n", 1, REPLY_SECONDS))[0], "DATA")
        reply = (await talk.ask(data, 1, REPLY_SECONDS))[0]
    except Lost as error:
        # Whether the server took it cannot be known (RFC 1047); it is tried again with the same Message-ID.
        raise Deferred(f"the connection was lost during the handover: {_short(str(error))}") from error
    _expect(reply, "after end of data")
    return _short(str(reply))


def _expect(reply: Reply, stage: str) -> None:
    """Go on if the server agrees. Raises Refused, Deferred, or _LostBeforeData where it says goodbye before DATA."""
    if reply.code == 354 if stage == "DATA" else 200 <= reply.code <= 299:
        return
    failure = _refusal(reply, stage)
    if reply.code == 421 and stage in ("MAIL", "RCPT"):
        raise _LostBeforeData(failure)
    raise failure


def _refusal(reply: Reply, stage: str) -> Refused | Deferred:
    said = _short(str(reply))
    refusal = understand(reply.text, code=reply.code, context=stage if stage == "after end of data" else "")
    if not 500 <= reply.code <= 599:
        if reply.code == 421 or refusal.reason is Reason.RATE_LIMITED:
            return Throttled(said, by_domain=stage != "MAIL")
        return Deferred(said)
    if stage == "MAIL" and refusal.reason in DEAD:
        # "User unknown" in answer to MAIL is about the sender; the recipient was not even named yet.
        refusal = Refusal(refusal.code, refusal.status, Reason.SENDER_REFUSED)
    return Refused(said, refusal)


def _checked(address: str) -> str:
    """Return the address if it means exactly one thing in a command; anything else is refused, never mended."""
    if address and not _PLAIN_ADDRESS.fullmatch(address):
        try:
            is_exact = quote_address(address) == f"<{address}>"
        except ValueError:
            is_exact = False
        if not is_exact:
            raise Refused("the address cannot be written into an SMTP command", Refusal(None, "5.1.3", Reason.POLICY))
    return address


def _encoding(talk: Conversation, envelope: Envelope) -> tuple[str, bool]:
    if envelope.sender.isascii() and envelope.recipient.isascii():
        return "ascii", False
    if not talk.extensions["smtputf8"]:
        reason = Refusal(None, "5.6.7", Reason.POLICY)
        raise Refused("the server takes no addresses outside ASCII (SMTPUTF8)", reason)
    return "utf-8", True


def _mail_options(talk: Conversation, envelope: Envelope, message: bytes, utf8: bool) -> list[str]:
    options = []
    if talk.extensions["size"]:
        options.append(f"SIZE={len(message)}")
    if talk.extensions["8bitmime"] and not message.isascii():
        options.append("BODY=8BITMIME")
    if utf8:
        options.append("SMTPUTF8")
    if talk.extensions["dsn"]:
        wishes = envelope.wishes
        returned = "FULL" if wishes.whole else "HDRS"
        options += [f"RET={returned}", f"ENVID={wishes.envelope_id or envelope.message_id.hex}"]
    return options


def _rcpt_options(talk: Conversation, envelope: Envelope) -> list[str]:
    if not talk.extensions["dsn"]:
        return []
    options = [f"NOTIFY={envelope.wishes.notify}"]
    if envelope.wishes.original_recipient:
        options.append(f"ORCPT={envelope.wishes.original_recipient}")
    elif envelope.recipient.isascii():
        options.append(f"ORCPT=rfc822;{_xtext(envelope.recipient)}")
    return options


def _xtext(text: str) -> str:
    """Encode as RFC 3461 section 4 wants it: printable ASCII but for `+` and `=`, which become hex."""
    return "".join(
        character if "!" <= character <= "~" and character not in "+=" else f"+{ord(character):02X}"
        for character in text
    )


def _short(text: str) -> str:
    flat = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return flat[:MAX_REPLY_CHARACTERS]
