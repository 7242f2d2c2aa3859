"""The queue worker: every queued mail is built, delivered and accounted for, whatever the other side says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from resonanz import model
from resonanz.ingest import record, record_report
from resonanz.mail.refusals import Outcome, understand
from resonanz.mail.reports import Report, ReportedRecipient, ReportKind
from resonanz.model import Coverage, Event, EventKind, MessageState, TemporaryFailure, TrackingMode, Verdict
from resonanz.people import Choice, Purpose, Reason, reason_for, record_choice, suppress
from resonanz.sending import ledger
from resonanz.sending.schedule import DELAYS
from resonanz.sending.transports.base import Deferred, Delivery, Envelope, Refused, Unreachable
from resonanz.sending.transports.outbox import Outbox, OutboxTransport
from resonanz.sending.worker import AHEAD, Worker
from resonanz.store import Database, contacts, events, messages, queue
from resonanz.store.messages import Message
from resonanz.tokens import TokenKind, read, read_return_path
from tests.kit.mails import NOW, RAW, draft, hand_in, raw_draft
from tests.kit.rows import next_due
from tests.kit.waiting import until
from tests.kit.workers import EDGE, KEYS, ScriptedTransport, is_empty, run_until, worker_on


def test_a_mail_goes_out_tracked(database: Database, tmp_path: Path) -> None:
    """A composed mail ends in the outbox with pixel and links of its own, and the message knows what was built."""
    receipt = hand_in(database, draft(recipients=["Grace <grace@rcpt.example>"]))
    message_id = receipt.messages[0][0]
    run_until(worker_on(database, OutboxTransport(tmp_path)), is_empty(database))

    written = Outbox(tmp_path).get(message_id)
    assert written is not None
    mail = message_from_bytes(written, policy=policy.default)
    assert mail["To"] == "Grace <grace@rcpt.example>"
    assert mail["Message-ID"] == f"<{message_id.hex}@sender.example>"
    html = _html(written)
    token = html.split(f"{EDGE}/o/")[1].split(".gif")[0]
    assert read(KEYS, token).id == message_id
    click = read(KEYS, html.split(f"{EDGE}/c/")[1].split('"')[0])
    assert (click.kind, click.id, click.destination) == (TokenKind.CLICK, message_id, "https://example.org/minutes")

    message = _message(database, message_id)
    assert message.state is MessageState.DELIVERED  # the outbox is the mailbox
    assert message.header_id == mail["Message-ID"]
    assert (message.track_opens, message.track_clicks) == (TrackingMode.INDIVIDUAL, TrackingMode.INDIVIDUAL)
    assert message.coverage is Coverage.TRACKABLE
    assert _kinds(database, message_id) == [EventKind.QUEUED, EventKind.SENT, EventKind.DELIVERED]
    with database.read() as tx:
        submission = messages.get_submission(tx, receipt.submission_id)
        assert submission is not None
        links = messages.list_links(tx, submission.content_id)
        assert [(link.url, link.label) for link in links] == [("https://example.org/minutes", "the minutes")]
        assert [attempt.outcome for attempt in queue.list_attempts(tx, message_id)] == [EventKind.SENT]


def test_an_authors_mail_keeps_what_is_visible(sqlite_database: Database, tmp_path: Path) -> None:
    """Of an author's mail Bcc goes, a missing Date and Message-ID come, every visible header stays byte for byte."""
    receipt = hand_in(sqlite_database, raw_draft(RAW.replace(b"\r\n", b"\n")))
    run_until(worker_on(sqlite_database, OutboxTransport(tmp_path)), is_empty(sqlite_database))

    written = Outbox(tmp_path).get(receipt.messages[0][0])
    assert written is not None
    assert b"hidden@rcpt.example" not in written
    assert b"From: Ada <ada@sender.example>\r\nTo: Grace <grace@rcpt.example>\r\nSubject: Minutes\r\n" in written
    assert written.count(b"\n") == written.count(b"\r\n")
    mail = message_from_bytes(written, policy=policy.default)
    assert "Bcc" not in mail  # by name: the letters alone may stand in any id
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"]


