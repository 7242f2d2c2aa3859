"""Reply addresses: an answer comes here first, is recorded, and goes on unchanged to whoever wrote the mail."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from uuid import UUID

import pytest

from resonanz import model
from resonanz.app.telling import Teller
from resonanz.mail.refusals import understand
from resonanz.model import EventKind, TrackingMode
from resonanz.people import suppress
from resonanz.people.suppression import Reason
from resonanz.sending.erasure import erase_contact
from resonanz.sending.rule_book import set_rules
from resonanz.sending.rules import Rules, Track
from resonanz.sending.transports.base import Delivery, Envelope, Refused
from resonanz.sending.worker import Worker, WorkerSettings
from resonanz.store import Database, contacts, events, messages
from resonanz.tokens import mint_reply_path, read_return_path
from tests.kit.mails import RAW, draft, hand_in
from tests.kit.ports import free_range
from tests.kit.relays import DOMAIN, LOGIN, Relay, running_relay
from tests.kit.reports import dsn
from tests.kit.workers import EDGE, KEYS, ScriptedTransport, is_empty, run_until

GRACE = "grace@rcpt.example"
ANSWER = (
    b"From: Grace <grace@rcpt.example>\r\nTo: Ada <%s>\r\nSubject: Re: Minutes\r\nIn-Reply-To: <1@sender.example>\r\n"
    b"Message-ID: <%s@rcpt.example>\r\nDate: Mon, 4 May 2026 12:00:00 +0000\r\nDKIM-Signature: v=1; b=x\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nThank you, Gr\xc3\xbc\xc3\x9fe\r\n.\r\n"
)


class Office:
    """The doors and a worker that leads answers here, for accounts that want it or for all."""

    def __init__(self, database: Database, relay: Relay) -> None:
        self.database = database
        self.relay = relay
        self.refused: set[str] = set()
        self.transport = ScriptedTransport(self._answer)
        self.all_replies = False

    async def _answer(self, envelope: Envelope, message: bytes) -> Delivery:
        if envelope.recipient in self.refused:
            raise Refused("550 5.1.1 no such user", understand("550 5.1.1 no such user"))
        return Delivery("250 ok")

    def ask_for_answers(self, rules: Rules | None = None) -> None:
        """Let the account's answers come here."""
        set_rules(self.database, self.relay.account.id, "", rules or Rules(replies=True), model.now())

    def submit(self, *recipients: str, raw: bytes = RAW) -> dict[str, tuple[UUID, bytes]]:
        """Hand a mail in and have it carried; return message and copy by recipient."""
        with self.relay.logged_in() as client:
            client.sendmail(LOGIN, list(recipients), raw)
        return {envelope.recipient: (envelope.message_id, copy) for envelope, copy in self.carried()}

    def carried(self, *, unknown: TrackingMode = TrackingMode.INDIVIDUAL) -> list[tuple[Envelope, bytes]]:
        """Carry what waits, and return it."""
        self.transport.taken.clear()
        settings = WorkerSettings(EDGE, DOMAIN, reply_domain=DOMAIN, all_replies=self.all_replies)
        worker = Worker(self.database, self.transport, KEYS, settings, unknown=lambda _tx: unknown)
        run_until(worker, is_empty(self.database))
        return list(self.transport.taken)

    def answer(self, to: str, content: bytes, sender: str = GRACE) -> None:
        """Let an answer come in by SMTP."""
        with self.relay.inbound() as client:
            client.ehlo()
            client.sendmail(sender, [to], content, ["BODY=8BITMIME"])

    def kinds(self, message_id: UUID) -> list[EventKind]:
        """Return what happened to a message, but for its own way out."""
        usual = (EventKind.QUEUED, EventKind.SENT)
        with self.database.read() as tx:
            return [found.kind for found in events.of_message(tx, message_id) if found.kind not in usual]


