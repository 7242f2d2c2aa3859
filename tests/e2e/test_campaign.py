"""A campaign through a real Postfix to mailboxes of a real Dovecot, and back: what became of each mail, told by its
reports alone, as they come to the relay's door or into a mailbox that is read over IMAP."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID

import pytest

from resonanz import model
from resonanz.ingest.mailboxes import add_mailbox
from resonanz.model import Event, EventKind, MessageState
from resonanz.people import reason_for
from resonanz.sealing import open_sealer
from resonanz.sending import campaigns
from resonanz.store import Database, events, messages, open_database
from tests.kit.campaigns import add_list, add_people, plan, stored
from tests.kit.dovecot import PASSWORD, Dovecot, running_dovecot
from tests.kit.mails import draft, hand_in
from tests.kit.ports import free_ports
from tests.kit.postfix import Postfix, running_postfix
from tests.kit.roles import Roles
from tests.kit.waiting import wait_for

OURS, REPORTS = "sender.test", "bounces.sender.test"
WAYS = ("relay", "mailbox")
PEOPLE = ("good", "kind", "away", "rude", "full", "over", "unknown")
VACATION = 'vacation :days 1 :subject "Out of office" "Back in May.";\n'
USERS = {
    "news": "",  # the sender's own mailbox
    "good": "",
    "kind": "",
    "away": "",
    "rude": "",
    "full": "userdb_quota_rule=*:bytes=100",  # refused for good: 552 5.2.2
    "over": "userdb_quota_rule=*:bytes=100 userdb_quota_full_tempfail=yes",  # refused for now: 452 4.2.2
}
SIEVE = {
    "away": f'require "vacation";\n{VACATION}',
    # Programs that answer bulk mail all the same, as this one does that no longer sees what the mail says of itself.
    "rude": f'require ["editheader", "vacation"];\ndeleteheader "Precedence";\ndeleteheader "List-Id";\n'
    f'deleteheader "List-Unsubscribe";\ndeleteheader "List-Unsubscribe-Post";\n{VACATION}',
}


@dataclass(frozen=True)
class Town:
    """An instance whose worker is not started yet, the mail server of everybody, and the mailboxes."""

    instance: Roles
    postfix: Postfix
    dovecot: Dovecot
    database: Database

    def start_worker(self, way: str) -> None:
        """Start a worker that lets reports come back to the relay, or to the sender's own address."""
        self.instance.environment["RESONANZ_RETURN_PATH_DOMAIN"] = REPORTS if way == "relay" else ""
        self.instance.launch("worker")
        wait_for(lambda: self.instance.is_well("worker"), "the worker")

    def mail_of(self, user: str, subject: str) -> EmailMessage:
        """Wait for a mail in somebody's inbox."""

        def found() -> EmailMessage | None:
            mails = (
                message_from_bytes(path.read_bytes(), policy=policy.default) for path in self.dovecot.lying(user=user)
            )
            return next((m for m in mails if m["Subject"] == subject and isinstance(m, EmailMessage)), None)

        mail = wait_for(found, f"a mail to {user}")
        assert mail is not None
        return mail

    def answer(self, mail: EmailMessage, text: str) -> None:
        """Answer a mail as a person does: with their program, by their server."""
        reply = EmailMessage()
        reply["From"], reply["To"], reply["Subject"] = mail["To"], mail["From"], f"Re: {mail['Subject']}"
        reply["Message-ID"], reply["In-Reply-To"] = f"<answer-{mail['Message-ID'][1:]}", mail["Message-ID"]
        reply.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.postfix.port, timeout=20) as client:
            client.send_message(reply)

    def state(self, message_id: UUID) -> MessageState:
        """Where a mail is."""
        with self.database.read() as tx:
            message = messages.get_message(tx, message_id)
        assert message is not None
        return message.state

    def told(self, message_id: UUID, kind: EventKind) -> list[Event]:
        """The facts of one kind about a mail."""
        with self.database.read() as tx:
            return [event for event in events.of_message(tx, message_id) if event.kind is kind]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Everything running but the worker, once for the tests of this file; each has a domain of recipients."""
    instance = Roles(tmp_path_factory.mktemp("town"), ["relay"], {"RESONANZ_RETURN_PATH_DOMAIN": REPORTS})
    (port,) = free_ports(1)
    with ExitStack() as stack:
        dovecot = stack.enter_context(running_dovecot(USERS, sieve=SIEVE, submission=port))
        postfix = stack.enter_context(
            running_postfix(
                domain=OURS,
                reports_domain=REPORTS,
                reports_port=int(instance.environment["RESONANZ_INBOUND_PORT"]),
                port=port,
                more={
                    "virtual_mailbox_domains": ", ".join([OURS, *(f"{way}.test" for way in WAYS)]),
                    "virtual_mailbox_maps": "",
                    "virtual_transport": f"lmtp:inet:127.0.0.1:{dovecot.lmtp}",
                    "lmtp_assume_final": "yes",  # else its success reports say `relayed`, and prove no delivery
                    "maximal_queue_lifetime": "0",  # what is refused for now comes back after the first try
                },
            )
        )
        instance.environment["RESONANZ_SMTP_URL"] = postfix.url
        instance.environment["RESONANZ_SMTP_CA_FILE"] = str(dovecot.certificate)
        stack.enter_context(instance)
        database = open_database(f"sqlite:///{instance.data / 'resonanz.sqlite'}")
        stack.callback(database.close)
        add_mailbox(  # answers go to the sender's own address in any case
            database,
            lambda: open_sealer(instance.data / "sealing.json"),
            protocol="imap",
            host="localhost",
            port=dovecot.imaps,
            username="news",
            password=PASSWORD,
            actor="tests",
            now=model.now(),
        )
        yield Town(instance, postfix, dovecot, database)


@pytest.mark.parametrize("way", WAYS)
def test_what_becomes_of_a_campaign(town: Town, way: str) -> None:
    """Delivered is what a success report proves, hard what nobody owns; a full mailbox is soft, an automatic answer no
    bounce, a person's answer a reply. Only the address that does not exist is suppressed."""
    town.start_worker(way)
    try:
        sent = send_campaign(town.database, way)
        town.answer(town.mail_of("kind", way), "Thank you!")
        wanted = dict.fromkeys(PEOPLE, MessageState.DELIVERED)
        wanted |= dict.fromkeys(("full", "over", "unknown"), MessageState.BOUNCED)
        if way == "mailbox":  # success is not asked for where its reports would fill the sender's own mailbox
            wanted |= dict.fromkeys(("good", "away"), MessageState.SENT)
        wait_for(lambda: {who: town.state(id) for who, id in sent.items()} == wanted, "the states")
        assert {event.source for event in town.told(sent["unknown"], EventKind.BOUNCED)} == {way}
        assert len(town.told(sent["good"], EventKind.DELIVERED)) == (way == "relay")
        assert {who: bounce_of(town, sent[who]) for who in ("full", "over", "unknown")} == {
            "full": ("soft", "5.2.2", "mailbox_full"),
            "over": ("soft", "4.2.2", "mailbox_full"),
            "unknown": ("hard", "5.1.1", "unknown_mailbox"),
        }
        wait_for(lambda: town.told(sent["rude"], EventKind.AUTORESPONDED), "the automatic answer")
        wait_for(lambda: town.told(sent["kind"], EventKind.REPLIED), "the answer")
        assert not town.told(sent["away"], EventKind.AUTORESPONDED)  # its program saw that this is bulk mail
        with town.database.read() as tx:
            suppressed = {who: reason_for(tx, f"{who}@{way}.test") for who in PEOPLE}
        assert suppressed == {**dict.fromkeys(PEOPLE), "unknown": "bounced"}

        personal = draft(sender=f"news@{OURS}", recipients=[f"away@{way}.test"])
        away = hand_in(town.database, personal, model.now()).messages[0][0]
        wait_for(lambda: town.told(away, EventKind.AUTORESPONDED), "the vacation notice")
        wait_for(lambda: town.state(away) is MessageState.DELIVERED, "the vacationer's mail")
    finally:
        town.instance.kill("worker")


def send_campaign(database: Database, way: str) -> dict[str, UUID]:
    """Send a campaign to everybody; return the message of each, once all are made."""
    letters = add_list(database, way)
    add_people(database, [letters], [f"{who}@{way}.test" for who in PEOPLE])
    what = plan([letters], sender=f"News <news@{OURS}>", subject=way)
    made = campaigns.create(database, what, account_id=None, now=model.now())
    campaigns.schedule(database, made.id, at=None, now=model.now())
    wait_for(lambda: stored(database, made.id).expanded, "the campaign's mails")
    submission_id = stored(database, made.id).submission_id
    assert submission_id is not None
    with database.read() as tx:
        found = messages.of_submission(tx, submission_id)
    return {message.recipient.partition("@")[0]: message.id for message in found}


def bounce_of(town: Town, message_id: UUID) -> tuple[object, ...]:
    """What the mail's one bounce says."""
    (bounced,) = town.told(message_id, EventKind.BOUNCED)
    return tuple(bounced.detail[name] for name in ("bounce", "status", "reason"))
