"""Reports read from a mailbox of a real Dovecot, by IMAP and by POP3: each once, and nobody else's mail touched."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from uuid import UUID

import pytest

from resonanz import model
from resonanz.ingest import mailbox_reading, mailboxes
from resonanz.ingest.deliveries import Deliveries
from resonanz.ingest.inbound import Arrived, Came, Taken
from resonanz.ingest.mailbox_access import Access, keep_secret
from resonanz.ingest.mailbox_reading import NotLetIn, opened
from resonanz.ingest.mailboxes import Checked, Postmen, add_mailbox, change_password, check_mailbox
from resonanz.model import EventKind, InvalidInput, TemporaryFailure, TrackingMode
from resonanz.outbound import Rules, oauth, post
from resonanz.outbound.oauth import Ask
from resonanz.sealing import Sealer
from resonanz.sending.replies import take_and_pass_on
from resonanz.sending.transports.base import Delivery, Envelope
from resonanz.sending.transports.opening import Opener
from resonanz.sending.worker import Worker, WorkerSettings
from resonanz.store import Database, events
from resonanz.store.mailboxes import MailboxRow, count_taken, get_mailbox, move_on
from resonanz.store.messages import Message
from resonanz.store.strays import list_strays
from resonanz.tokens import mint_reply_path, mint_return_path, mint_unsubscribe_path
from tests.kit.cast import ALMA, BRUNO, Cast
from tests.kit.dovecot import PASSWORD, USER, Dovecot, running_dovecot
from tests.kit.oauth_server import OAuthServer, running_oauth_server
from tests.kit.pages import Site, empty_site, site
from tests.kit.reports import dsn, report
from tests.kit.waiting import wait_for
from tests.kit.workers import EDGE, KEYS, ScriptedTransport, is_empty, run_until

__all__ = ["empty_site", "site"]

SEALER = Sealer(KEYS)
DOMAIN = "bounces.example"
LETTER = report(
    """
    From: friend@elsewhere.example
    To: reports@resonanz.example
    Subject: Lunch?
    Message-ID: <lunch@elsewhere.example>

    At noon?
    """
)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OAuthServer]:
    """Who knows whose an access token is."""
    with running_oauth_server(tmp_path_factory.mktemp("provider")) as running:
        running.user = USER
        yield running


@pytest.fixture(scope="module")
def server(provider: OAuthServer) -> Iterator[Dovecot]:
    """One Dovecot for all."""
    with running_dovecot(oauth=provider) as found:
        yield found


@pytest.fixture
def dovecot(server: Dovecot) -> Dovecot:
    """It, with an empty inbox."""
    for path in [*server.lying(), *server.lying("Reports")]:
        path.unlink()
    return server


@pytest.fixture
def message(sqlite_database: Database) -> Message:
    """A mail to Alma that was sent some minutes ago."""
    with sqlite_database.write() as tx:
        return Cast.enter(tx).mail(tx, now=model.now() - timedelta(minutes=5))


def added(database: Database, dovecot: Dovecot, protocol: str = "imap", **more: object) -> MailboxRow:
    """Add the mailbox."""
    port = {"imap": dovecot.imaps, "pop3": dovecot.pop3s, "starttls": dovecot.imap}[protocol]
    if protocol == "starttls":
        protocol, more = "imap", {"security": "starttls", **more}
    about = {"host": "localhost", "username": USER, "password": PASSWORD, "actor": "tests", "now": model.now()}
    return add_mailbox(database, lambda: SEALER, protocol=protocol, port=port, **(about | more))  # type: ignore[arg-type]


def asker(provider: OAuthServer) -> Ask:
    """Ask it by the real way out, with its certificate trusted and this machine allowed."""
    trusted = ssl.create_default_context(cafile=str(provider.certificate))
    rules = Rules(allowed=lambda _: True, trusted=trusted)
    return lambda url, form: post(url, form, rules)


@contextmanager
def read_by_a_worker(database: Database, dovecot: Dovecot, ask: Ask | None = None) -> Iterator[None]:
    """Read mailboxes as a worker does until the block ends."""
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()

    def take(arrived: Arrived, message_id: UUID, came: Came, now: datetime) -> Taken:
        return take_and_pass_on(database, arrived, message_id, source="mailbox", domain=DOMAIN, came=came, now=now)

    deliveries = Deliveries(database, KEYS, domain=DOMAIN, take_answer=take)
    postmen = Postmen(database, lambda: deliveries, lambda: SEALER, dovecot.certificate, ask=ask)
    thread = threading.Thread(target=lambda: loop.run_until_complete(postmen.run(stopping)))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(30)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def kinds(database: Database, message: Message) -> list[EventKind]:
    """What happened to a mail since it was sent."""
    with database.read() as tx:
        return [event.kind for event in events.of_message(tx, message.id)][2:]


def bounce(message: Message) -> bytes:
    """A bounce that names the mail by its Message-ID alone."""
    return dsn(message.recipient, "failed", "5.1.1", message_id=message.header_id or "")


def passed_on(database: Database) -> list[tuple[Envelope, bytes]]:
    """Carry what waits, and return it."""
    transport = ScriptedTransport(_taken)
    settings = WorkerSettings(EDGE, DOMAIN)
    run_until(Worker(database, transport, KEYS, settings, unknown=lambda _tx: TrackingMode.OFF), is_empty(database))
    return list(transport.taken)


async def _taken(_envelope: Envelope, _message: bytes) -> Delivery:
    return Delivery("250 ok")


def answer(to: str, *fields: str, name: str = "a1") -> bytes:
    """An answer by a person, to an address of ours."""
    head = "".join(f"{field}\r\n" for field in fields)
    return (
        f"From: Alma <{ALMA}>\r\nTo: Letters <{to}>\r\nSubject: Re: News\r\nMessage-ID: <{name}@rcpt.example>\r\n"
        f"Date: Mon, 4 May 2026 12:00:00 +0000\r\n{head}\r\nThank you!\r\n"
    ).encode()


def deliver(dovecot: Dovecot, mail: bytes, sender: str = ALMA) -> None:
    """Have a mail delivered by LMTP, as the mail server in front does, with what Dovecot notes of its envelope."""
    with smtplib.LMTP("127.0.0.1", dovecot.lmtp, timeout=20) as client:
        client.sendmail(sender, [f"{USER}@elsewhere.example"], mail)


def row_of(database: Database, row: MailboxRow) -> MailboxRow:
    """The mailbox as it stands now."""
    with database.read() as tx:
        found = get_mailbox(tx, row.id)
    assert found is not None
    return found


@pytest.mark.parametrize("protocol", ["imap", "starttls", "pop3"])
def test_a_report_is_read_once_and_other_mail_stays(
    sqlite_database: Database, dovecot: Dovecot, message: Message, protocol: str
) -> None:
    """A bounce becomes a fact though it names no token, and is deleted as was asked for; a letter that is no report
    stays; read again from the beginning, nothing is recorded twice."""
    dovecot.put(LETTER)
    dovecot.put(bounce(message))
    row = added(sqlite_database, dovecot, protocol, then="delete")
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: kinds(sqlite_database, message) == [EventKind.BOUNCED], "the bounce")
        wait_for(lambda: [path.read_bytes() for path in dovecot.lying()] == [LETTER], "the letter alone")
    dovecot.put(bounce(message))
    with sqlite_database.write() as tx:
        move_on(tx, row.id, uid_validity=1, last_uid=99)  # the folder was made anew: its numbers mean nothing more
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: len(dovecot.lying()) == 1, "the second copy to be read")
    assert kinds(sqlite_database, message) == [EventKind.BOUNCED]


def test_idle_tells_at_once_and_a_report_is_moved(
    sqlite_database: Database, dovecot: Dovecot, message: Message
) -> None:
    """What comes while the connection waits is read without another look, and goes to its folder; the letter is not
    even marked."""
    row = added(sqlite_database, dovecot, then="move", move_to="Reports")
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: row_of(sqlite_database, row).checked_at, "the first look")
        dovecot.put(LETTER)
        dovecot.put(bounce(message))
        wait_for(lambda: len(dovecot.lying("Reports")) == 1, "the report in its folder")
        wait_for(lambda: row_of(sqlite_database, row).taken == 1, "the count")
    (letter,) = dovecot.lying()
    assert "S" not in letter.name.rpartition(",")[2]
    assert kinds(sqlite_database, message) == [EventKind.BOUNCED]


def test_answers_and_absences(sqlite_database: Database, dovecot: Dovecot, message: Message) -> None:
    """An answer is a reply, a vacation notice an automatic one; neither suppresses anybody. They are marked as read."""
    head = f"From: {ALMA}\nTo: letters@resonanz.example\nIn-Reply-To: {message.header_id}\n"
    vacation = f"{head}Auto-Submitted: auto-replied\nSubject: Out of office\nMessage-ID: <v@x.example>\n\nGone.\n"
    answer = f"{head}Subject: Re: What is new in March\nMessage-ID: <a@x.example>\n\nThank you!\n"
    dovecot.put(vacation.encode())
    dovecot.put(answer.encode())
    added(sqlite_database, dovecot)
    both = sorted([EventKind.AUTORESPONDED, EventKind.REPLIED])
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: sorted(kinds(sqlite_database, message)) == both, "both answers")
        wait_for(lambda: all("S" in path.name.rpartition(",")[2] for path in dovecot.lying()), "marks")


def test_by_recipient_and_what_matches_nothing(sqlite_database: Database, dovecot: Dovecot, message: Message) -> None:
    """A report without a copy is matched by recipient and time; one about a stranger is kept. A token outranks all."""
    bare = dsn(ALMA, "delayed", "4.4.1", message_id="").replace(b"Message-ID: \r\n", b"")
    dovecot.put(bare)
    dovecot.put(dsn(BRUNO, "failed", "5.1.1", message_id="<another@elsewhere.example>").replace(b"report-", b"r2-"))
    named = dsn("x@elsewhere.example", "delivered", "2.0.0", message_id="")
    path = mint_return_path(KEYS, message.id)
    dovecot.put(f"To: {path}@bounces.example\r\n".encode() + named.replace(b"report-", b"r3-"))
    added(sqlite_database, dovecot)
    wanted = [EventKind.DEFERRED, EventKind.DELIVERED]

    def strays() -> list[tuple[str, str, str]]:
        with sqlite_database.read() as tx:
            return [(one.source, one.reason, one.recipient) for one in list_strays(tx, limit=5)]

    with read_by_a_worker(sqlite_database, dovecot):  # in whatever order the mailbox gives them
        wait_for(lambda: sorted(kinds(sqlite_database, message)) == sorted(wanted) and strays(), "all three reports")
    assert strays() == [("mailbox", "no_message", BRUNO)]


def test_hostile_mail_stops_nothing(sqlite_database: Database, dovecot: Dovecot, message: Message) -> None:
    """Rubbish, a line of a million octets, a thousand parts: the report behind them is read all the same."""
    dovecot.put(b"\0\xff\xfe\r\n")
    dovecot.put(b"Subject: long\r\n\r\n" + b"x" * 900_000 + b"\r\n")
    dovecot.put(b'Content-Type: multipart/report; boundary="x"\r\n\r\n' + b"--x\r\n" * 1_000)
    dovecot.put(bounce(message))
    for protocol in ("imap", "pop3"):
        added(sqlite_database, dovecot, protocol)
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: kinds(sqlite_database, message) == [EventKind.BOUNCED], "the bounce")


def test_what_goes_wrong_is_said(sqlite_database: Database, dovecot: Dovecot, tmp_path: Path) -> None:
    """A wrong password, a certificate that nobody vouches for and a server that is not there are told, and the worker
    writes the reason down; what is right is counted."""
    dovecot.put(LETTER)
    good = added(sqlite_database, dovecot, then="move", move_to="Nowhere")
    found = check_mailbox(sqlite_database, lambda: SEALER, dovecot.certificate, good.id)
    assert found == Checked("INBOX", 1, "Nowhere", 0, None)
    with pytest.raises(TemporaryFailure, match="certificate"):
        check_mailbox(sqlite_database, lambda: SEALER, None, good.id)
    wrong = added(sqlite_database, dovecot, "pop3", password="something else")
    with pytest.raises(TemporaryFailure, match=r"(?i)auth"):
        check_mailbox(sqlite_database, lambda: SEALER, dovecot.certificate, wrong.id)
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: row_of(sqlite_database, wrong).failure, "the reason")
    assert b"something else" not in row_of(sqlite_database, wrong).secret


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_signed_in_with_a_provider(
    sqlite_database: Database,
    dovecot: Dovecot,
    message: Message,
    provider: OAuthServer,
    protocol: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An access token opens the mailbox (XOAUTH2). Before anybody has signed in that is what is said; once somebody
    has, the worker reads without another word. A token withdrawn before its time is refused, and a new one had."""
    monkeypatch.setitem(oauth.PROVIDERS, "google", provider.provider())
    monkeypatch.setattr(mailboxes, "LOOK_SECONDS", 0.05)
    client = {"provider": "google", "client_id": provider.client_id, "client_secret": provider.client_secret}
    row = added(sqlite_database, dovecot, protocol, password="", authentication="xoauth2", then="delete", **client)
    dovecot.put(bounce(message))
    with read_by_a_worker(sqlite_database, dovecot, asker(provider)):
        wait_for(lambda: "nobody has signed in yet" in row_of(sqlite_database, row).failure, "the reason")
        keep_secret(sqlite_database, SEALER, row.id, provider.new_refresh_token())
        wait_for(lambda: kinds(sqlite_database, message) == [EventKind.BOUNCED], "the bounce")
        wait_for(lambda: not dovecot.lying(), "its deletion")
    assert row_of(sqlite_database, row).taken_at is not None
    assert row_of(sqlite_database, row).failure == ""

    access = Access(sqlite_database, lambda: SEALER, asker(provider))
    provider.withdrawn.add(access.secret(row_of(sqlite_database, row)))
    with pytest.raises(NotLetIn), opened(row, access.secret(row_of(sqlite_database, row)), dovecot.certificate):
        pass
    access.drop()
    with opened(row, access.secret(row_of(sqlite_database, row)), dovecot.certificate) as mailbox:
        assert mailbox.count() == 0