@pytest.fixture
def office(sqlite_database: Database) -> Iterator[Office]:
    """Everything running."""
    with running_relay(sqlite_database) as relay:
        yield Office(sqlite_database, relay)


def reply_to(copy: bytes) -> str:
    """Return the address that answers to this copy go to, or nothing."""
    return str(message_from_bytes(copy)["Reply-To"] or "").rpartition("<")[2].rstrip(">")


def answer_to(address: str, name: str = "a1") -> bytes:
    """Return an answer by a person."""
    return ANSWER % (address.encode(), name.encode())


def test_an_answer_is_recorded_and_passed_on(database: Database) -> None:
    """It counts once and goes on once, however often it comes; byte for byte behind one more Received, in an envelope
    whose sender is ours; to the sender although they are on the suppression list."""
    with running_relay(database) as relay:
        office = Office(database, relay)
        office.ask_for_answers()
        message_id, copy = office.submit(GRACE)[GRACE]
        assert b"Reply-To: Ada\r\n <r+" in copy
        with database.write() as tx:
            suppress(tx, LOGIN, Reason.UNSUBSCRIBED, now=model.now(), source="test")
        content = answer_to(reply_to(copy))
        for address in (reply_to(copy), reply_to(copy).upper()):
            office.answer(address, content)
        assert office.kinds(message_id) == [EventKind.REPLIED]
        [(envelope, passed)] = office.carried()
    assert envelope.recipient == LOGIN
    local, _, domain = envelope.sender.partition("@")
    assert (read_return_path(KEYS, local), domain) == (envelope.message_id, DOMAIN)
    trace, rest = passed[: -len(content)], passed[-len(content) :]
    assert rest == content
    assert trace.startswith(b"Received: from ")
    assert trace.count(b"\r\n") == trace.count(b"\r\n ") + 1


def test_off_unless_asked_for(office: Office) -> None:
    """By default no mail is led here. With the setting of the instance all that is tracked by name is, with an
    account's rules its own; never what is not tracked."""
    assert reply_to(office.submit(GRACE)[GRACE][1]) == ""
    office.ask_for_answers(Rules(Track.ALL, never=(GRACE,), replies=True))
    copies = office.submit(GRACE, "hal@rcpt.example")
    assert reply_to(copies[GRACE][1]) == ""
    assert reply_to(copies["hal@rcpt.example"][1]).endswith(f"@{DOMAIN}")

    office.all_replies = True
    office.ask_for_answers(Rules())
    assert reply_to(office.submit(GRACE)[GRACE][1]).endswith(f"@{DOMAIN}")
    hand_in(office.database, draft(reply_to="Desk <desk@sender.example>, ada@sender.example"), model.now())
    [(_, composed)] = office.carried(unknown=TrackingMode.ANONYMOUS)
    assert "desk@sender.example" in str(message_from_bytes(composed)["Reply-To"])


def test_the_authors_own_reply_to(office: Office) -> None:
    """Answers go to whom the author named, all of them; the mail has one Reply-To, ours, and is else as it was."""
    office.ask_for_answers()
    raw = RAW.replace(b"Subject:", b"Reply-To: Desk <desk@sender.example>,\r\n boss@sender.example\r\nSubject:")
    message_id, copy = office.submit(GRACE, raw=raw)[GRACE]
    assert len(message_from_bytes(copy).get_all("Reply-To", [])) == 1
    assert b"desk@" not in copy
    office.answer(reply_to(copy), answer_to(reply_to(copy)))
    assert {envelope.recipient for envelope, _ in office.carried()} == {"desk@sender.example", "boss@sender.example"}
    assert office.kinds(message_id) == [EventKind.REPLIED]


