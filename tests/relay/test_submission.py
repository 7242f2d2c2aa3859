"""The submission door, as mail clients meet it."""

from __future__ import annotations

import base64
import smtplib
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from resonanz.model import TemporaryFailure
from resonanz.relay.submission import SubmissionHandler
from resonanz.sending.drafts import Draft, Receipt
from resonanz.store import Database, accounts, messages, queue
from tests.kit.certificates import make_certificate
from tests.kit.mails import NOW, RAW
from tests.kit.relays import LOGIN, MAX_MESSAGE, Relay, running_relay, trusting
from tests.kit.waiting import wait_for


@pytest.fixture
def relay(sqlite_database: Database) -> Iterator[Relay]:
    """Both doors open, without a certificate, on this machine."""
    with running_relay(sqlite_database) as found:
        yield found


def test_a_mail_is_stored_before_250(database: Database) -> None:
    """DATA is answered 250 once one message per RCPT TO is in the queue, with the mail's bytes as they came."""
    with running_relay(database) as relay, relay.logged_in() as client:
        refused = client.sendmail(LOGIN, ["grace@rcpt.example", "bob@rcpt.example"], RAW)
        assert refused == {}
        with database.read() as tx:
            assert queue.depth(tx) == 2
            found = messages.list_messages(tx, limit=9)
            assert {message.recipient for message in found} == {"grace@rcpt.example", "bob@rcpt.example"}
            submission = messages.get_submission(tx, found[0].submission_id)
            assert submission is not None
            assert (submission.source, submission.account_id) == ("relay", relay.account.id)
            content = messages.get_content(tx, submission.content_id)
            assert content is not None
            assert content.body == RAW


def test_login_by_plain_and_login(relay: Relay) -> None:
    """Both mechanisms that clients speak let the owner of the key in, whatever the case of their names."""
    for mechanism in ("PLAIN", "LOGIN"):
        with relay.client() as client:
            client.ehlo()
            client.user, client.password = LOGIN, relay.secret
            method = getattr(client, f"auth_{mechanism.lower()}")
            assert client.auth(mechanism.lower(), method)[0] == 235


@pytest.mark.parametrize(
    ("login", "secret"),
    [(LOGIN, "rz_wrong"), (LOGIN, ""), ("eve@sender.example", None), ("", None), ("not an address", None)],
)
def test_a_wrong_login(relay: Relay, login: str, secret: str | None) -> None:
    """A wrong key, or a right one with another's address, is 535, and nothing can be sent afterwards."""
    with relay.client() as client:
        client.ehlo()
        client.user, client.password = login, relay.secret if secret is None else secret
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.auth("PLAIN", client.auth_plain)
        assert refused.value.smtp_code == 535
        assert client.mail(LOGIN)[0] == 530


def test_nothing_without_login(relay: Relay) -> None:
    """Without a login the door relays for nobody."""
    with relay.client() as client:
        client.ehlo()
        assert client.mail(LOGIN)[0] == 530
        assert client.rcpt("x@rcpt.example")[0] == 530
        assert client.docmd("DATA")[0] == 530


def test_wrong_logins_are_throttled(relay: Relay) -> None:
    """After many wrong logins from one place the door says wait; the right key still opens it."""
    codes = set()
    for _ in range(60):
        with relay.client() as client:
            client.ehlo()
            blob = base64.b64encode(f"\0{LOGIN}\0rz_wrong".encode()).decode()
            codes.add(client.docmd("AUTH", f"PLAIN {blob}")[0])
    assert codes == {535, 454}
    with relay.logged_in() as client:
        assert client.noop()[0] == 250


