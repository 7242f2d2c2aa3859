"""From the command line through a real Postfix into a real mailbox, and back through the edge and the reports."""

from __future__ import annotations

import json
import re
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID, uuid4

import httpx2
import pytest

from resonanz import model
from resonanz.accounts import create_key
from resonanz.mail.reports import read_report
from resonanz.model import Event, EventKind, MessageState
from resonanz.people import reason_for
from resonanz.store import Database, accounts, events, messages, open_database
from resonanz.store.accounts import Account
from tests.kit.ports import free_range
from tests.kit.postfix import Postfix, running_postfix
from tests.kit.roles import Roles
from tests.kit.waiting import wait_for

DOMAIN = "rcpt.test"
REPORTS = "bounces.sender.test"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
DESTINATION = "https://example.org/minutes?day=4&room=%C3%BC#top"

MAIL = (
    b"From: Ada <ada@sender.test>\nTo: Grace <grace@rcpt.test>, Nobody <nobody-here@rcpt.test>\n"
    b"Subject: =?utf-8?q?Minutes_f=C3=BCr_Grace?=\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n"
    b"Content-Transfer-Encoding: 8bit\n\n"
    b"<html><body><p>Hello Gr\xc3\xa4ce,</p>\n.\n..a line that begins with dots\n"
    b'<p>here are <a href="https://example.org/minutes?day=4&amp;room=%C3%BC#top">the minutes</a>.</p></body></html>\n'
)

# As docs/relay.md has it; Postfix's first port is the one for re-injection.
FILTER = """\
127.0.0.1:{port} inet n - n - - smtpd
    -o content_filter=resonanz:[127.0.0.1]:{filter}
resonanz unix - - n - 10 smtp
    -o smtp_send_xforward_command=yes
    -o disable_mime_output_conversion=yes
    -o smtp_tls_security_level=none
"""


@dataclass(frozen=True)
class Village:
    """A whole Resonanz, the mail server of its recipients, and a look into its database. What Postfix takes on
    `filter_port` goes through Resonanz before it is delivered."""

    instance: Roles
    postfix: Postfix
    database: Database
    filter_port: int

    def send(self, *recipients: str, mail: bytes = MAIL) -> dict[str, UUID]:
        """Hand a mail in as a user does; return the message of each recipient."""
        options = [part for recipient in recipients for part in ("--to", recipient)]
        done = self.instance.run("send", "-", "--json", *options, stdin=mail)
        assert done.returncode == 0, done.stderr
        return {message["recipient"]: UUID(message["id"]) for message in json.loads(done.stdout)["messages"]}

    def state(self, message_id: UUID) -> MessageState:
        with self.database.read() as tx:
            message = messages.get_message(tx, message_id)
        assert message is not None
        return message.state

    def events(self, message_id: UUID, kind: EventKind) -> list[Event]:
        with self.database.read() as tx:
            return [event for event in events.of_message(tx, message_id) if event.kind is kind]

    def received(self, mailbox: str) -> EmailMessage:
        """Wait for the mailbox's newest mail."""
        wait_for(lambda: self.postfix.mails(mailbox), f"a mail in {mailbox}'s mailbox")
        mail = message_from_bytes(self.postfix.mails(mailbox)[-1], policy=policy.default)
        assert isinstance(mail, EmailMessage)
        return mail


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """Everything running, once for the tests of this file; each test has mailboxes of its own."""
    folder = tmp_path_factory.mktemp("village")
    lmtp_port = free_range(2)
    filter_port = lmtp_port + 1
    settings = {
        "RESONANZ_RETURN_PATH_DOMAIN": REPORTS,
        "RESONANZ_TRACKING_WITHOUT_CHOICE": "individual",
        "RESONANZ_LMTP_LISTEN": str(lmtp_port),
        "RESONANZ_TRUSTED_SUBMITTERS": "127.0.0.0/8",
    }
    instance = Roles(folder, ["edge", "worker", "relay"], settings)
    with running_postfix(
        domain=DOMAIN,
        mailboxes=["grace", "bob", "carol", "dora", "emil", "ada"],
        more={"transport_maps": f"inline:{{ {{{REPORTS} = lmtp:inet:127.0.0.1:{lmtp_port}}} }}"},
        services=FILTER.format(port=filter_port, filter=instance.environment["RESONANZ_SUBMISSION_PORT"]),
    ) as postfix:
        instance.environment["RESONANZ_SMTP_URL"] = postfix.url
        with instance:
            database = open_database(f"sqlite:///{instance.data / 'resonanz.sqlite'}")
            yield Village(instance, postfix, database, filter_port)
            database.close()