def test_checked_on_its_page(site: Site, dovecot: Dovecot) -> None:
    """A look signs in, names the folder, counts, says when the last report came, and changes nothing, not even a
    mark."""
    opener = Opener(site.database, lambda: SEALER, ca_file=dovecot.certificate)
    alice = site.with_parts(sealer=lambda: SEALER, opener=opener).alice()
    row = added(site.database, dovecot, then="move", move_to="Reports")
    dovecot.put(LETTER)
    page = alice.submit("/mailboxes/check", {"id": str(row.id)}, page="/mailboxes").text
    assert "holds 1 mail." in page
    assert "No report has come here yet" in page
    assert [path.parent.name for path in dovecot.lying()] == ["new"]  # where what nobody has seen lies
    assert row_of(site.database, row) == row
    with site.database.write() as tx:
        count_taken(tx, row.id, model.now())
    assert "The last report was read" in alice.submit("/mailboxes/check", {"id": str(row.id)}, page="/mailboxes").text


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_an_answer_at_a_reply_address_is_passed_on(
    sqlite_database: Database, dovecot: Dovecot, message: Message, protocol: str
) -> None:
    """It is recorded and goes on to the author of the mail once, however often it lies in the mailbox: byte for byte as
    it came there, without what the server noted of the envelope, behind a Received field of ours. What was passed on
    and comes to the same mailbox is left alone."""
    address = f"{mint_reply_path(KEYS, message.id)}@{DOMAIN}"
    content = answer(address)
    for _ in range(2):
        deliver(dovecot, content)
    row = added(sqlite_database, dovecot, protocol, then="delete")
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: row_of(sqlite_database, row).taken == 2 and not dovecot.lying(), "both copies to be read")
    assert kinds(sqlite_database, message) == [EventKind.REPLIED]
    [(envelope, passed)] = passed_on(sqlite_database)
    assert envelope.recipient == message.sender
    assert envelope.sender.endswith(f"@{DOMAIN}")
    assert passed.endswith(content)
    head = message_from_bytes(passed)
    assert f"with {protocol.upper()} for <{address.lower()}>" in " ".join(head["Received"].split())
    assert (head["Return-Path"], head["Delivered-To"], len(head.get_all("Received", []))) == (None, None, 2)

    deliver(dovecot, passed, envelope.sender)
    deliver(dovecot, answer(address, name="a2"))
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: row_of(sqlite_database, row).taken == 3, "the second answer")
        wait_for(lambda: len(dovecot.lying()) == 1, "its deletion")
    (left,) = dovecot.lying()
    assert content in left.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert kinds(sqlite_database, message) == [EventKind.REPLIED] * 2
    assert len(passed_on(sqlite_database)) == 1


