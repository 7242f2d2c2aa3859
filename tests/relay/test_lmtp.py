"""The inbound door by LMTP (RFC 2033): as the one by SMTP, but each recipient is answered for."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from resonanz.ingest.inbound import Place, Taken, take_mail
from resonanz.model import EventKind, InvalidInput, TemporaryFailure
from resonanz.relay import inbound
from resonanz.relay.lmtp import clear_socket, read_listen
from resonanz.store import Database, events
from resonanz.tokens import mint_return_path, mint_unsubscribe_path
from tests.kit.mails import hand_in
from tests.kit.ports import free_range
from tests.kit.relays import DOMAIN, MAX_MESSAGE, running_relay
from tests.kit.reports import dsn
from tests.kit.waiting import wait_for
from tests.kit.workers import KEYS, ScriptedTransport, is_empty, run_until, worker_on

FAILED = dsn("grace@rcpt.example", "failed", "5.1.1")


@pytest.fixture
def sent(sqlite_database: Database) -> list[UUID]:
    """Three messages to grace@rcpt.example that the next hop has accepted."""
    ids = [hand_in(sqlite_database).messages[0][0] for _ in range(3)]
    run_until(worker_on(sqlite_database, ScriptedTransport()), is_empty(sqlite_database))
    return ids


@pytest.fixture(params=["port", "socket"])
def door(sqlite_database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[smtplib.LMTP]:
    """A mail server's connection, not yet greeted."""
    if request.param == "port":
        port = free_range(1)
        host, where = "127.0.0.1", str(port)
    else:
        port, where = 0, str(tmp_path / "lmtp")
        host = where
    with running_relay(sqlite_database, lmtp=where):
        found: list[smtplib.LMTP] = []

        def connect() -> bool:
            try:
                found.append(smtplib.LMTP(host, port) if port else smtplib.LMTP(host))
            except OSError:
                return False
            return True

        wait_for(connect, "the door")
        with found[0] as client:
            yield client
    assert not Path(where).exists()


def test_an_answer_for_each_recipient(sqlite_database: Database, door: smtplib.LMTP, sent: list[UUID]) -> None:
    """Each address gets an answer of its own after DATA; a report counts for each of its messages, once however often
    and by whatever door it comes."""
    for _ in range(2):
        assert begin(door, [back(sent[0]), "nobody@elsewhere.example", back(sent[1]).upper()]) == [250, 550, 250]
        assert data(door, FAILED, 2) == [b"250 2.0.0 thank you"] * 2
    for message_id, times in zip(sent, (1, 1, 0), strict=True):
        assert kinds(sqlite_database, message_id).count(EventKind.BOUNCED) == times


def test_leaving(sqlite_database: Database, door: smtplib.LMTP, sent: list[UUID]) -> None:
    """Mail to an address to unsubscribe unsubscribes; a report there does not, though it is taken."""
    address = f"{mint_unsubscribe_path(KEYS, sent[0])}@{DOMAIN}"
    for sender, left in (("", 0), ("grace@rcpt.example", 1)):
        assert begin(door, [address], sender) == [250]
        assert data(door, b"From: grace@rcpt.example\r\n\r\nstop", 1) == [b"250 2.0.0 thank you"]
        assert kinds(sqlite_database, sent[0]).count(EventKind.UNSUBSCRIBED) == left


def test_what_it_offers(door: smtplib.LMTP) -> None:
    """It offers what RFC 2033 section 5 asks for and no login; SMTP's greetings are refused, and every answer after
    the greeting has a status."""
    for greeting in ("EHLO", "HELO"):
        assert door.docmd(greeting, "mx.example")[0] == 500
    assert door.docmd("MAIL", "FROM:<>")[0] == 503
    door.ehlo()
    for name in ("pipelining", "enhancedstatuscodes", "8bitmime", "smtputf8", "size"):
        assert door.has_extn(name), name
    for name in ("auth", "starttls", "dsn"):
        assert not door.has_extn(name), name
    for command in ("NOOP", "RSET", "RCPT TO:<x@y.example>", "MAIL FROM:<>", "DATA", "NONSENSE", "MAIL FROM:"):
        code, text = door.docmd(command)
        assert text.startswith(f"{code // 100}.".encode()), (command, text)


def test_pipelining(door: smtplib.LMTP, sent: list[UUID]) -> None:
    """A server that sends everything up to DATA at once gets every answer, in order."""
    door.ehlo()
    commands = [
        "MAIL FROM:<>",
        f"RCPT TO:<{back(sent[0])}>",
        "RCPT TO:<a@b.example>",
        f"RCPT TO:<{back(sent[1])}>",
        "DATA",
    ]
    door.send("".join(f"{command}\r\n" for command in commands))
    assert [door.getreply()[0] for _ in commands] == [250, 250, 550, 250, 354]
    assert data(door, FAILED, 2, asked=True) == [b"250 2.0.0 thank you"] * 2