def test_sent_read_opened_and_clicked(village: Village) -> None:
    """The mail arrives whole; its pixel is fetched and its link followed through the edge; each becomes a fact."""
    message_id = village.send("grace@rcpt.test")["grace@rcpt.test"]
    mail = village.received("grace")

    assert mail["From"] == "Ada <ada@sender.test>"
    assert mail["To"] == "Grace <grace@rcpt.test>, Nobody <nobody-here@rcpt.test>"
    assert mail["Subject"] == "Minutes für Grace"
    assert str(mail["Return-Path"]).strip("<>").endswith(f"@{REPORTS}")
    html = mail.get_content()
    assert "Gräce" in html
    assert "\n.\n..a line that begins with dots\n" in html

    pixel = _only(rf"{village.instance.edge}/o/[\w-]+\.gif", html)
    link = _only(rf"{village.instance.edge}/c/[\w-]+", html)
    with httpx2.Client(headers={"User-Agent": BROWSER}) as client:
        image = client.get(pixel)
        assert (image.status_code, image.headers["content-type"]) == (200, "image/gif")
        answer = client.get(link)
        assert (answer.status_code, answer.headers["location"]) == (302, DESTINATION)

    wait_for(lambda: village.events(message_id, EventKind.OPENED), "the open")
    wait_for(lambda: village.events(message_id, EventKind.CLICKED), "the click")
    clicked = village.events(message_id, EventKind.CLICKED)[0]
    assert (clicked.url, clicked.link, clicked.recipient) == (DESTINATION, 0, "grace@rcpt.test")


def test_a_success_report_proves_delivery(village: Village) -> None:
    """That Postfix has taken the mail is `sent`; its success report through the relay makes it `delivered`."""
    message_id = village.send("bob@rcpt.test")["bob@rcpt.test"]
    wait_for(lambda: village.state(message_id) is MessageState.DELIVERED, "the report of success")
    assert village.events(message_id, EventKind.SENT)
    report = village.events(message_id, EventKind.DELIVERED)[0]
    assert report.source == "relay"


def test_an_unknown_mailbox_bounces(village: Village) -> None:
    """Postfix takes the mail, finds nobody, and its report through the relay ends it; the address is suppressed, and
    the next mail to it is not sent."""
    message_id = village.send("nobody-here@rcpt.test")["nobody-here@rcpt.test"]
    wait_for(lambda: village.state(message_id) is MessageState.BOUNCED, "the bounce")
    bounced = village.events(message_id, EventKind.BOUNCED)[0]
    assert bounced.detail["bounce"] == "hard"
    assert bounced.detail["status"] == "5.1.1"
    with village.database.read() as tx:
        assert reason_for(tx, "nobody-here@rcpt.test") == "bounced"
    again = village.send("nobody-here@rcpt.test")["nobody-here@rcpt.test"]
    wait_for(lambda: village.state(again) is MessageState.SUPPRESSED, "the suppression")


def test_through_the_submission_door(village: Village) -> None:
    """A mail client that uses Resonanz as its SMTP server gets its mail delivered, tracked, Bcc kept secret."""
    account = Account(uuid4(), "ada@sender.test", "Ada", "x", model.now(), model.now())
    with village.database.write() as tx:
        accounts.add_account(tx, account)
    secret, _ = create_key(village.database, account.id, "mail client", model.now())
    port = int(village.instance.environment["RESONANZ_SUBMISSION_PORT"])
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.login("ada@sender.test", secret)
        client.sendmail(
            "ada@sender.test", ["carol@rcpt.test"], (b"Bcc: carol@rcpt.test\n" + MAIL).replace(b"\n", b"\r\n")
        )
    mail = village.received("carol")
    assert mail["Bcc"] is None
    assert f"{village.instance.edge}/o/" in mail.get_content()


def test_as_a_content_filter(village: Village) -> None:
    """What Postfix takes passes through Resonanz and comes back to it, once: every recipient's copy is tracked, 8 bits
    stay 8 bits, and of the mailbox that does not exist the sender is told, although the report came to us."""
    mail = MAIL.replace(b"\n", b"\r\n").replace(b"<ada@sender.test>", b"<ada@rcpt.test>")
    with smtplib.SMTP("127.0.0.1", village.filter_port, timeout=20) as client:
        client.sendmail(
            "ada@rcpt.test", ["dora@rcpt.test", "emil@rcpt.test", "nobody-there@rcpt.test"], mail, ["BODY=8BITMIME"]
        )
    copies = [village.received(mailbox) for mailbox in ("dora", "emil")]
    pixels = {_only(rf"{village.instance.edge}/o/[\w-]+\.gif", copy.get_content()) for copy in copies}
    assert len(pixels) == 2
    for copy in copies:
        assert copy["Content-Transfer-Encoding"] == "8bit"
        assert copy["Subject"] == "Minutes für Grace"
        assert len(copy.get_all("Received", [])) == 2  # the first Postfix, and the one for re-injection
    notice = village.received("ada")
    assert str(notice["Return-Path"]).strip() == "<>"
    assert notice["Subject"] == "Not delivered: Minutes für Grace"
    [recipient] = read_report(bytes(notice)).recipients
    assert (recipient.address, recipient.outcome) == ("nobody-there@rcpt.test", "hard")
    assert len(village.postfix.mails("ada")) == 1
    assert '"client": "127.0.0.1"' in village.instance.roles_log()


def _only(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    assert len(found) == 1, found
    return str(found[0])