def test_with_a_certificate_tls_comes_first(sqlite_database: Database, tmp_path: Path) -> None:
    """With a certificate, AUTH is neither offered nor taken before STARTTLS, and works after it."""
    certificate = make_certificate(tmp_path)
    with running_relay(sqlite_database, certificate=certificate) as relay, relay.client() as client:
        client.ehlo()
        assert not client.has_extn("auth")
        blob = base64.b64encode(f"\0{LOGIN}\0{relay.secret}".encode()).decode()
        assert client.docmd("AUTH", f"PLAIN {blob}")[0] == 538
        client.starttls(context=trusting(certificate[0]))
        client.login(LOGIN, relay.secret)
        assert client.sendmail(LOGIN, ["grace@rcpt.example"], RAW) == {}
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (RAW + b"nul \0 byte\r\n", 554),
        (RAW + b"bare\nline feed\r\n", 554),
        (RAW + b"bare\rcarriage return\r\n", 554),
        (b"Subject: no sender\r\n\r\nbody\r\n", 554),
        (b"\r\nno header\r\n", 554),
        (b"From: eve@x.example\r\n" + RAW, 554),
        (RAW + b"x" * 60 + b"\r\n" + (b"y" * 70 + b"\r\n") * (MAX_MESSAGE // 72), 552),
    ],
    ids=["nul", "bare-lf", "bare-cr", "no-from", "no-header", "two-from", "too-large"],
)
def test_a_wrong_mail_is_refused(sqlite_database: Database, relay: Relay, content: bytes, code: int) -> None:
    """What cannot be accepted is refused for good, nothing is stored, and the connection goes on."""
    with relay.logged_in() as client:
        assert client.mail(LOGIN)[0] == 250
        assert client.rcpt("grace@rcpt.example")[0] == 250
        assert _data(client, content)[0] == code
        assert client.sendmail(LOGIN, ["grace@rcpt.example"], RAW) == {}
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == 1


@pytest.mark.parametrize("ending", [b"\n.\r\n", b"\n.\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r"])
def test_no_smuggling(sqlite_database: Database, relay: Relay, ending: bytes) -> None:
    """Only CRLF.CRLF ends a mail: commands behind any other ending stay text, and the mail is refused whole."""
    smuggled = RAW + b"text" + ending + b"MAIL FROM:<evil@sender.example>\r\nRCPT TO:<victim@rcpt.example>\r\n"
    with relay.logged_in() as client:
        client.mail(LOGIN)
        client.rcpt("grace@rcpt.example")
        assert _data(client, smuggled)[0] == 554
        assert client.noop()[0] == 250
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == 0


def test_a_forbidden_sender(sqlite_database: Database) -> None:
    """An account that does not run the instance sends from its own address; any other one, in the envelope or in From,
    is 550 5.7.1 and nothing is stored of it. A client's own read receipt, with the null path, is its account's."""
    with sqlite_database.write() as tx:
        accounts.add_account(tx, accounts.Account(uuid4(), "owner@sender.example", "", "x", NOW, NOW))
    eve = RAW.replace(b"ada@sender.example", b"eve@sender.example")
    with running_relay(sqlite_database) as relay, relay.logged_in() as client:
        for sender, content in (("eve@sender.example", RAW), (LOGIN, eve), ("<>", eve)):
            client.mail(sender)
            client.rcpt("grace@rcpt.example")
            code, text = _data(client, content)
            assert (code, text[:6]) == (550, b"5.7.1 ")
            assert b"eve@sender.example" in text
        client.mail("")
        client.rcpt("grace@rcpt.example")
        assert _data(client, RAW)[0] == 250
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == 1


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("MAIL FROM:<no-at-sign>", {553, 501}),
        ("MAIL FROM:<a@b@c>", {553, 501}),
        ("RCPT TO:<a b@rcpt.example>", {553, 501}),
        ("RCPT TO:<grace@rcpt..example>", {553, 501}),
        ("RCPT TO:<grace(home)@rcpt.example>", {553, 501}),
        ("RCPT TO:<grace@rcpt.example", {553, 501}),
        ("RCPT TO:<>", {553, 501}),
        (f"MAIL FROM:<ada@sender.example> SIZE={MAX_MESSAGE + 1}", {552}),
    ],
)
def test_bad_commands(relay: Relay, command: str, codes: set[int]) -> None:
    """A bad address or a size over the limit is refused at its command."""
    with relay.logged_in() as client:
        if command.startswith("RCPT"):
            client.mail(LOGIN)
        assert client.docmd(command)[0] in codes