def test_an_authors_own_id_is_kept(sqlite_database: Database) -> None:
    """A Message-ID that the author gave stays, and is what reports are matched by."""
    receipt = hand_in(sqlite_database, raw_draft(b"Message-ID: <mine@sender.example>\r\n" + RAW))
    transport = ScriptedTransport()
    run_until(worker_on(sqlite_database, transport), is_empty(sqlite_database))
    assert transport.taken[0][1].count(b"Message-ID:") == 1
    assert _message(sqlite_database, receipt.messages[0][0]).header_id == "<mine@sender.example>"


def test_consent_decides(database: Database) -> None:
    """Tracking is the lesser of what was asked and what the contact allows; unknown is what the instance says."""
    receipt = hand_in(database, draft(recipients=["no@rcpt.example", "new@rcpt.example", "yes@rcpt.example"]))
    with database.write() as tx:
        people = contacts.ensure_contacts(tx, [("no@rcpt.example", ""), ("yes@rcpt.example", "")], NOW)
        for purpose in (Purpose.OPENS, Purpose.CLICKS):
            record_choice(tx, people["no@rcpt.example"], purpose, Choice.REFUSED, now=NOW, source="test")
            record_choice(tx, people["yes@rcpt.example"], purpose, Choice.GRANTED, now=NOW, source="test")
    transport = ScriptedTransport()
    run_until(worker_on(database, transport, unknown=TrackingMode.ANONYMOUS), is_empty(database))

    sent = {envelope.recipient: message for envelope, message in transport.taken}
    built = {recipient: _message(database, message_id) for message_id, recipient in receipt.messages}
    assert EDGE not in _html(sent["no@rcpt.example"])
    assert built["no@rcpt.example"].track_opens is TrackingMode.OFF
    assert built["no@rcpt.example"].untracked_reason == "tracking_off"
    assert built["new@rcpt.example"].track_opens is TrackingMode.ANONYMOUS
    assert built["yes@rcpt.example"].track_opens is TrackingMode.INDIVIDUAL
    token = read(KEYS, _html(sent["new@rcpt.example"]).split(f"{EDGE}/o/")[1].split(".gif")[0])
    assert (token.anonymous, token.id) == (True, receipt.submission_id)


def test_a_mail_that_must_not_change_goes_out_unchanged(sqlite_database: Database) -> None:
    """A signed mail is sent as it is, and the reason is kept."""
    signed = (
        b"From: ada@sender.example\r\nDate: Mon, 04 May 2026 12:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b\r\n\r\n'
        b'--b\r\nContent-Type: text/html\r\n\r\n<a href="https://example.org/">x</a>\r\n'
        b"--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n"
    )
    receipt = hand_in(sqlite_database, raw_draft(signed))
    transport = ScriptedTransport()
    run_until(worker_on(sqlite_database, transport), is_empty(sqlite_database))
    assert transport.taken[0][1] == signed
    message = _message(sqlite_database, receipt.messages[0][0])
    assert message.untracked_reason == "signed"
    assert message.coverage is Coverage.NOT_TRACKED
    assert message.track_opens is TrackingMode.OFF


def test_suppression_is_asked_when_it_is_sent(database: Database) -> None:
    """An address suppressed after the mail was queued gets none, and the message says why."""
    receipt = hand_in(database, draft(recipients=["Gone@rcpt.example"]))
    with database.write() as tx:
        suppress(tx, "gone@rcpt.example", Reason.UNSUBSCRIBED, now=NOW, source="test")
    transport = ScriptedTransport()
    run_until(worker_on(database, transport), is_empty(database))
    assert transport.taken == []
    message = _message(database, receipt.messages[0][0])
    assert message.state is MessageState.SUPPRESSED
    assert "unsubscribed" in message.state_note


