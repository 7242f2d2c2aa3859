"""Mail programs at the door: smtplib and swaks over STARTTLS and TLS, mail passwords, and a renewed certificate."""

from __future__ import annotations

import shutil
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from resonanz import model
from resonanz.accounts import authenticate_key, create_mail_password
from resonanz.accounts.keys import MAIL, revoke_key
from resonanz.store import Database, messages, queue
from tests.kit.certificates import make_certificate
from tests.kit.mails import RAW
from tests.kit.relays import LOGIN, Relay, running_relay, trusting


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """The relay's certificate; its key lies beside it."""
    return make_certificate(tmp_path)[0]


@pytest.fixture
def relay(sqlite_database: Database, certificate: Path) -> Iterator[Relay]:
    """All doors open, with a certificate."""
    with running_relay(sqlite_database, certificate=(certificate, certificate.with_name("key.pem"))) as found:
        yield found


@pytest.mark.parametrize("door", ["starttls", "tls"])
def test_a_mail_password(sqlite_database: Database, relay: Relay, certificate: Path, door: str) -> None:
    """It opens both submission doors as it was shown, or typed another way; it is no API key; revoked it opens
    nothing."""
    secret, key = create_mail_password(sqlite_database, relay.account.id, "Thunderbird", model.now())
    assert authenticate_key(sqlite_database, secret, model.now()) is None

    def connect() -> smtplib.SMTP:
        if door == "tls":
            return relay.over_tls(certificate)
        client = relay.client()
        client.starttls(context=trusting(certificate))
        return client

    for typed in (secret, secret.replace("-", "").upper(), secret.replace("-", " ")):
        with connect() as client:
            client.login(LOGIN, typed)
            assert client.sendmail(LOGIN, ["grace@rcpt.example"], RAW, ["BODY=8BITMIME"]) == {}
    revoke_key(sqlite_database, relay.account.id, key.id, MAIL, model.now())
    with connect() as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(LOGIN, secret)
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == 3


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--tls"], 0),
        (["--tlsc"], 0),
        (["--tlsc", "--auth", "LOGIN"], 0),
        (["--tls", "--auth-password", "wrong"], 28),
        (["--tls", "--body", "@/dev/null", "--header", "From: "], 26),
        ([], 28),
    ],
    ids=["starttls", "tls", "login", "wrong password", "no author", "in clear"],
)
def test_swaks(sqlite_database: Database, relay: Relay, options: list[str], code: int) -> None:
    """The tool that administrators try mail servers with gets in where it should, and is told where it should not."""
    swaks = shutil.which("swaks")
    assert swaks, "swaks is not installed; `make test` installs it"
    port = relay.submission_tls_port if "--tlsc" in options else relay.submission_port
    fixed = ["--server", "127.0.0.1", "--port", str(port), "--from", LOGIN, "--to", "grace@rcpt.example"]
    login = ["--auth-user", LOGIN, *([] if "--auth-password" in options else ["--auth-password", relay.secret])]
    auth = [] if "--auth" in options else ["--auth"]
    command = [swaks, *fixed, *login, *auth, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == (0 if code else 1)


def test_addresses_beyond_ascii(sqlite_database: Database, relay: Relay, certificate: Path) -> None:
    """SMTPUTF8: an address and a header in UTF-8 are taken as they are."""
    with relay.over_tls(certificate) as client:
        client.login(LOGIN, relay.secret)
        mail = RAW.replace(b"Subject: Minutes", "Subject: Grüße".encode())
        options = ["SMTPUTF8", "BODY=8BITMIME"]
        assert client.sendmail(LOGIN, ["grüße@rcpt.example"], mail, options) == {}
    with sqlite_database.read() as tx:
        (message,) = messages.list_messages(tx, limit=9)
    assert (message.recipient, message.subject) == ("grüße@rcpt.example", "Grüße")


def test_a_renewed_certificate(relay: Relay, certificate: Path, tmp_path: Path) -> None:
    """The next connection sees it, by STARTTLS and by TLS; while only one of its two files is there, the old one."""
    key = certificate.with_name("key.pem")
    (tmp_path / "new").mkdir()
    renewed, renewed_key = make_certificate(tmp_path / "new")
    first = shown(relay)
    renewed.replace(certificate)
    assert shown(relay) == first
    renewed_key.replace(key)
    second = shown(relay)
    assert second not in (first, [])
    assert second == [ssl.PEM_cert_to_DER_cert(certificate.read_text())] * 2


def shown(relay: Relay) -> list[bytes]:
    """The certificates that both doors show, by a client that asks for no name and by one that does."""
    anything = ssl.create_default_context()
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    found = []
    with smtplib.SMTP("localhost", relay.submission_port, timeout=20) as client:
        client.starttls(context=anything)
        found.append(client.sock.getpeercert(binary_form=True))  # type: ignore[union-attr]
    with smtplib.SMTP_SSL("127.0.0.1", relay.submission_tls_port, timeout=20, context=anything) as client:
        found.append(client.sock.getpeercert(binary_form=True))  # type: ignore[union-attr]
    return [certificate or b"" for certificate in found]