def test_parameters_that_clients_send(relay: Relay) -> None:
    """SIZE, BODY, SMTPUTF8 and AUTH= are understood."""
    with relay.logged_in() as client:
        assert client.docmd(f"MAIL FROM:<{LOGIN}> SIZE=1000 BODY=8BITMIME SMTPUTF8 AUTH=<>")[0] == 250
        client.send("RCPT TO:<grüße@rcpt.example>\r\n".encode())
        assert client.getreply()[0] == 250


def test_our_own_trouble_is_temporary(sqlite_database: Database) -> None:
    """A database that is away, or a defect of ours, is answered 451: the client keeps the mail and tries again."""
    troubles: list[Exception] = [TemporaryFailure("the database cannot be used right now"), ZeroDivisionError("bug")]

    def fail(draft: Draft, now: datetime) -> Receipt:
        raise troubles[0]

    with running_relay(sqlite_database, hand_in=fail) as relay:
        for _ in range(2):
            with relay.logged_in() as client, pytest.raises(smtplib.SMTPDataError) as refused:
                client.sendmail(LOGIN, ["grace@rcpt.example"], RAW)
            assert refused.value.smtp_code == 451
            assert b"bug" not in refused.value.smtp_error
            troubles.pop(0)
            troubles.append(ValueError())


def test_no_login_while_the_database_is_away(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that cannot be checked is 454: the client tries again, and keeps the password it has."""

    def fail(*_arguments: object) -> None:
        raise TemporaryFailure("the database cannot be used right now")

    with running_relay(sqlite_database) as relay, capture_logs() as logged:
        monkeypatch.setattr(SubmissionHandler, "log_in", fail)
        with relay.client() as client:
            client.ehlo()
            blob = base64.b64encode(f"\0{LOGIN}\0{relay.secret}".encode()).decode()
            assert client.docmd("AUTH", f"PLAIN {blob}") == (454, b"4.7.0 temporary authentication failure")
        monkeypatch.undo()
        with relay.logged_in() as client:
            assert client.noop()[0] == 250
    (line,) = [entry for entry in logged if entry["log_level"] == "error"]
    assert "exc_info" not in line


def test_closing_lets_a_mail_finish(sqlite_database: Database) -> None:
    """A door that closes answers the mail it is taking, then says 421; idle connections get 421 at once."""
    reached, go_on = threading.Event(), threading.Event()
    answers: list[tuple[int, bytes]] = []

    def slow(draft: Draft, now: datetime) -> Receipt:
        reached.set()
        assert go_on.wait(20)
        return Receipt(uuid4(), ())

    with running_relay(sqlite_database, hand_in=slow) as relay, relay.client() as idle, relay.logged_in() as client:
        idle.ehlo()
        client.mail(LOGIN)
        client.rcpt("grace@rcpt.example")
        sender = threading.Thread(target=lambda: answers.append(_data(client, RAW)))
        sender.start()
        assert reached.wait(20)
        relay.stop()
        assert idle.getreply()[0] == 421
        go_on.set()
        sender.join(20)
        assert answers[0][0] == 250
        assert client.getreply()[0] == 421
        wait_for(lambda: _is_refused(relay), "the closed door")


def _is_refused(relay: Relay) -> bool:
    try:
        relay.client().close()
    except OSError:
        return True
    return False


def _data(client: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    """Send DATA and these very bytes; smtplib would mend line endings."""
    assert client.docmd("DATA")[0] == 354
    client.send(content + b"\r\n.\r\n")
    return client.getreply()
