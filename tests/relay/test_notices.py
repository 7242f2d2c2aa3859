"""What senders are told of mail that they handed in over SMTP: RFC 3461's wishes in, RFC 3464's notices out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO

import pytest
from flufl.bounce import scan_message
from sqlalchemy import update

from resonanz import model
from resonanz.app.telling import Teller
from resonanz.mail.refusals import Outcome, understand
from resonanz.mail.reports import ReportKind, read_report
from resonanz.model import PermanentFailure
from resonanz.people import suppress
from resonanz.people.suppression import Reason as Suppressed
from resonanz.sending import notices
from resonanz.sending.rule_book import set_rules
from resonanz.sending.rules import Copies, Rules
from resonanz.sending.transports.base import Deferred, Delivery, Envelope, Refused
from resonanz.store import Database, queue
from resonanz.store.tables import wanted_reports
from tests.kit.mails import RAW
from tests.kit.relays import DOMAIN, LOGIN, Relay, running_relay
from tests.kit.reports import dsn
from tests.kit.workers import ScriptedTransport, run_until, worker_on

GRACE, BOB = "grace@rcpt.example", "bob@rcpt.example"
NOBODY = "550 5.1.1 <grace@rcpt.example>: no such user here"


class Post:
    """A relay whose next server answers as told, by recipient; notices are always taken."""

    def __init__(self, database: Database, relay: Relay, domain: str = DOMAIN) -> None:
        self.database = database
        self.relay = relay
        self.domain = domain
        self.answers: dict[str, Callable[[], Delivery]] = {}
        self.transport = ScriptedTransport(self._answer)

    async def _answer(self, envelope: Envelope, message: bytes) -> Delivery:
        return self.answers.get(envelope.recipient, lambda: Delivery("250 ok", reports=False))()

    def hand_in(self, *rcpt: tuple[str, str], mail: str = "", sender: str = LOGIN, raw: bytes = RAW) -> None:
        """Submit a mail with these parameters to RCPT and MAIL."""
        with self.relay.logged_in() as client:
            client.ehlo()
            assert client.has_extn("dsn")
            assert client.docmd(f"MAIL FROM:<{sender}> {mail}")[0] == 250
            for address, parameters in rcpt:
                assert client.docmd(f"RCPT TO:<{address}> {parameters}")[0] == 250
            assert client.data(raw)[0] == 250

    def carry(self) -> None:
        """Let the worker try what is due, once."""
        self.transport.taken.clear()
        worker = worker_on(self.database, self.transport, return_path_domain=self.domain)
        run_until(worker, self._nothing_due, "everything tried")

    def _nothing_due(self) -> bool:
        with self.database.read() as tx:
            standing = queue.standing(tx, model.now())
        return not standing.due and not standing.claimed

    def told(self, *, later: timedelta = timedelta(0)) -> list[tuple[Envelope, EmailMessage, bytes]]:
        """Let the worker carry what is due and tell, as if so much time had passed since the mails were handed in;
        return the notices that went out, and see that it was to the sender and without a return path."""
        self.carry()
        with self.database.write() as tx:
            tx.execute(update(wanted_reports).values(created_at=model.now() - later))
        teller = Teller(self.database, self.domain, timedelta(hours=4))
        while teller.turn(model.now()):
            pass
        self.carry()
        found = []
        for envelope, message in self.transport.taken:
            if envelope.recipient == LOGIN:
                assert envelope.sender == ""
                parsed = message_from_bytes(message, policy=policy.default)
                assert isinstance(parsed, EmailMessage)
                found.append((envelope, parsed, message))
        return found


def refuse() -> Delivery:
    """The next server's answer about an address that is dead."""
    raise Refused(NOBODY, understand(NOBODY))


def put_off() -> Delivery:
    """The next server's answer about a mailbox that is full."""
    raise Deferred("452 4.2.2 mailbox full")


@pytest.fixture
def post(database: Database) -> Iterator[Post]:
    """The doors, and a way out."""
    with running_relay(database) as relay:
        yield Post(database, relay)


@pytest.fixture
def one(sqlite_database: Database) -> Iterator[Post]:
    """The same, for what does not depend on the database."""
    with running_relay(sqlite_database) as relay:
        yield Post(sqlite_database, relay)