@pytest.mark.parametrize(
    ("reply", "bounce", "suppressed"),
    [
        ("550 5.1.1 <x@y>: user unknown", "hard", True),
        ("550 no such user here", "hard", True),
        ("552 5.2.2 mailbox full", "soft", False),
        ("554 5.7.1 blocked by policy", "soft", False),
    ],
)
def test_refused_for_good(sqlite_database: Database, reply: str, bounce: str, suppressed: bool) -> None:
    """A 5xx is a bounce; only when the address itself is dead is it hard and the address suppressed."""
    receipt = hand_in(sqlite_database)

    async def refuse(envelope: Envelope, message: bytes) -> Delivery:
        raise Refused(reply, understand(reply))

    run_until(worker_on(sqlite_database, ScriptedTransport(refuse)), is_empty(sqlite_database))
    message = _message(sqlite_database, receipt.messages[0][0])
    assert message.state is MessageState.BOUNCED
    assert message.state_note == reply
    with sqlite_database.read() as tx:
        fact = events.of_message(tx, message.id)[-1]
        assert (fact.kind, fact.detail["bounce"]) == (EventKind.BOUNCED, bounce)
        assert (reason_for(tx, message.recipient) is not None) is suppressed


def test_tried_again_by_the_table_then_given_up(database: Database) -> None:
    """A temporary failure is tried again after the table's delay, and given up when the table ends."""
    receipt = hand_in(database)
    message_id = receipt.messages[0][0]
    moment = NOW

    async def refuse(envelope: Envelope, message: bytes) -> Delivery:
        raise Deferred("451 4.7.1 greylisted")

    transport = ScriptedTransport(refuse)
    for number, delay in enumerate(DELAYS, start=1):
        worker = worker_on(database, transport, clock=lambda moment=moment: moment)  # type: ignore[misc]
        run_until(worker, lambda number=number: len(_attempts(database, message_id)) == number)  # type: ignore[misc]
        assert _message(database, message_id).state is MessageState.DEFERRED
        due = _due(database)
        assert moment + delay <= due <= moment + delay * 1.2
        moment = due
    run_until(worker_on(database, transport, clock=lambda: moment), is_empty(database))
    message = _message(database, message_id)
    assert message.state is MessageState.FAILED
    assert message.state_note == "451 4.7.1 greylisted"
    assert len(_attempts(database, message_id)) == len(DELAYS) + 1
    ids = {message for _, message in transport.taken}
    assert len(ids) == 1, "a second attempt must be the same mail, so that receivers can tell"


def test_an_unknown_failure_is_temporary(sqlite_database: Database) -> None:
    """A defect of ours or of a library defers the mail; it is neither lost nor bounced."""
    receipt = hand_in(sqlite_database)

    async def break_down(envelope: Envelope, message: bytes) -> Delivery:
        raise KeyError("surprise")

    worker = worker_on(sqlite_database, ScriptedTransport(break_down))
    run_until(worker, lambda: _attempts(sqlite_database, receipt.messages[0][0]))
    message = _message(sqlite_database, receipt.messages[0][0])
    assert message.state is MessageState.DEFERRED
    assert message.state_note == "our own failure: KeyError"


def test_a_server_that_is_down_costs_few_attempts(sqlite_database: Database) -> None:
    """While the other side cannot be reached, the queue waits as it is; what is left goes out once it can."""
    hand_in(sqlite_database, draft(recipients=[f"p{number}@rcpt.example" for number in range(40)]))
    moment = [NOW]
    looks = [0]
    is_down = [True]

    def clock() -> datetime:
        looks[0] += 1
        return moment[0]

    async def answer(envelope: Envelope, message: bytes) -> Delivery:
        if is_down[0]:
            raise Unreachable("mail.example:25 cannot be reached")
        return Delivery("250 taken")

    transport = ScriptedTransport(answer)
    tried: list[int] = []

    async def main() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(worker_on(sqlite_database, transport, connections=1, clock=clock).run(stopping))
        await until(lambda: transport.taken, "a first attempt")
        seen = looks[0]
        await until(lambda: looks[0] > seen + 8, "more looks at the clock")
        tried.append(len(transport.taken))
        is_down[0] = False
        moment[0] += timedelta(minutes=2)
        await until(is_empty(sqlite_database))
        stopping.set()
        await running

    asyncio.run(main())
    assert tried[0] <= 2 * AHEAD
    assert len(transport.taken) == 40 + tried[0]


