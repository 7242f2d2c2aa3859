"""What nobody's mail program does: each attempt gets the right code, stores nothing, and breaks nothing."""

from __future__ import annotations

import base64
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from resonanz.store import Database, queue
from tests.kit.certificates import make_certificate
from tests.kit.mails import RAW
from tests.kit.relays import LOGIN, MAX_MESSAGE, Relay, running_relay, trusting

EVIL = b"MAIL FROM:<evil@sender.example>\r\nRCPT TO:<victim@rcpt.example>\r\nDATA\r\nFrom: x@x.example\r\n\r\nx"
# All ways in which servers have been known to end a mail early: each piece of CRLF.CRLF bare, doubled, or with a NUL.
ENDINGS = [
    f"{before}.{after}".encode()
    for before in ("\r\n", "\n", "\r", "\r\r\n", "\r\n\0", "\0\r\n")
    for after in ("\r\n", "\n", "\r", "\r\r\n", "\0\r\n", "\r\0\n")
    if not (before.endswith("\r\n") and after == "\r\n")  # CRLF.CRLF, behind whatever, does end a mail
]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """The relay's certificate; its key lies beside it."""
    return make_certificate(tmp_path)[0]


@pytest.fixture
def relay(sqlite_database: Database, certificate: Path) -> Iterator[Relay]:
    """All doors open, with a certificate; nothing may be left in the queue."""
    with running_relay(sqlite_database, certificate=(certificate, certificate.with_name("key.pem"))) as found:
        yield found
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == 0


def logged_in(relay: Relay, certificate: Path) -> smtplib.SMTP:
    """A connection over TLS that may submit."""
    client = relay.over_tls(certificate)
    client.login(LOGIN, relay.secret)
    return client


def data(client: smtplib.SMTP, content: bytes) -> int:
    """Hand these very bytes in, from the account to one recipient, and return the answer's code."""
    client.mail(LOGIN)
    client.rcpt("grace@rcpt.example")
    assert client.docmd("DATA")[0] == 354
    client.send(content + b"\r\n.\r\n")
    return client.getreply()[0]


def test_smuggling(relay: Relay, certificate: Path) -> None:
    """Whatever else a server somewhere takes for the end of a mail is no end here, and the mail is refused whole."""
    with logged_in(relay, certificate) as client:
        for ending in ENDINGS:
            assert data(client, RAW + b"text" + ending + EVIL) == 554, ending
            assert client.noop()[0] == 250


def test_commands_before_tls_are_forgotten(relay: Relay, certificate: Path) -> None:
    """What was sent in clear behind STARTTLS is never run inside TLS (CVE-2011-0411)."""
    blob = base64.b64encode(f"\0{LOGIN}\0{relay.secret}".encode())
    client = relay.client()
    client.ehlo()
    assert isinstance(client.sock, socket.socket)
    client.sock.sendall(b"STARTTLS\r\nEHLO evil\r\nAUTH PLAIN " + blob + b"\r\n" + EVIL + b"\r\n.\r\n")
    assert client.getreply()[0] == 220
    with trusting(certificate).wrap_socket(client.sock, server_hostname="localhost") as secure:
        secure.sendall(b"MAIL FROM:<ada@sender.example>\r\n")
        assert secure.recv(1000)[:3] == b"503"  # no EHLO inside TLS yet, let alone a login


def test_nothing_in_clear(relay: Relay) -> None:
    """Before STARTTLS there is no AUTH and no mail."""
    with relay.client() as client:
        client.ehlo()
        assert client.docmd("AUTH", "PLAIN AGE=")[0] == 538
        assert client.mail(LOGIN)[0] == 530
        assert client.docmd("STARTTLS now")[0] == 501


def test_no_tls_inside_tls(relay: Relay, certificate: Path) -> None:
    """The door with TLS from the first byte offers no STARTTLS, and refuses one."""
    with relay.over_tls(certificate) as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.has_extn("auth")
        assert client.docmd("STARTTLS")[0] == 454
        assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] == 535
        assert client.mail(LOGIN)[0] == 530


def test_too_much_and_too_long(relay: Relay, certificate: Path) -> None:
    """Sizes are refused at MAIL where they are told, else after DATA; a command that is too long is not run."""
    with logged_in(relay, certificate) as client:
        assert client.docmd(f"MAIL FROM:<{LOGIN}> SIZE={MAX_MESSAGE + 1}")[0] == 552
        assert data(client, RAW + b"x" * MAX_MESSAGE) == 552
        assert data(client, RAW + b"x" * 1_100_000) in (500, 552)
        client.docmd("NOOP " + "x" * 10_000)
        assert client.docmd("MAIL FROM:<" + "x" * 2_000 + "@sender.example>")[0] in (500, 553)
        assert client.docmd("NOOP " + "x" * 2_000_000)[0] == 500
        assert client.noop()[0] == 250


def test_too_many_recipients(relay: Relay, certificate: Path) -> None:
    """More recipients than a mail may have are put off with 452: the client sends the rest in another mail."""
    with logged_in(relay, certificate) as client:
        client.mail(LOGIN)
        for number in range(51):
            assert client.rcpt(f"r{number}@rcpt.example")[0] == 250
        assert client.docmd("DATA")[0] == 354
        client.send(RAW + b".\r\n")
        assert client.getreply()[0] == 452
