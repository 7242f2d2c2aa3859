"""The inbound door: reports about our mail become facts before they are answered; nobody else's mail gets in."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from resonanz.model import EventKind, MessageState
from resonanz.people import reason_for
from resonanz.sending.transports.base import Transport
from resonanz.store import Database, events, messages
from resonanz.tokens import mint_return_path
from tests.kit.mails import hand_in
from tests.kit.relays import DOMAIN, Relay, running_relay
from tests.kit.reports import dsn
from tests.kit.workers import KEYS, ScriptedTransport, is_empty, run_until, worker_on


@pytest.fixture
def relay(database: Database) -> Iterator[Relay]:
    """Both doors open."""
    with running_relay(database) as found:
        yield found


@pytest.fixture
def sent(database: Database) -> UUID:
    """A message to grace@rcpt.example that the next hop has accepted."""
    message_id = hand_in(database).messages[0][0]
    transport: Transport = ScriptedTransport()
    run_until(worker_on(database, transport), is_empty(database))
    return message_id


@pytest.mark.parametrize(
    ("action", "status", "state", "suppressed"),
    [
        ("failed", "5.1.1", MessageState.BOUNCED, True),
        ("failed", "5.2.2", MessageState.BOUNCED, False),
        ("delivered", "2.0.0", MessageState.DELIVERED, False),
        ("delayed", "4.4.1", MessageState.SENT, False),
        ("relayed", "2.0.0", MessageState.SENT, False),
    ],
)
def test_a_report_moves_its_message(
    database: Database, relay: Relay, sent: UUID, action: str, status: str, state: MessageState, suppressed: bool
) -> None:
    """A DSN to the return path, its case folded, takes the message where it says; only a dead address is suppressed."""
    with relay.inbound() as client:
        assert client.sendmail("<>", [_return_path(sent).upper()], dsn("grace@rcpt.example", action, status)) == {}
    with database.read() as tx:
        message = messages.get_message(tx, sent)
        assert message is not None
        assert message.state is state
        assert (reason_for(tx, "grace@rcpt.example") is not None) is suppressed


def test_a_report_counts_once(database: Database, relay: Relay, sent: UUID) -> None:
    """The same report, brought twice, is one fact."""
    report = dsn("grace@rcpt.example", "failed", "5.1.1")
    for _ in range(2):
        with relay.inbound() as client:
            client.sendmail("<>", [_return_path(sent)], report)
    with database.read() as tx:
        kinds = [event.kind for event in events.of_message(tx, sent)]
    assert kinds.count(EventKind.BOUNCED) == 1


@pytest.mark.parametrize(
    "address",
    [
        f"somebody@{DOMAIN}",
        "somebody@elsewhere.example",
        f"{mint_return_path(KEYS, UUID(int=7))}@elsewhere.example",
        f"{mint_return_path(KEYS, UUID(int=7))[:-1]}q@{DOMAIN}",
    ],
    ids=["no-token", "neither", "another-domain", "a-forged-token"],
)
def test_nobody_elses_mail(relay: Relay, address: str) -> None:
    """An address that is no return path of ours does not exist: the door relays for nobody."""
    with relay.inbound() as client:
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.mail("<>")[0] == 250
        code, text = client.rcpt(address)
        assert code == 550
        assert text.startswith(b"5.1.1")
        assert client.docmd("DATA")[0] == 503


def test_a_report_about_a_message_that_is_gone(relay: Relay) -> None:
    """A report about an erased message is taken and dropped; its sender can do nothing about it."""
    with relay.inbound() as client:
        assert client.sendmail("<>", [_return_path(uuid4())], dsn("x@rcpt.example", "failed", "5.1.1")) == {}


@pytest.mark.parametrize("content", [b"", b"\0\xff\xfe", b"Content-Type: multipart/report; boundary=x\r\n\r\n--x"])
def test_what_is_no_report(database: Database, relay: Relay, sent: UUID, content: bytes) -> None:
    """Whatever else comes to a return path is taken and changes nothing."""
    with relay.inbound() as client:
        client.ehlo()
        client.mail("<>")
        client.rcpt(_return_path(sent))
        client.docmd("DATA")
        client.send(content + b"\r\n.\r\n")
        assert client.getreply()[0] == 250
    with database.read() as tx:
        message = messages.get_message(tx, sent)
        assert message is not None
        assert message.state is MessageState.SENT


def test_a_report_with_an_id_that_no_charset_can_write(database: Database, relay: Relay, sent: UUID) -> None:
    """Half a surrogate pair in a report's Message-ID and words does not keep the report from being recorded, once."""
    report = dsn("grace@rcpt.example", "failed", "5.1.1").replace(
        b"From:", b"Message-ID: <=?utf-7?q?+2AA-?=>\r\nSubject: =?utf-7?q?+2AA-?=\r\nFrom:", 1
    )
    assert report.startswith(b"Message-ID:")
    for _ in range(2):
        with relay.inbound() as client:
            assert client.sendmail("<>", [_return_path(sent)], report) == {}
    with database.read() as tx:
        assert [event.kind for event in events.of_message(tx, sent)].count(EventKind.BOUNCED) == 1


def _return_path(message_id: UUID) -> str:
    return f"{mint_return_path(KEYS, message_id)}@{DOMAIN}"