def test_a_mail_submitted_while_the_worker_idles(sqlite_database: Database) -> None:
    """A running worker notices what another process stores."""
    transport = ScriptedTransport()

    async def main() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(worker_on(sqlite_database, transport).run(stopping))
        await until(lambda: True)
        await asyncio.to_thread(hand_in, sqlite_database)
        await until(is_empty(sqlite_database))
        stopping.set()
        await running

    asyncio.run(main())
    assert len(transport.taken) == 1


def test_on_the_wire_when_its_worker_died(database: Database) -> None:
    """Such a mail is marked and not sent again by itself; the others of the dead worker are sent."""
    receipt = hand_in(database, draft(recipients=["wire@rcpt.example", "claimed@rcpt.example"]))
    ids = {recipient: message_id for message_id, recipient in receipt.messages}
    _die_with(database, on_wire=ids["wire@rcpt.example"])
    transport = ScriptedTransport()
    run_until(worker_on(database, transport), is_empty(database))

    assert [envelope.recipient for envelope, _ in transport.taken] == ["claimed@rcpt.example"]
    assert _message(database, ids["wire@rcpt.example"]).state is MessageState.UNCERTAIN
    assert _message(database, ids["claimed@rcpt.example"]).state is MessageState.SENT


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Outcome.DELIVERED, MessageState.DELIVERED), (Outcome.HARD, MessageState.BOUNCED), (None, MessageState.DELIVERED)],
    ids=["success", "bounce", "open"],
)
def test_evidence_settles_what_was_uncertain(
    sqlite_database: Database, outcome: Outcome | None, state: MessageState
) -> None:
    """A report that names its Message-ID, which was written down before the mail was on the wire, or a person's open,
    says what became of a mail that nobody could tell about."""
    receipt = hand_in(sqlite_database)
    message_id = receipt.messages[0][0]
    run_until(_dying_on_the_wire(sqlite_database), lambda: _is_on_wire(sqlite_database, message_id))
    run_until(worker_on(sqlite_database, ScriptedTransport()), is_empty(sqlite_database))
    assert _message(sqlite_database, message_id).state is MessageState.UNCERTAIN
    with sqlite_database.write() as tx:
        (found,) = messages.find_by_header_id(tx, f"<{message_id.hex}@sender.example>")
        if outcome is None:
            recipient, verdict = found.recipient, Verdict.HUMAN_DIRECT
            record(
                tx, Event(EventKind.OPENED, NOW, NOW, "edge", message_id=found.id, recipient=recipient, verdict=verdict)
            )
        else:
            about = ReportedRecipient(found.recipient, outcome)
            kind = ReportKind.DELIVERED if outcome is Outcome.DELIVERED else ReportKind.BOUNCE
            told = Report(kind, (about,))
            record_report(tx, message_id=found.id, report=told, now=NOW, source="relay", source_key="1")
    assert _message(sqlite_database, message_id).state is state


def test_on_the_wire_and_to_be_sent_again(sqlite_database: Database) -> None:
    """Where that was decided, the mail goes out once more, and its history keeps the mark."""
    receipt = hand_in(sqlite_database)
    message_id = receipt.messages[0][0]
    _die_with(sqlite_database, on_wire=message_id)
    transport = ScriptedTransport()
    run_until(worker_on(sqlite_database, transport, resend_uncertain=True), is_empty(sqlite_database))

    assert len(transport.taken) == 1
    assert _message(sqlite_database, message_id).state is MessageState.SENT
    with sqlite_database.read() as tx:
        marked = [event for event in events.of_message(tx, message_id) if event.detail.get("uncertain")]
    assert len(marked) == 1


