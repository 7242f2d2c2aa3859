"""Mail servers in trusted networks hand mail in without a login; nobody else does."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from ipaddress import ip_network
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from resonanz import model
from resonanz.accounts.senders import allow_sender
from resonanz.model import TrackingMode
from resonanz.relay.trust import is_trusted, read_forwarded
from resonanz.store import Database, accounts, messages, queue
from resonanz.store.accounts import Account
from resonanz.store.messages import Submission
from tests.kit.mails import RAW
from tests.kit.relays import LOGIN, Relay, running_relay

NETWORKS = (ip_network("127.0.0.0/8"), ip_network("2001:db8::/32"))


@pytest.fixture
def relay(sqlite_database: Database) -> Iterator[Relay]:
    """The doors; this machine is trusted."""
    with running_relay(sqlite_database, trusted=NETWORKS) as found:
        yield found


def test_without_a_login(sqlite_database: Database, relay: Relay) -> None:
    """A trusted server hands a mail in; whose it is tells its sender: an account with that address, one that may send
    from there, else the account that runs the instance. From need not fit."""
    bob = Account(uuid4(), "bob@sender.example", "Bob", "x", model.now(), model.now())
    with sqlite_database.write() as tx:
        accounts.add_account(tx, bob)
    allow_sender(sqlite_database, bob.address, "shop.example", actor="test", now=model.now())
    expected = {
        LOGIN: relay.account.id,
        "Bob@Sender.example": bob.id,
        "orders@shop.example": bob.id,
        "anybody@elsewhere.example": relay.account.id,
    }
    with relay.client() as client:
        for sender in expected:
            assert client.sendmail(sender, ["grace@rcpt.example", "hal@rcpt.example"], RAW) == {}
    found = {sender: submission.account_id for sender, submission in submissions(sqlite_database).items()}
    assert {sender.lower(): account for sender, account in found.items()} == {
        sender.lower(): account for sender, account in expected.items()
    }


def test_a_mail_without_a_sender(sqlite_database: Database, relay: Relay) -> None:
    """It stays without one, and untracked."""
    with relay.client() as client:
        client.sendmail("<>", ["grace@rcpt.example"], RAW)
    [submission] = submissions(sqlite_database).values()
    assert submission.null_path
    assert (submission.track_opens, submission.track_clicks) == (TrackingMode.OFF, TrackingMode.OFF)


def test_whom_they_have_it_from(relay: Relay) -> None:
    """XFORWARD is offered to trusted servers and goes into the log of the next mail alone."""
    with relay.client() as client, capture_logs() as logs:
        client.ehlo()
        assert client.has_extn("xforward")
        assert client.docmd("XFORWARD", "NAME=mx.example ADDR=192.0.2.7 HELO=[UNAVAILABLE]")[0] == 250
        assert client.docmd("XFORWARD", "NONSENSE=1")[0] == 501
        client.sendmail(LOGIN, ["grace@rcpt.example"], RAW)
        client.sendmail(LOGIN, ["grace@rcpt.example"], RAW)
        client.mail(LOGIN)
        assert client.docmd("XFORWARD", "ADDR=192.0.2.7")[0] == 503
    assert [entry.get("client") for entry in logs if entry["event"] == "mail taken"] == ["192.0.2.7", None]


@pytest.mark.parametrize("trusted", [(), (ip_network("192.0.2.0/24"),)])
def test_nobody_else(sqlite_database: Database, trusted: tuple[object, ...]) -> None:
    """Without the setting, or from elsewhere, there is no mail without a login, and no XFORWARD."""
    with running_relay(sqlite_database, trusted=trusted) as relay, relay.client() as client:
        client.ehlo()
        assert not client.has_extn("xforward")
        assert client.mail(LOGIN)[0] == 530
        assert client.docmd("XFORWARD", "ADDR=192.0.2.7")[0] == 550
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == 0


def test_trust_opens_no_other_door(relay: Relay) -> None:
    """A trusted server is as bounded as everybody: hostile bytes, sizes and loops are refused, and a login that is
    wrong stays wrong."""
    with relay.client() as client:
        for content in (RAW + b"x\ny\r\n", RAW + b"\r.\r\n", RAW + b"\0\r\n", b"Received: x\r\n" * 101 + RAW):
            with pytest.raises(smtplib.SMTPDataError) as refused:
                client.sendmail(LOGIN, ["grace@rcpt.example"], content)
            assert refused.value.smtp_code == 554
    with relay.client() as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(LOGIN, "wrong")


def test_who_is_trusted() -> None:
    """Addresses in the networks, IPv4 within IPv6 too; never a name, a socket, or nobody."""
    assert is_trusted("127.0.0.1", NETWORKS)
    assert is_trusted("::ffff:127.0.0.1", NETWORKS)
    assert is_trusted("2001:db8::1%eth0", NETWORKS)
    for peer in ("", "localhost", "192.0.2.1", "::1"):
        assert not is_trusted(peer, NETWORKS), peer


def test_what_xforward_may_say() -> None:
    """Known attributes, decoded; what is unknown to the sender or unfit for a log is left out."""
    assert read_forwarded("addr=192.0.2.7 NAME=a+2Bb") == {"ADDR": "192.0.2.7", "NAME": "a+b"}
    assert read_forwarded("NAME=[TEMPUNAVAIL] HELO=a+0D+0Ab") == {}
    assert read_forwarded("ADDR") is None
    assert read_forwarded(f"ADDR={'x' * 256}") is None


def submissions(database: Database) -> dict[str, Submission]:
    """Return what was handed in, by sender."""
    found: dict[str, Submission] = {}
    with database.read() as tx:
        for message in messages.list_messages(tx, limit=99):
            submission = messages.get_submission(tx, message.submission_id)
            assert submission is not None
            found[message.sender] = submission
    return found