def test_a_refusal_comes_back_once(post: Post) -> None:
    """The sender gets one notice about both dead addresses of one mail: plain words first, fields that programs read,
    ENVID and ORCPT as the client wrote them, the header of the mail; and never a second."""
    post.answers = {GRACE: refuse, BOB: refuse}
    post.hand_in((GRACE, "ORCPT=rfc822;g+2Dh@rcpt.example"), (BOB, ""), ("c@rcpt.example", ""), mail="ENVID=Q1+3Da")
    [(_, notice, raw)] = post.told()

    assert notice["Auto-Submitted"] == "auto-replied"
    assert notice["To"] == LOGIN
    assert notice["Subject"] == "Not delivered: Minutes"
    assert notice.get_content_type() == "multipart/report"
    words, status, returned = list(notice.iter_parts())
    text = words.get_content()
    for said in ("could not be delivered", GRACE, "Nobody has this address.", "no such user here"):
        assert said in text
    assert status.get_content_type() == "message/delivery-status"
    about, first, second = status.get_payload()
    assert (about["Original-Envelope-Id"], about["Reporting-MTA"]) == ("Q1=a", f"dns; {DOMAIN}")
    assert first["Final-Recipient"] == f"rfc822; {GRACE}"
    assert first["Original-Recipient"] == "rfc822;g-h@rcpt.example"
    assert (first["Action"], first["Status"]) == ("failed", "5.1.1")
    assert first["Diagnostic-Code"].startswith("smtp; 550 5.1.1")
    assert second["Final-Recipient"] == f"rfc822; {BOB}"
    assert returned.get_content_type() == "text/rfc822-headers"
    assert b"Subject: Minutes" in returned.get_payload(decode=True)
    assert b"Hello" not in raw

    report = read_report(raw)
    assert report.kind is ReportKind.BOUNCE
    addresses = ["g-h@rcpt.example", BOB]  # as the sender knows them
    assert [(each.address, each.outcome) for each in report.recipients] == [(one, Outcome.HARD) for one in addresses]
    assert scan_message(notice) == {address.encode() for address in addresses}
    assert post.told() == []


def test_the_whole_mail_comes_back(one: Post) -> None:
    """RET=FULL brings the mail back as it went out but for tracking, without its Bcc, also where it holds 8 bits."""
    one.answers = {GRACE: refuse}
    one.hand_in((GRACE, ""), mail="RET=FULL BODY=8BITMIME", raw=RAW.replace(b"Hello", "Grüße".encode()))
    [(_, notice, raw)] = one.told()
    returned = list(notice.iter_parts())[2]
    assert returned.get_content_type() == "message/rfc822"
    assert "<p>Grüße".encode() in raw
    assert returned.get_payload(0)["Bcc"] is None
    assert read_report(raw).kind is ReportKind.BOUNCE


@pytest.mark.parametrize(
    ("notify", "failure", "delay", "success"),
    [
        ("", True, True, False),
        ("NOTIFY=NEVER", False, False, False),
        ("NOTIFY=FAILURE", True, False, False),
        ("NOTIFY=delay", False, True, False),
        ("NOTIFY=SUCCESS,FAILURE", True, False, True),
    ],
)
def test_only_what_was_asked_for(one: Post, notify: str, *, failure: bool, delay: bool, success: bool) -> None:
    """NOTIFY decides what the sender is told; without it, failures and delays."""
    one.answers = {GRACE: refuse, BOB: put_off}
    one.hand_in((GRACE, notify), (BOB, notify), ("carol@rcpt.example", notify))
    found = {notice["Subject"] for _, notice, _ in one.told(later=timedelta(hours=5))}
    expected = {"Not delivered": failure, "Not delivered yet": delay, "Handed on": success}
    assert found == {f"{subject}: Minutes" for subject, is_asked in expected.items() if is_asked}


def test_a_delay_is_told_once_and_then_the_end(one: Post) -> None:
    """After the setting's hours the sender is told that it is late, once, and until when it is tried; and at last that
    it is given up, with the last answer's words."""
    one.answers = {GRACE: put_off}
    one.hand_in((GRACE, ""))
    assert one.told(later=timedelta(hours=3)) == []
    [(_, notice, raw)] = one.told(later=timedelta(hours=5))
    _, fields = next(part for part in notice.iter_parts() if part.get_content_type().endswith("status")).get_payload()
    assert (fields["Action"], fields["Status"]) == ("delayed", "4.2.2")
    assert fields["Will-Retry-Until"]
    assert "There is no room left" in next(iter(notice.iter_parts())).get_content()
    assert read_report(raw).kind is ReportKind.DELAY
    assert one.told(later=timedelta(hours=9)) == []

    with one.database.write() as tx:
        tx.exec_driver_sql("UPDATE queue SET attempts = 12, due_at = 0")
    [(_, notice, raw)] = one.told()
    _, fields = next(part for part in notice.iter_parts() if part.get_content_type().endswith("status")).get_payload()
    assert (fields["Action"], fields["Status"]) == ("failed", "4.4.7")
    [recipient] = read_report(raw).recipients
    assert (recipient.outcome, recipient.reason) == (Outcome.SOFT, "mailbox_full")