def test_a_lost_lease_is_not_sent(sqlite_database: Database) -> None:
    """A worker that stalls until another has its message does not send it."""
    receipt = hand_in(sqlite_database)

    class Stalls(ScriptedTransport):
        async def deliver(self, envelope: Envelope, message: bytes) -> Delivery:
            with sqlite_database.write() as tx:
                later = model.now() + timedelta(hours=1)
                assert queue.claim(tx, "another", later, later + timedelta(hours=1), limit=1)
            try:
                return await super().deliver(envelope, message)
            finally:
                stalled.set()

    stalled = asyncio.Event()
    transport = Stalls()
    run_until(worker_on(sqlite_database, transport), stalled.is_set)
    assert transport.taken == []
    assert _message(sqlite_database, receipt.messages[0][0]).state is MessageState.QUEUED


def test_a_lease_that_could_not_be_extended(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that cannot extend its leases in time does not take up a second time what it is at."""
    hand_in(database, draft(recipients=[f"p{number}@rcpt.example" for number in range(6)]))
    claims: list[int] = []
    real = queue.claim

    def claim(*arguments: Any, **named: Any) -> list[queue.Claim]:
        found = real(*arguments, **named)
        claims.append(len(found))
        return found

    def extend(*arguments: Any) -> None:
        raise TemporaryFailure("the database is away")

    async def wait(envelope: Envelope, message: bytes) -> Delivery:
        seen = len(claims)
        await until(lambda: len(claims) > seen + 1, "the same claims again")
        return Delivery("250 taken")

    monkeypatch.setattr(queue, "claim", claim)
    monkeypatch.setattr(queue, "extend", extend)
    transport = ScriptedTransport(wait)
    run_until(worker_on(database, transport, connections=6, lease=timedelta(milliseconds=50)), is_empty(database))
    assert sum(claims) > 6, "no lease ended, so nothing was tried"
    assert sorted(envelope.recipient for envelope, _ in transport.taken) == [f"p{n}@rcpt.example" for n in range(6)]


@pytest.mark.parametrize("is_one_submission", [True, False])
def test_stopping_gives_back_what_was_not_begun(sqlite_database: Database, is_one_submission: bool) -> None:
    """After an orderly stop the mail in hand is sent, and the rest is free for the next worker at once: what was only
    claimed, what is being built ahead of its turn, and what was built."""
    people = [f"p{number}@rcpt.example" for number in range(10)]
    for recipients in [people] if is_one_submission else [[person] for person in people]:
        hand_in(sqlite_database, draft(recipients=recipients))
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def wait(envelope: Envelope, message: bytes) -> Delivery:
        reached.set()
        await go_on.wait()
        return Delivery("250 taken")

    async def main() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(worker_on(sqlite_database, transport, connections=1).run(stopping))
        await until(reached.is_set)
        stopping.set()
        await asyncio.sleep(0)
        go_on.set()
        await running

    transport = ScriptedTransport(wait)
    asyncio.run(main())
    assert len(transport.taken) == 1
    with sqlite_database.write() as tx:
        now = model.now()
        assert queue.depth(tx) == 9
        assert len(queue.claim(tx, "next", now, now + timedelta(minutes=1), limit=99)) == 9


def test_the_return_path_names_the_message(sqlite_database: Database) -> None:
    """With a return-path domain, bounces come back to an address that only this message has."""
    receipt = hand_in(sqlite_database)
    transport = ScriptedTransport()
    run_until(
        worker_on(sqlite_database, transport, return_path_domain="bounces.sender.example"), is_empty(sqlite_database)
    )
    local, _, domain = transport.taken[0][0].sender.partition("@")
    assert domain == "bounces.sender.example"
    assert read_return_path(KEYS, local.upper()) == receipt.messages[0][0]


def test_many_copies_of_one_content(database: Database) -> None:
    """What comes from the press is for each recipient what building it alone would be: addressed, tracked, identified,
    and as far as this contact allows."""
    names = [f"Reader {number} <r{number}@rcpt.example>" for number in range(12)]
    receipt = hand_in(database, draft(recipients=names))
    with database.write() as tx:
        refuses = contacts.ensure_contacts(tx, [("r3@rcpt.example", "")], NOW)["r3@rcpt.example"]
        record_choice(tx, refuses, Purpose.OPENS, Choice.REFUSED, now=NOW, source="test")
    transport = ScriptedTransport()
    run_until(worker_on(database, transport), is_empty(database))

    sent = {envelope.recipient: message for envelope, message in transport.taken}
    assert len(sent) == 12
    for number, (message_id, recipient) in enumerate(receipt.messages):
        mail = message_from_bytes(sent[recipient], policy=policy.default)
        assert mail["To"] == names[number]
        assert mail["Message-ID"] == f"<{message_id.hex}@sender.example>"
        assert mail.get_all("To") == [names[number]]
        html = _html(sent[recipient])
        assert read(KEYS, html.split(f"{EDGE}/c/")[1].split('"')[0]).id == message_id
        message = _message(database, message_id)
        if number == 3:
            assert f"{EDGE}/o/" not in html
            assert message.track_opens is TrackingMode.OFF
        else:
            assert read(KEYS, html.split(f"{EDGE}/o/")[1].split(".gif")[0]).id == message_id
            assert message.track_opens is TrackingMode.INDIVIDUAL
        assert message.track_clicks is TrackingMode.INDIVIDUAL
        assert message.coverage is Coverage.TRACKABLE
    with database.read() as tx:
        submission = messages.get_submission(tx, receipt.submission_id)
        assert submission is not None
        assert len(messages.list_links(tx, submission.content_id)) == 1


def test_the_links_survive_a_failed_commit(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that fails once while it is written down that mails are on the wire loses nothing of it."""
    receipt = hand_in(sqlite_database, draft(recipients=[f"r{number}@rcpt.example" for number in range(6)]))
    real, failures = messages.add_links, [1]

    def fail_once(*arguments: Any) -> None:
        real(*arguments)
        if failures:
            failures.pop()
            raise TemporaryFailure("the disk was full for a moment")

    monkeypatch.setattr(messages, "add_links", fail_once)
    monkeypatch.setattr(ledger, "RETRY_SECONDS", 0.01)
    transport = ScriptedTransport()
    run_until(worker_on(sqlite_database, transport), is_empty(sqlite_database))
    assert len(transport.taken) == 6
    with sqlite_database.read() as tx:
        submission = messages.get_submission(tx, receipt.submission_id)
        assert submission is not None
        assert len(messages.list_links(tx, submission.content_id)) == 1


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        (b"utf-8", b'<a href=3D"https://example.org/=00a">a=00b</a>'),
        (b"unicode_escape", rb'<a href=3D"https://example.org/\ud800a">a\ud800b</a>'),
        (b"raw_unicode_escape", rb'<a href=3D"https://example.org/\ud800a">a\ud800b</a>'),
        (b"utf-7", b'<a href=3D"https://example.org/+2AA-a">a+2AA-b</a>'),
    ],
    ids=["nul", "escape", "raw-escape", "utf-7"],
)
def test_links_that_no_database_can_hold(database: Database, charset: bytes, body: bytes) -> None:
    """NUL or half a surrogate pair in a link's text or address keeps no mail back."""
    raw = (
        b"From: ada@sender.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/html; charset=" + charset + b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    raw += body + b"\r\n"
    receipt = hand_in(database, raw_draft(raw))
    transport = ScriptedTransport()
    run_until(worker_on(database, transport), _settled(database, receipt.messages[0][0]))
    assert len(transport.taken) == 1
    assert _message(database, receipt.messages[0][0]).state is MessageState.SENT


def test_links_that_cannot_be_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail whose links the database refuses goes out all the same, everything else about it is kept, and so are the
    links of those written down together with it."""
    refused = hand_in(database, draft(html='<a href="https://refused.example/">x</a>'))
    other = hand_in(database, draft())
    real = messages.storable
    monkeypatch.setattr(messages, "storable", lambda text: None if "refused.example" in text else real(text))
    transport = ScriptedTransport()
    ids = [receipt.messages[0][0] for receipt in (refused, other)]
    run_until(worker_on(database, transport), _settled(database, *ids))
    assert len(transport.taken) == 2
    message = _message(database, ids[0])
    assert (message.state, message.coverage) == (MessageState.SENT, Coverage.TRACKABLE)
    with database.read() as tx:
        found = messages.get_submissions(tx, [refused.submission_id, other.submission_id])
        assert messages.list_links(tx, found[refused.submission_id].content_id) == []
        assert len(messages.list_links(tx, found[other.submission_id].content_id)) == 1


def test_a_very_long_message_id(database: Database) -> None:
    """A Message-ID longer than an index takes holds up neither its mail nor others, and finds its message."""
    unlike = "".join(chr(0x20000 + number * 41 % 0xA000) for number in range(950))  # nothing that compresses
    long_id = f"<{unlike}@sender.example>"
    receipt = hand_in(database, raw_draft(f"Message-ID: {long_id}\r\n".encode() + RAW))
    other = hand_in(database, draft())
    transport = ScriptedTransport()
    run_until(worker_on(database, transport), _settled(database, receipt.messages[0][0], other.messages[0][0]))
    assert len(transport.taken) == 2
    with database.read() as tx:
        assert [found.id for found in messages.find_by_header_id(tx, long_id)] == [receipt.messages[0][0]]
        assert messages.find_by_header_id(tx, long_id.replace("@", "x@")) == []


def _settled(database: Database, *ids: UUID) -> Callable[[], bool]:
    """The condition that these messages wait no more; a deferred one has failed."""

    def ask() -> bool:
        states = {_message(database, id).state for id in ids}
        assert MessageState.DEFERRED not in states
        return not states & {MessageState.QUEUED, MessageState.SENDING} and is_empty(database)()

    return ask


def _html(mail: bytes) -> str:
    part = message_from_bytes(mail, policy=policy.default).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def _die_with(database: Database, *, on_wire: UUID) -> None:
    """Leave the queue as a worker leaves it that was killed a while ago with one mail on the wire."""
    with database.write() as tx:
        queue.claim(tx, "dead", NOW, NOW + timedelta(seconds=1), limit=99)
        queue.set_on_wire(tx, queue.lock(tx, "dead", [on_wire]))


def _dying_on_the_wire(database: Database) -> Worker:
    """A worker that hands a mail over and is not heard of again: its claim has ended for the next one."""

    async def die(envelope: Envelope, message: bytes) -> Delivery:
        with database.write() as tx:
            tx.execute(text("UPDATE queue SET claimed_by = 'dead', claimed_until = 0"))
        raise asyncio.CancelledError

    return worker_on(database, ScriptedTransport(die))


def _is_on_wire(database: Database, message_id: UUID) -> bool:
    with database.read() as tx:
        return bool(tx.execute(text("SELECT 1 FROM queue WHERE on_wire AND claimed_by = 'dead'")).first())


def _message(database: Database, message_id: UUID) -> Message:
    with database.read() as tx:
        message = messages.get_message(tx, message_id)
    assert message is not None
    return message


def _kinds(database: Database, message_id: UUID) -> list[EventKind]:
    with database.read() as tx:
        return [event.kind for event in events.of_message(tx, message_id)]


def _attempts(database: Database, message_id: UUID) -> list[queue.Attempt]:
    with database.read() as tx:
        return queue.list_attempts(tx, message_id)


def _due(database: Database) -> datetime:
    with database.read() as tx:
        due = next_due(tx)
    assert due is not None
    return due