def test_a_database_that_goes_away(door: smtplib.LMTP, sent: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be stored is put off for each recipient that it cannot be stored for, and for nobody else."""
    tried: list[UUID] = []

    def take(*arguments: Any, place: Place, **further: Any) -> Taken:
        tried.append(place.message_id)
        if len(tried) > 1:
            raise TemporaryFailure("the database is away")
        return take_mail(*arguments, place=place, **further)

    monkeypatch.setattr(inbound, "take_mail", take)
    begin(door, [back(message_id) for message_id in sent])
    assert [answer[:3] for answer in data(door, FAILED, 3)] == [b"250", b"451", b"451"]
    assert tried == sent[:2]


def test_too_large_for_all(door: smtplib.LMTP, sent: list[UUID]) -> None:
    """A refusal of the mail itself is said once for each recipient, and the session goes on."""
    begin(door, [back(sent[0]), back(sent[1])])
    answers = data(door, b"x" * 900 + b"\r\n" + (b"y" * 900 + b"\r\n") * (MAX_MESSAGE // 900), 2)
    assert [answer[:9] for answer in answers] == [b"552 5.3.4"] * 2
    begin(door, [back(sent[0])])
    assert data(door, FAILED, 1) == [b"250 2.0.0 thank you"]


def test_too_many_recipients(door: smtplib.LMTP, sent: list[UUID]) -> None:
    """The hundred and first recipient is put off, not refused: the server sends it in another transaction."""
    codes = begin(door, [back(sent[0])] * 101)
    assert (codes.count(250), codes[-1]) == (100, 452)
    assert data(door, FAILED, 100) == [b"250 2.0.0 thank you"] * 100


@pytest.mark.parametrize("ending", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n"])
def test_smuggling(sqlite_database: Database, door: smtplib.LMTP, sent: list[UUID], ending: bytes) -> None:
    """Only CRLF.CRLF ends a mail: what follows another ending is never read as commands."""
    begin(door, [back(sent[0])])
    evil = f"MAIL FROM:<>\r\nRCPT TO:<{back(sent[1])}>\r\nDATA\r\n".encode() + FAILED
    assert data(door, b"Subject: x\r\n\r\ntext" + ending + evil, 1) == [b"250 2.0.0 thank you"]
    assert door.noop()[0] == 250
    assert EventKind.BOUNCED not in kinds(sqlite_database, sent[1])


def test_where_to_listen(tmp_path: Path) -> None:
    """A port, host and port, or a socket's path; the socket of a dead process is taken over, a living one's is not."""
    assert read_listen("8524", "127.0.0.1") == ("127.0.0.1", 8524)
    assert read_listen("[::1]:8524", "127.0.0.1") == ("::1", 8524)
    assert read_listen("/run/lmtp", "127.0.0.1") == Path("/run/lmtp")
    for text in ("lmtp", "8524x", "0", "99999", "host:"):
        with pytest.raises(InvalidInput):
            read_listen(text, "127.0.0.1")
    path = tmp_path / "lmtp"
    clear_socket(path)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
        with pytest.raises(InvalidInput):
            clear_socket(path)
    clear_socket(path)
    assert not path.exists()
    path.write_text("")
    with pytest.raises(InvalidInput):
        clear_socket(path)


def back(message_id: UUID) -> str:
    """Return the address that reports on this message come back to."""
    return f"{mint_return_path(KEYS, message_id)}@{DOMAIN}"


def begin(door: smtplib.LMTP, recipients: list[str], sender: str = "") -> list[int]:
    """Greet where that is still to do, and name sender and recipients; return the codes of the latter."""
    door.ehlo_or_helo_if_needed()
    assert door.mail(sender)[0] == 250
    return [door.rcpt(recipient)[0] for recipient in recipients]


def data(door: smtplib.LMTP, content: bytes, answers: int, *, asked: bool = False) -> list[bytes]:
    """Hand these very bytes in and return so many answers, and see that there are no more."""
    if not asked:
        assert door.docmd("DATA")[0] == 354
    door.send(content + b"\r\n.\r\n")
    found = [b"%d %b" % door.getreply() for _ in range(answers)]
    assert door.noop()[0] == 250
    return found


def kinds(database: Database, message_id: UUID) -> list[EventKind]:
    """Return what happened to a message."""
    with database.read() as tx:
        return [found.kind for found in events.of_message(tx, message_id)]