def test_success_is_told_on_evidence(one: Post) -> None:
    """Where the next server reports, success is told when its report comes back, and as delivered."""
    one.answers = {GRACE: lambda: Delivery("250 ok")}
    one.hand_in((GRACE, "NOTIFY=SUCCESS"))
    one.carry()
    [(envelope, _)] = one.transport.taken
    assert one.told() == []
    with one.relay.inbound() as client:
        client.sendmail("<>", [envelope.sender], dsn(GRACE, "delivered", "2.0.0"))
    [(_, notice, raw)] = one.told()
    assert notice["Subject"] == "Delivered: Minutes"
    assert read_report(raw).kind is ReportKind.DELIVERED


def test_a_bounce_that_comes_back_later(post: Post) -> None:
    """A report from behind the next server comes to us, for our return path stood in the mail; the sender gets it."""
    post.hand_in((GRACE, ""))
    post.carry()
    [(envelope, _)] = post.transport.taken
    for _ in range(2):
        with post.relay.inbound() as client:
            client.sendmail("<>", [envelope.sender], dsn(GRACE, "failed", "5.2.2", diagnostic="552 5.2.2 over quota"))
    [(_, notice, raw)] = post.told()
    assert "There is no room left in the mailbox." in next(iter(notice.iter_parts())).get_content()
    assert [each.outcome for each in read_report(raw).recipients] == [Outcome.SOFT]


def test_a_suppressed_address_is_told(one: Post) -> None:
    """A mail that is not sent because of the suppression list is no silent loss: its sender is told why."""
    with one.database.write() as tx:
        suppress(tx, GRACE, Suppressed.UNSUBSCRIBED, now=model.now(), source="test")
    one.hand_in((GRACE, ""))
    [(_, notice, _)] = one.told()
    assert "suppression list" in next(iter(notice.iter_parts())).get_content()


def test_nobody_is_told_about_a_notice(one: Post) -> None:
    """A client's own read receipt has no sender: it goes out so, and when it fails nobody is told. Nor about a notice
    that fails, and that the sender is on the suppression list keeps no notice back."""
    with one.database.write() as tx:
        suppress(tx, LOGIN, Suppressed.UNSUBSCRIBED, now=model.now(), source="test")
    one.answers = {GRACE: refuse}
    one.hand_in((GRACE, ""), sender="")
    one.carry()
    assert [envelope.sender for envelope, _ in one.transport.taken] == [""]
    assert one.told() == []

    one.answers = {GRACE: refuse, LOGIN: refuse}
    one.hand_in((GRACE, ""))
    assert len(one.told()) == 1
    assert one.told() == []


def test_in_the_senders_language(one: Post) -> None:
    """The words are in the language that the sender's mail program names."""
    one.answers = {GRACE: refuse}
    one.hand_in((GRACE, ""), raw=b"Accept-Language: nn-NO, de-AT;q=0.8\r\n" + RAW)
    [(_, notice, _)] = one.told()
    assert notice["Subject"] == "Nicht zugestellt: Minutes"
    assert "Diese Adresse gibt es nicht." in next(iter(notice.iter_parts())).get_content()


def test_hostile_words_of_the_other_server(one: Post) -> None:
    """Whatever the next server says ends no field and no part of the notice."""

    def refuse_badly() -> Delivery:
        said = "550 5.1.1 x\r\n\r\n--=_\r\nAction: delivered\r\n\x00 " + "y" * 5_000
        raise Refused(said, understand(said))

    one.answers = {GRACE: refuse_badly}
    one.hand_in((GRACE, ""), raw=RAW.replace(b"Minutes", b"=?utf-8?q?a=0D=0ABcc:_x=40y.example=00?="))
    [(_, notice, raw)] = one.told()
    assert notice["Bcc"] is None
    assert [(each.address, each.outcome) for each in read_report(raw).recipients] == [(GRACE, Outcome.HARD)]
    assert max(len(line) for line in BytesIO(raw)) <= 1_000


