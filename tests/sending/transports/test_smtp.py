"""SMTP out: what goes over the line, what comes of each answer, and that a certificate is always verified."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from resonanz.mail.refusals import Reason
from resonanz.model import InvalidInput
from resonanz.sending.transports import (
    Deferred,
    Delivery,
    Envelope,
    Refused,
    SmtpTransport,
    Unreachable,
    read_smtp_url,
)
from resonanz.sending.transports import smtp as module
from tests.kit.certificates import make_certificate
from tests.kit.mails import RAW
from tests.kit.sinks import Sink, running_sink

MESSAGE_ID = UUID("01900000-0000-7000-8000-000000000001")


def deliver(
    sink: Sink,
    *,
    scheme: str = "smtp",
    login: str = "",
    host: str = "127.0.0.1",
    ca_file: Path | None = None,
    mails: int = 1,
    message: bytes = RAW,
    between: Callable[[], None] = lambda: None,
    **envelope: str,
) -> Delivery:
    """Deliver over one transport, one after the other, and return the last answer."""

    async def main() -> Delivery:
        transport = SmtpTransport(
            read_smtp_url(f"{scheme}://{login}{host}:{sink.port}", ca_file), helo_name="us.example"
        )
        found: Delivery | None = None
        try:
            for number in range(mails):
                if number:
                    between()
                found = await transport.deliver(_envelope(**envelope), message)
        finally:
            await transport.close()
        assert found is not None
        return found

    return asyncio.run(main())


def test_the_mail_arrives_byte_for_byte() -> None:
    """What is handed over arrives as it is, lines that begin with a dot included."""
    message = RAW + b".\r\n..\r\n.dot\r\n" + "ümläut\r\n".encode()
    with running_sink() as sink:
        reply = deliver(sink, message=message)
    assert reply == Delivery("250 2.0.0 taken as 1")
    assert sink.taken[0].message == message
    assert sink.taken[0].sender == (
        f"<ada@sender.example> SIZE={len(message)} BODY=8BITMIME RET=HDRS ENVID={MESSAGE_ID.hex}"
    )
    assert sink.taken[0].recipients == (
        "<grace@rcpt.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;grace@rcpt.example",
    )


def test_only_what_the_server_offers() -> None:
    """A server without extensions gets none of their parameters."""
    with running_sink(extensions=()) as sink:
        deliver(sink)
    assert sink.taken[0].sender == "<ada@sender.example>"
    assert sink.taken[0].recipients == ("<grace@rcpt.example>",)


def test_addresses_outside_ascii() -> None:
    """They go out where SMTPUTF8 is offered, and are refused by us where it is not."""
    with running_sink() as sink:
        deliver(sink, recipient="grüße@rcpt.example")
        assert "SMTPUTF8" in sink.taken[0].sender
        assert sink.taken[0].recipients[0].startswith("<grüße@rcpt.example>")
    with running_sink(extensions=()) as sink, pytest.raises(Refused, match="SMTPUTF8"):
        deliver(sink, recipient="grüße@rcpt.example")


def test_xtext() -> None:
    """A plus or equals sign in an address is encoded in ORCPT (RFC 3461 section 4)."""
    with running_sink() as sink:
        deliver(sink, recipient="a+b=c@rcpt.example")
    assert sink.taken[0].recipients[0].endswith("ORCPT=rfc822;a+2Bb+3Dc@rcpt.example")


@pytest.mark.parametrize("address", ["x> SIZE=1", "x@y.example\r\nRCPT TO:<z@y.example>", "a b@y.example"])
def test_no_command_injection(address: str) -> None:
    """An address that would not be written exactly is refused, and no command carries any of it."""
    with running_sink() as sink, pytest.raises(Refused):
        deliver(sink, recipient=address)
    assert not any("RCPT" in command for command in sink.commands)


@pytest.mark.parametrize(
    ("verb", "reply", "reason"),
    [
        ("RCPT", "550 5.1.1 no such user", Reason.UNKNOWN_MAILBOX),
        ("RCPT", "550 mailbox unavailable", Reason.UNKNOWN_MAILBOX),
        ("MAIL", "550 5.1.1 unknown user", Reason.SENDER_REFUSED),
        (".", "554 5.7.1 looks like spam", Reason.CONTENT),
        (".", "552 5.3.4 too big", Reason.TOO_LARGE),
    ],
)
def test_refused(verb: str, reply: str, reason: Reason) -> None:
    """5xx at any command is a refusal with its meaning; what is said to MAIL is never about the recipient."""
    with running_sink() as sink:
        sink.answers[verb] = reply
        with pytest.raises(Refused) as refused:
            deliver(sink)
    assert refused.value.what == reply
    assert refused.value.refusal.reason is reason


@pytest.mark.parametrize(
    ("verb", "reply"),
    [
        ("CONNECT", "554 no service"),
        ("CONNECT", ""),
        ("MAIL", "451 4.3.0 later"),
        ("RCPT", "450 4.2.0 greylisted"),
        ("MAIL", "421 4.3.2 closing"),
        ("RCPT", ""),
        ("DATA", "451 4.3.0 later"),
        (".", "451 4.3.0 later"),
        (".", ""),
    ],
)
def test_not_now(verb: str, reply: str) -> None:
    """4xx and a broken connection, wherever they come, are temporary."""
    with running_sink() as sink:
        sink.answers[verb] = reply
        with pytest.raises(Deferred):
            deliver(sink)


def test_nobody_listens() -> None:
    """A server that cannot be reached is temporary."""
    with running_sink() as sink:
        pass
    with pytest.raises(Unreachable, match="cannot be reached"):
        deliver(sink)


def test_the_last_moment_is_before_data() -> None:
    """`handing_over` comes after the recipient is accepted and before DATA; when it refuses, nothing is sent."""

    class Lost(Exception):
        pass

    seen: list[list[str]] = []

    async def refuse() -> None:
        seen.append(sink.verbs())
        raise Lost

    async def main() -> None:
        transport = SmtpTransport(read_smtp_url(f"smtp://127.0.0.1:{sink.port}"))
        envelope = Envelope(MESSAGE_ID, "ada@sender.example", "grace@rcpt.example", refuse)
        with pytest.raises(Lost):
            await transport.deliver(envelope, RAW)
        await transport.close()

    with running_sink() as sink:
        asyncio.run(main())
    assert seen == [["EHLO", "MAIL", "RCPT"]]
    assert sink.taken == []


def test_connections_are_used_again() -> None:
    """One connection carries mail after mail, also after one was refused."""
    with running_sink() as sink:
        deliver(sink, mails=5)
        assert (sink.connections, len(sink.taken)) == (1, 5)
        assert sink.verbs().count("EHLO") == 1
        assert sink.verbs()[-1] == "QUIT"


def test_a_connection_the_server_gave_up() -> None:
    """An idle connection that the server has closed, or answers 421 on, is replaced without bothering the mail."""
    for reply in ("", "421 4.4.2 idle too long"):
        with running_sink() as sink:
            once = [reply]

            def spoil(sink: Sink = sink, once: list[str] = once) -> None:
                sink.answers["MAIL"] = lambda line: once.pop() if once else None

            deliver(sink, mails=2, between=spoil)
            assert (sink.connections, len(sink.taken)) == (2, 2)


def test_a_spent_connection_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its share of mails a connection is closed in order."""
    monkeypatch.setattr(module, "MAX_MAILS_PER_CONNECTION", 2)
    with running_sink() as sink:
        deliver(sink, mails=5)
        assert sink.connections == 3
        assert sink.verbs().count("QUIT") == 3