def test_machines_and_those_who_leave(sqlite_database: Database, dovecot: Dovecot, message: Message) -> None:
    """A vacation note goes on without a return path, so that nothing answers it; a bounce goes no further. Mail to the
    address that List-Unsubscribe names counts here as at the doors, but not a machine's."""
    address = f"{mint_reply_path(KEYS, message.id)}@{DOMAIN}"
    leaving = f"{mint_unsubscribe_path(KEYS, message.id)}@{DOMAIN}"
    deliver(dovecot, answer(address, "Auto-Submitted: auto-replied", name="v"))
    deliver(dovecot, f"Cc: {address}\r\n".encode() + dsn(message.recipient, "delayed", "4.4.1"), "")
    deliver(dovecot, answer(leaving, name="machine"), "")
    row = added(sqlite_database, dovecot)
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: row_of(sqlite_database, row).taken == 3, "three mails")
        assert sorted(kinds(sqlite_database, message)) == sorted([EventKind.AUTORESPONDED, EventKind.DEFERRED])
        deliver(dovecot, answer(leaving, name="person"))
        wait_for(lambda: EventKind.UNSUBSCRIBED in kinds(sqlite_database, message), "the wish to leave")
    [(envelope, _)] = passed_on(sqlite_database)
    assert envelope.sender == ""


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_an_answer_that_cannot_go_on_stays(
    sqlite_database: Database,
    dovecot: Dovecot,
    message: Message,
    protocol: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is too large to be read whole is not passed on in pieces: it is recorded by what it answers, and lies where
    it lay although all mail is to be deleted."""
    monkeypatch.setattr(mailbox_reading, "MAX_MAIL", 10_000)
    address = f"{mint_reply_path(KEYS, message.id)}@{DOMAIN}"
    large = answer(address, f"In-Reply-To: {message.header_id}") + b"x" * 70 + b"\r\n" + b"y\r\n" * 10_000
    deliver(dovecot, large)
    deliver(dovecot, LETTER)
    row = added(sqlite_database, dovecot, protocol, then="delete", others=True)
    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: row_of(sqlite_database, row).taken == 1, "the answer")
        wait_for(lambda: len(dovecot.lying()) == 1, "the letter's deletion")
    assert kinds(sqlite_database, message) == [EventKind.REPLIED]
    assert passed_on(sqlite_database) == []


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_another_password(
    sqlite_database: Database,
    dovecot: Dovecot,
    message: Message,
    protocol: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that the server does not take is not kept, and says why; one that it takes is, and the worker that could not
    read goes on with it by itself. A server that is away changes nothing."""
    monkeypatch.setattr(mailboxes, "LOOK_SECONDS", 0.05)
    row = added(sqlite_database, dovecot, protocol, password="the one of last year", then="delete")
    dovecot.put(bounce(message))

    def change(password: str, certificate: Path | None = dovecot.certificate) -> Checked:
        return change_password(sqlite_database, lambda: SEALER, certificate, row.id, password, now=model.now())

    with read_by_a_worker(sqlite_database, dovecot):
        wait_for(lambda: row_of(sqlite_database, row).failure, "the reason")
        with pytest.raises(InvalidInput, match=r"(?i)auth") as refused:
            change("a slip of the pen")
        assert "slip" not in str(refused.value)
        with pytest.raises(TemporaryFailure):
            change(PASSWORD, None)  # a certificate that nobody vouches for: nothing was tried
        assert row_of(sqlite_database, row).secret == row.secret
        assert change(PASSWORD).folder == "INBOX"
        wait_for(lambda: kinds(sqlite_database, message) == [EventKind.BOUNCED], "the bounce")
    assert PASSWORD.encode() not in row_of(sqlite_database, row).secret


def test_another_password_on_its_page(site: Site, dovecot: Dovecot) -> None:
    """What the server says stands beside the field of that mailbox, and the password in neither answer."""
    opener = Opener(site.database, lambda: SEALER, ca_file=dovecot.certificate)
    alice = site.with_parts(sealer=lambda: SEALER, opener=opener).alice()
    row = added(site.database, dovecot, password="the one of last year")
    wrong = alice.submit("/mailboxes/password", {"id": str(row.id), "password": "a slip"}, page="/mailboxes")
    assert (wrong.status_code, f'id="password-{row.id}-note" role="alert"' in wrong.text) == (422, True)
    assert "a slip" not in wrong.text
    changed = alice.submit("/mailboxes/password", {"id": str(row.id), "password": PASSWORD}, page="/mailboxes")
    assert changed.headers["location"] == "/mailboxes?done=changed"
    assert row_of(site.database, row).secret != row.secret
    page = alice.get("/mailboxes?done=changed").text
    assert "it is kept" in page
    assert "readable" in page