def test_a_crash_while_telling(one: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storing the notice and forgetting that there was something to tell is one transaction: after a crash in the
    middle there is still one notice, and only one."""
    one.answers = {GRACE: refuse}
    one.hand_in((GRACE, ""))
    one.carry()

    def crash(*_: object) -> None:
        raise PermanentFailure("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(notices, "told", crash)
        with pytest.raises(PermanentFailure):
            notices.tell_some(one.database, DOMAIN, model.now())
    assert len(one.told()) == 1


def test_without_a_return_path_of_ours(sqlite_database: Database) -> None:
    """Then the next server reports to the sender itself, and is asked for what the client asked for."""
    with running_relay(sqlite_database) as relay:
        post = Post(sqlite_database, relay, domain="")
        post.hand_in((GRACE, "NOTIFY=FAILURE ORCPT=rfc822;g@x.example"), (BOB, "NOTIFY=NEVER"), mail="RET=FULL ENVID=7")
        post.carry()
    asked = {envelope.recipient: envelope for envelope, _ in post.transport.taken}
    grace, bob = asked[GRACE].wishes, asked[BOB].wishes
    assert asked[GRACE].sender == LOGIN
    assert (grace.notify, grace.whole, grace.envelope_id) == ("FAILURE", True, "7")
    assert grace.original_recipient == "rfc822;g@x.example"
    assert bob.notify == "NEVER"


def test_bad_wishes(one: Post) -> None:
    """What is not as RFC 3461 has it is refused with 501 (or 555, as an unknown word), and the session goes on."""
    wrong = {
        f"FROM:<{LOGIN}>": ("RET=ALL", "RET", "RET=FULL RET=HDRS", "ENVID=", "ENVID=a=b", "ENVID=a+0D+0A",
                            f"ENVID={'x' * 101}", "NOTIFY=NEVER"),
        f"TO:<{GRACE}>": ("NOTIFY=", "NOTIFY=NEVER,FAILURE", "NOTIFY=OFTEN", "NOTIFY=DELAY,DELAY", "ORCPT=grace",
                          "ORCPT=rfc822;", "ORCPT=rfc822;a+0Ab", f"ORCPT=rfc822;{'x' * 500}", "RET=FULL"),
    }  # fmt: skip
    with one.relay.logged_in() as client:
        client.ehlo()
        for path, parameters in wrong.items():
            command = "MAIL" if path.startswith("FROM") else "RCPT"
            for parameter in parameters:
                assert client.docmd(command, f"{path} {parameter}")[0] in (501, 555), parameter
            assert client.docmd(command, path)[0] == 250


def test_a_shared_copy_has_wishes_of_its_own_for_each(one: Post) -> None:
    """Several recipients get the same bytes, each on their own. The sender is told of each as was asked for it, with
    its ORCPT; what a notice returns carries the copies' Message-ID, also where it is about one that was never made."""
    set_rules(one.database, one.relay.account.id, "", Rules(copies=Copies.SHARED), model.now())
    names = ("never", "failure", "plain", "success", "delay")
    never, failure, plain, success, delay = (f"{name}@rcpt.example" for name in names)
    dead = "550 5.1.1 no such user"

    def refuse_any() -> Delivery:
        raise Refused(dead, understand(dead))

    one.answers = dict.fromkeys((never, plain), refuse_any) | {
        delay: put_off, success: lambda: Delivery("250 ok")
    }  # fmt: skip
    one.hand_in(
        (never, "NOTIFY=NEVER ORCPT=rfc822;n@x.example"),
        (failure, "NOTIFY=FAILURE ORCPT=rfc822;f@x.example"),
        (plain, ""),
        (success, "NOTIFY=SUCCESS ORCPT=rfc822;s@x.example"),
        (delay, "NOTIFY=DELAY"),
        mail="RET=HDRS ENVID=E7",
    )
    with one.database.write() as tx:
        suppress(tx, failure, Suppressed.UNSUBSCRIBED, now=model.now(), source="test")
    one.carry()
    taken = {envelope.recipient: (envelope, copy) for envelope, copy in one.transport.taken}
    assert len({copy for _, copy in taken.values()}) == 1
    header_id = message_from_bytes(taken[plain][1])["Message-ID"]
    with one.relay.inbound() as client:
        client.sendmail("<>", [taken[success][0].sender], dsn(success, "delivered", "2.0.0"))
    told = {}
    for _, _, raw in one.told(later=timedelta(hours=5)):
        report = read_report(raw)
        assert b"Original-Envelope-Id: E7" in raw
        assert header_id.encode() in raw
        told[report.kind] = sorted(recipient.address for recipient in report.recipients), raw
    assert {kind: found for kind, (found, _) in told.items()} == {
        ReportKind.BOUNCE: [failure, plain],
        ReportKind.DELIVERED: [success],
        ReportKind.DELAY: [delay],
    }
    for kind, wanted in ((ReportKind.BOUNCE, b"rfc822;f@x.example"), (ReportKind.DELIVERED, b"rfc822;s@x.example")):
        assert wanted in told[kind][1]
        assert b"n@x.example" not in told[kind][1]