def test_composed_mail_too(office: Office) -> None:
    """What was composed here, and printed for many, has reply addresses of its own in each copy."""
    office.all_replies = True
    people = [f"p{number}@rcpt.example" for number in range(6)]
    hand_in(office.database, draft(recipients=people, reply_to="desk@sender.example"), model.now())
    addresses = {reply_to(copy) for _, copy in office.carried()}
    assert len(addresses) == len(people)
    office.answer(addresses.pop(), answer_to("x"))
    assert [envelope.recipient for envelope, _ in office.carried()] == ["desk@sender.example"]


@pytest.mark.parametrize(
    ("sender", "header", "recorded"),
    [
        (GRACE, b"Auto-Submitted: auto-replied\r\nSubject: Out of office", [EventKind.AUTORESPONDED]),
        ("<>", b"Subject: Out of office\r\nX-Autoreply: yes", [EventKind.AUTORESPONDED]),
        (GRACE, b"Auto-Submitted: auto-generated\r\nSubject: Ticket 1", []),
    ],
)
def test_a_machines_answer(office: Office, sender: str, header: bytes, recorded: list[EventKind]) -> None:
    """It is no reply by a person; it goes on without a return path, so that nothing answers it."""
    office.ask_for_answers()
    message_id, copy = office.submit(GRACE)[GRACE]
    content = header + b"\r\nFrom: grace@rcpt.example\r\nMessage-ID: <m@x.example>\r\n\r\nI am away\r\n"
    for _ in range(2):
        office.answer(reply_to(copy), content, sender)
    assert office.kinds(message_id) == recorded
    assert [envelope.sender for envelope, _ in office.carried()] == [""]


def test_a_bounce_to_the_reply_address(office: Office) -> None:
    """A report is recorded and goes no further; what a person writes about bounces does."""
    office.ask_for_answers()
    message_id, copy = office.submit(GRACE)[GRACE]
    report = dsn(GRACE, "failed", "5.2.2")
    office.answer(reply_to(copy), report, "<>")
    assert office.kinds(message_id) == [EventKind.BOUNCED]
    assert office.carried() == []
    office.answer(reply_to(copy), answer_to("x").replace(b"Thank you", b"550 5.1.1 User unknown. Thank you"))
    assert office.kinds(message_id) == [EventKind.BOUNCED, EventKind.REPLIED]
    assert len(office.carried()) == 1


def test_loops_end(office: Office) -> None:
    """A mail that came by this address before, or went by too many hosts, is refused; so is one whose author is
    reached only here."""
    office.ask_for_answers()
    _, copy = office.submit(GRACE)[GRACE]
    address = reply_to(copy)
    office.answer(address, answer_to(address))
    [(_, passed)] = office.carried()
    for content in (passed, b"Received: from a by b\r\n" * 31 + answer_to(address, "b2")):
        assert refusal(office, address, content) == (554, b"5.4.6")
    raw = RAW.replace(b"Subject:", f"Reply-To: {address}\r\nSubject:".encode())
    again_id, again = office.submit(GRACE, raw=raw)[GRACE]
    assert refusal(office, reply_to(again), answer_to(reply_to(again), "c3")) == (554, b"5.4.6")
    assert office.kinds(again_id) == []
    assert office.carried() == []


def test_hostile_answers(office: Office) -> None:
    """What is no mail, or would be read in different ways further on, is refused and not recorded; an address of a
    message that there is not does not exist."""
    office.ask_for_answers()
    message_id, copy = office.submit(GRACE)[GRACE]
    for content in (
        answer_to("x") + b"bare\nlf\r\n",
        answer_to("x") + b"\n.\r\nMAIL FROM:<>\r\n",
        answer_to("x") + b"\0\r\n",
        b"Subject: nobody\r\n\r\nwrote this\r\n",
        b"X-Resonanz-Track: nonsense\r\n" + answer_to("x"),
    ):
        assert refusal(office, reply_to(copy), content) == (554, b"5.6.0"), content
    gone = f"{mint_reply_path(KEYS, UUID(int=7))}@{DOMAIN}"
    assert refusal(office, gone, answer_to("x")) == (550, b"5.1.1")
    with office.relay.inbound() as client:
        client.ehlo()
        client.mail(GRACE)
        assert client.rcpt(f"{gone[: -len(DOMAIN) - 3]}qq@{DOMAIN}")[0] == 550
    assert office.kinds(message_id) == []
    assert office.carried() == []