@pytest.mark.parametrize(("scheme", "implicit"), [("smtps", True), ("smtp+starttls", False)])
def test_tls(tmp_path: Path, scheme: str, implicit: bool) -> None:
    """With TLS the login and the mail are encrypted, and a certificate that nobody vouches for is refused."""
    certificate, key = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with running_sink(context=context, implicit_tls=implicit, login=("ada", "p@ss:word")) as sink:
        deliver(sink, scheme=scheme, login="ada:p%40ss%3Aword@", host="localhost", ca_file=certificate)
        assert len(sink.taken) == 1
        with pytest.raises(Unreachable, match="certificate that cannot be verified"):
            deliver(sink, scheme=scheme, login="ada:p%40ss%3Aword@", host="localhost")
        assert len(sink.taken) == 1


def test_another_hosts_certificate(tmp_path: Path) -> None:
    """A certificate that is trusted but names another host is refused."""
    certificate, key = make_certificate(tmp_path, host="mail.other.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with (
        running_sink(context=context, implicit_tls=True) as sink,
        pytest.raises(Unreachable, match="cannot be verified"),
    ):
        deliver(sink, scheme="smtps", host="localhost", ca_file=certificate)
    assert sink.commands == []


def test_starttls_is_not_optional() -> None:
    """A server that does not offer STARTTLS when it was asked for gets no mail: that may be somebody in between."""
    with running_sink() as sink:
        with pytest.raises(Deferred):
            deliver(sink, scheme="smtp+starttls")
        assert "MAIL" not in sink.verbs()


def test_a_wrong_login_waits() -> None:
    """A refused login is a wrong setting: the mail waits, and the remedy names the setting, never the password."""
    with running_sink(login=("ada", "right")) as sink, pytest.raises(Deferred) as refused:
        deliver(sink, login="ada:wrong-secret@")
    assert "refused the login" in refused.value.what
    assert "wrong-secret" not in str(refused.value)


def test_check() -> None:
    """The check connects, logs in, says what it found, and sends nothing."""

    async def main() -> str:
        transport = SmtpTransport(read_smtp_url(f"smtp://ada:right@127.0.0.1:{sink.port}"))
        return await transport.check()

    with running_sink(login=("ada", "right")) as sink:
        found = asyncio.run(main())
    assert "logged in as ada" in found
    assert "DSN" in found
    assert "MAIL" not in sink.verbs()


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example",
        "smtp://",
        "smtp://x.example:99999",
        "smtp://x.example/path",
        "x.example",
        "smtp://a:b#c@x.example",
    ],
)
def test_wrong_urls(url: str) -> None:
    """A wrong address names its setting and never repeats what may be a password."""
    with pytest.raises(InvalidInput) as refused:
        read_smtp_url(url)
    assert refused.value.where == "RESONANZ_SMTP_URL"
    assert "b#c" not in str(refused.value)


def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file of certificates is a wrong setting, said at once."""
    with pytest.raises(InvalidInput) as refused:
        SmtpTransport(read_smtp_url("smtps://x.example", tmp_path / "missing.pem"))
    assert refused.value.where == "RESONANZ_SMTP_CA_FILE"


def _envelope(sender: str = "ada@sender.example", recipient: str = "grace@rcpt.example") -> Envelope:
    return Envelope(MESSAGE_ID, sender, recipient)
