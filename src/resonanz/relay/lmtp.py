"""The inbound door as a mail server on this machine hands mail in: LMTP (RFC 2033), on a port or a unix socket.

After DATA each recipient gets an answer of its own, so the server in front keeps a queue for those that have to wait,
and we need none.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from resonanz.model import InvalidInput
from resonanz.relay.door import Door
from resonanz.relay.inbound import InboundHandler

WHERE = "RESONANZ_LMTP_LISTEN"
# Any user of this machine may hand in, as on a port: what is taken names one of our tokens. The folder may be closed.
SOCKET_MODE = 0o666

# RFC 2034: every answer but greeting, LHLO and 3xx has a status; where aiosmtpd gives none, that of its code.
_STATUSES = {
    b"250": b"2.0.0",
    b"221": b"2.0.0",
    b"252": b"2.0.0",
    b"500": b"5.5.2",
    b"501": b"5.5.4",
    b"502": b"5.5.1",
    b"503": b"5.5.1",
    b"552": b"5.3.4",
    b"555": b"5.5.4",
}
_BARE = re.compile(rb"^([245]\d\d) (?!\d\.\d{1,3}\.\d{1,3} )")


class LmtpHandler(InboundHandler):
    """Takes what the inbound door takes, and answers for each recipient."""

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer what RFC 2033 section 5 asks for beside the rest. Commands are read from the stream one by one, and
        nothing that came early is thrown away: that is all PIPELINING needs."""
        offered = await super().handle_EHLO(server, session, envelope, hostname, responses)
        return [*offered[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", offered[-1]]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Record what the report says, and answer for each recipient, in their order (RFC 2033 section 4.2)."""
        return "\r\n".join(await self.take(server, session, envelope))


class LmtpDoor(Door):
    """One connection of a mail server. It says LHLO; HELO and EHLO are refused (RFC 2033 section 4.1)."""

    protocol = "LMTP"

    def __init__(self, handler: LmtpHandler, connections: set[Door], **settings: Any) -> None:
        super().__init__(handler, connections, **settings)
        self._owed = 0  # answers to the mail that is coming in
        self._greeted = False

    async def smtp_LHLO(self, arg: str | None) -> None:  # noqa: N802
        """Take the greeting."""
        self._greeted = True
        try:
            await super().smtp_EHLO(arg)
        finally:
            self._greeted = False

    async def smtp_EHLO(self, arg: str | None) -> None:  # noqa: N802
        """Refuse SMTP's greeting."""
        await self.push("500 5.5.1 this is LMTP: say LHLO")

    async def smtp_HELO(self, arg: str | None) -> None:  # noqa: N802
        """Refuse SMTP's greeting."""
        await self.push("500 5.5.1 this is LMTP: say LHLO")

    async def push(self, status: str | bytes) -> None:
        """Send an answer; one that is about the whole mail, once for each recipient."""
        said = status.encode() if isinstance(status, str) else status
        if said.startswith(b"354") and self.envelope is not None:
            self._owed = len(self.envelope.rcpt_tos)
        elif self._owed:
            lines = said.split(b"\r\n")
            said = b"\r\n".join(lines if len(lines) == self._owed else lines[:1] * self._owed)
            self._owed = 0
        if not self._greeted and self.session is not None and self.session.host_name:
            said = b"\r\n".join(_BARE.sub(_with_status, line) for line in said.split(b"\r\n"))
        await super().push(said)


def _with_status(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    return code + b" " + _STATUSES.get(code, code[:1] + b".0.0") + b" "


def read_listen(text: str, host: str) -> tuple[str, int] | Path:
    """Read where to listen: a port at `host`, `host:port`, or the absolute path of a unix socket. Raises
    InvalidInput."""
    if text.startswith("/"):
        return Path(text)
    name, _, port = text.rpartition(":")
    if port.isdecimal() and 0 < int(port) < 65_536:
        return name.strip("[]") or host, int(port)
    raise InvalidInput("not a place to listen", where=WHERE, remedy="give a port, host:port, or a socket's whole path")


def clear_socket(path: Path) -> None:
    """Take away the socket that a process which died has left. Raises InvalidInput where somebody listens there, or
    something else than a socket is in the way."""
    if not path.exists():
        return
    if not path.is_socket():
        raise InvalidInput("something else than a socket is there", where=str(path), remedy="choose another place")
    with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError):
        probe.connect(str(path))
        raise InvalidInput(
            "something listens there already", where=str(path), remedy="stop it, or choose another place"
        )
    path.unlink()
