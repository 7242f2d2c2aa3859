"""Attachments that go out as tracked documents: which, for whom, and what happens when they cannot be kept."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resonanz.mail import parse
from resonanz.model import Conflict, MessageState, TrackingMode, document_place
from resonanz.sending.drafts import Draft
from resonanz.sending.transports.base import Delivery, Envelope
from resonanz.sending.worker import Worker
from resonanz.store import Database, messages
from resonanz.tokens import TokenKind, read
from tests.kit.letters import HTML_PART, multipart
from tests.kit.mails import hand_in, raw_draft
from tests.kit.workers import EDGE, KEYS, ScriptedTransport, is_empty, run_until, worker_on

PDF = b"%PDF-1.7 offer" * 1000
LETTER = HTML_PART.replace(b"<p>See", b'<img src="cid:logo%40shop"><p>See')


def part(type: str, content: bytes, *, name: str, more: bytes = b"") -> bytes:
    return (
        b"Content-Type: " + type.encode() + b"\r\nContent-Disposition: attachment; filename=" + name.encode() + b"\r\n"
        b"Content-Transfer-Encoding: base64\r\n" + more + b"\r\n" + base64.encodebytes(content).replace(b"\n", b"\r\n")
    )


PDF_PART = part("application/pdf", PDF, name="offer.pdf", more=b"Content-ID: <f_lx1>\r\n")
RAW = multipart(LETTER, PDF_PART, extra=b"To: grace@rcpt.example\r\n")


def sent(database: Database, draft: Draft, folder: Path | None, **settings: object) -> bytes:
    """Hand a mail in, have it carried out, and return what went out."""
    transport = ScriptedTransport()
    hand_in(database, draft)
    run_until(
        worker_on(database, transport, documents_folder=folder, **settings),  # type: ignore[arg-type]
        is_empty(database),
    )
    ((_, message),) = transport.taken
    return message


def documents_in(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def attached(message: bytes) -> list[str]:
    return [part.filename for part in parse(message).leaves if part.disposition == "attachment"]


def test_an_attachment_becomes_a_document_and_lies_there_before_the_mail_goes(
    database: Database, tmp_path: Path
) -> None:
    """The copy has a signed link in place of the attachment, and when it is handed over the document is on disk."""
    folder = tmp_path / "documents"
    seen: list[bytes] = []

    async def look(envelope: Envelope, message: bytes) -> Delivery:
        seen.extend(documents_in(folder))
        return Delivery("250 taken")

    transport = ScriptedTransport(look)
    hand_in(database, raw_draft(RAW, documents=True))
    run_until(worker_on(database, transport, documents_folder=folder), is_empty(database))
    ((envelope, message),) = transport.taken
    assert seen == [PDF]
    assert attached(message) == []
    url = message.partition(f"{EDGE}/f/".encode())[2].partition(b'"')[0].decode()
    token = read(KEYS, url.partition("/")[0])
    assert (token.kind, token.id, token.link) == (TokenKind.FILE, envelope.message_id, 1)
    assert (folder / document_place(token.destination)).read_bytes() == PDF


def test_a_document_is_one_of_the_mails_links(database: Database, tmp_path: Path) -> None:
    """Reports can name it: its name stands behind the links of the content, with an index of its own."""
    receipt = hand_in(database, raw_draft(RAW, documents=True))
    run_until(worker_on(database, ScriptedTransport(), documents_folder=tmp_path), is_empty(database))
    with database.read() as tx:
        submission = messages.get_submission(tx, receipt.submission_id)
        assert submission is not None
        assert submission.track_documents
        links = [(link.link, link.url, link.label) for link in messages.list_links(tx, submission.content_id)]
    assert links == [(0, "https://shop.example/sale", "the sale"), (1, "", "offer.pdf")]


@pytest.mark.parametrize(
    ("draft", "unknown"),
    [
        (raw_draft(RAW), TrackingMode.INDIVIDUAL),
        (raw_draft(RAW, documents=True, track_clicks=TrackingMode.OFF), TrackingMode.INDIVIDUAL),
        (raw_draft(RAW, documents=True), TrackingMode.OFF),
    ],
)
def test_attachments_stay_unless_it_is_asked_for_and_allowed(
    database: Database, tmp_path: Path, draft: Draft, unknown: TrackingMode
) -> None:
    """Not asked for, clicks off, or a recipient who does not allow it: the attachment goes as it came."""
    message = sent(database, draft, tmp_path / "documents", unknown=unknown)
    assert attached(message) == ["offer.pdf"]
    assert not (tmp_path / "documents").exists()


def test_without_a_folder_attachments_stay(database: Database) -> None:
    """Where documents cannot be kept, none is promised."""
    assert attached(sent(database, raw_draft(RAW, documents=True), None)) == ["offer.pdf"]


def test_what_belongs_to_the_letter_stays_in_it(database: Database, tmp_path: Path) -> None:
    """Pictures that the letter shows, invitations and inline parts are no documents, whatever they are marked as."""
    shown = part("image/png", b"PNG", name="logo.png", more=b"Content-ID: <logo@shop>\r\n")
    invitation = part("text/calendar", b"BEGIN:VCALENDAR", name="invite.ics")
    inline = part("image/png", b"PNG2", name="plan.png").replace(b"attachment", b"inline")
    raw = multipart(LETTER, shown, PDF_PART, invitation, inline, extra=b"To: grace@rcpt.example\r\n")
    message = sent(database, raw_draft(raw, documents=True), tmp_path)
    assert attached(message) == ["logo.png", "invite.ics"]
    assert inline in message
    assert message.count(b"/f/") == 1


def test_a_counted_recipient_gets_a_link_that_names_nobody(database: Database, tmp_path: Path) -> None:
    """In anonymous mode the link carries the submission, as every link of the copy."""
    receipt = hand_in(database, raw_draft(RAW, documents=True, track_clicks=TrackingMode.ANONYMOUS))
    transport = ScriptedTransport()
    run_until(worker_on(database, transport, documents_folder=tmp_path), is_empty(database))
    url = transport.taken[0][1].partition(f"{EDGE}/f/".encode())[2].partition(b'"')[0].decode()
    token = read(KEYS, url.partition("/")[0])
    assert (token.anonymous, token.id) == (True, receipt.submission_id)


def test_a_mail_waits_for_its_documents(database: Database, tmp_path: Path) -> None:
    """While documents cannot be stored the mail is deferred, never sent with dead links; later it goes."""
    folder = tmp_path / "documents"
    folder.write_text("a file in the folder's place")
    moment = [datetime.now(UTC)]
    transport = ScriptedTransport()
    receipt = hand_in(database, raw_draft(RAW, documents=True), now=moment[0])

    def state() -> MessageState:
        with database.read() as tx:
            message = messages.get_message(tx, receipt.messages[0][0])
        assert message is not None
        return message.state

    def worker() -> Worker:
        return worker_on(database, transport, documents_folder=folder, clock=lambda: moment[0])

    run_until(worker(), lambda: state() is MessageState.DEFERRED, "the deferral")
    assert transport.taken == []
    folder.unlink()
    moment[0] += timedelta(hours=2)
    run_until(worker(), is_empty(database))
    assert state() is MessageState.SENT
    assert len(transport.taken) == 1


def test_the_same_key_with_and_without_documents_is_no_repetition(database: Database) -> None:
    """An idempotency key that asks for something else is a conflict, not an answer."""
    hand_in(database, raw_draft(RAW, documents=True, idempotency_key="k"))
    assert hand_in(database, raw_draft(RAW, documents=True, idempotency_key="k")).repeated
    with pytest.raises(Conflict):
        hand_in(database, raw_draft(RAW, idempotency_key="k"))