def test_what_cannot_be_passed_on_is_told(office: Office) -> None:
    """Whoever answered gets a notice when their answer does not reach the sender."""
    office.ask_for_answers()
    _, copy = office.submit(GRACE)[GRACE]
    office.answer(reply_to(copy), answer_to(reply_to(copy)))
    office.refused = {LOGIN}
    assert len(office.carried()) == 1
    Teller(office.database, DOMAIN, None).turn(model.now())
    [(envelope, notice)] = office.carried()
    assert (envelope.sender, envelope.recipient) == ("", GRACE)
    assert message_from_bytes(notice)["Subject"] == "Not delivered: Re: Minutes"


def test_nothing_of_it_stays(office: Office) -> None:
    """What was passed on is forgotten once it is on its way: its bytes at once, who wrote it when they are erased; a
    report that comes back later is told all the same."""
    office.ask_for_answers()
    _, copy = office.submit(GRACE)[GRACE]
    office.answer(reply_to(copy), answer_to(reply_to(copy)))
    [(envelope, _)] = office.carried()
    with office.database.read() as tx:
        passed = messages.get_message(tx, envelope.message_id)
        assert passed is not None
        submission = messages.get_submission(tx, passed.submission_id)
        assert submission is not None
        content = messages.get_content(tx, submission.content_id)
        grace = contacts.find_contact(tx, GRACE)
    assert content is not None
    assert content.body == b""
    with office.relay.inbound() as client:
        client.sendmail("<>", [envelope.sender], dsn(LOGIN, "failed", "5.2.2"))
    Teller(office.database, DOMAIN, None).turn(model.now())
    [(told, notice)] = office.carried()
    assert told.recipient == GRACE
    assert message_from_bytes(notice)["Subject"] == "Not delivered: Re: Minutes"
    assert grace is not None
    erase_contact(office.database, grace.id, lambda _ids: None, now=model.now(), source="test", actor="test")
    with office.database.read() as tx:
        rows = tx.exec_driver_sql("SELECT sender, recipient, subject FROM messages").all()
    assert not any(GRACE in (row.sender, row.recipient) for row in rows)


def test_by_lmtp(sqlite_database: Database) -> None:
    """An answer comes in by LMTP as well, and each recipient is answered for."""
    port = free_range(1)
    with running_relay(sqlite_database, lmtp=str(port)) as relay:
        office = Office(sqlite_database, relay)
        office.ask_for_answers()
        message_id, copy = office.submit(GRACE)[GRACE]
        with smtplib.LMTP("127.0.0.1", port, timeout=20) as client:
            client.ehlo()
            client.mail(GRACE)
            client.rcpt(reply_to(copy))
            client.rcpt(f"{mint_reply_path(KEYS, UUID(int=7))}@{DOMAIN}")
            assert client.docmd("DATA")[0] == 354
            client.send(answer_to("x").replace(b"\r\n.\r\n", b"\r\n..\r\n") + b".\r\n")
            assert [client.getreply()[0] for _ in range(2)] == [250, 550]
        assert office.kinds(message_id) == [EventKind.REPLIED]
        [(_, passed)] = office.carried()
    assert b" with LMTP for <r+" in passed.replace(b"\r\n ", b" ")


def refusal(office: Office, to: str, content: bytes) -> tuple[int, bytes]:
    """Return code and status with which an answer is refused."""
    with pytest.raises(smtplib.SMTPDataError) as refused:
        office.answer(to, content)
    said = refused.value.smtp_error
    return refused.value.smtp_code, (said if isinstance(said, bytes) else said.encode())[:5]
