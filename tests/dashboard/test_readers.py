"""What the app makes for readers: only for an edge, only what the token stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from resonanz.dashboard import ReaderParts, build_readers
from resonanz.ingest import record, take_journals
from resonanz.ingest.judging import Judging
from resonanz.ingest.settle import settle
from resonanz.model import EventKind, HitKind, TrackingMode
from resonanz.people import Choice, Purpose, record_choice
from resonanz.store import Database, messages
from resonanz.store.messages import Message
from resonanz.tokens import Token, TokenKind, mint, read, sign_inside
from tests.kit.cast import BROWSER, NOON, Cast, event, hit
from tests.kit.journals import MemoryJournals
from tests.kit.mails import NOW, draft, hand_in, raw_draft
from tests.kit.rows import update_message
from tests.kit.workers import EDGE, KEYS, ScriptedTransport, is_empty, run_until, worker_on

HTML = (
    '<p>Hello <a href="https://example.org/minutes">the minutes</a></p>'
    '<p><a href="{{browser_url}}">browser</a> <a href="{{unsubscribe_url}}">leave</a></p>'
)
Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(sqlite_database: Database) -> Ask:
    """Ask the door for a path, signed as an edge signs it unless another signature is given."""
    client = TestClient(build_readers(ReaderParts(sqlite_database, lambda: KEYS, EDGE, ZoneInfo("Europe/Berlin"))))

    def ask(page: str, token: Token, signature: str | None = None) -> tuple[int, str]:
        path = f"/readers/{page}/{mint(KEYS, token)}"
        answer = client.get(path, headers={"X-Resonanz-Edge": signature or sign_inside(KEYS, path)})
        return answer.status_code, answer.text

    return ask


def sent(database: Database, *, html: str = HTML, recipients: int = 1, **modes: TrackingMode) -> tuple[Message, str]:
    """Send the mail and return its (first) message, and that one's HTML as it went out."""
    transport = ScriptedTransport()
    receipt = hand_in(database, draft(html=html, recipients=[f"reader{n}@rcpt.example" for n in range(recipients)]))
    worker = worker_on(database, transport, unknown=modes.get("unknown", TrackingMode.INDIVIDUAL))
    run_until(worker, is_empty(database))
    with database.read() as tx:
        message = messages.get_message(tx, receipt.messages[0][0])
    assert message is not None
    (raw,) = [raw for envelope, raw in transport.taken if envelope.recipient == message.recipient]
    return message, raw.replace(b"=\r\n", b"").replace(b"=3D", b"=").decode()


def addresses(html: str, door: str) -> list[str]:
    """The addresses of one door, in order."""
    return [part.split('"')[0] for part in html.split(f'href="{EDGE}{door}')[1:]]


def test_the_copy_is_the_mail_without_its_pixel(sqlite_database: Database, ask: Ask) -> None:
    """Every address in it is the one that was sent, the link to the browser included; the pixel is not there."""
    message, mail = sent(sqlite_database)
    status, page = ask("copy", Token(TokenKind.VIEW, message.id))
    assert status == 200
    for door in ("/c/", "/u/", "/v/"):
        assert addresses(page, door) == addresses(mail, door) != []
    assert f"{EDGE}/o/" in mail
    assert f"{EDGE}/o/" not in page


def test_copies_of_many_are_told_apart(sqlite_database: Database, ask: Ask) -> None:
    """What came from the press for many is built again for one, with that one's addresses."""
    message, mail = sent(sqlite_database, recipients=5)
    page = ask("copy", Token(TokenKind.VIEW, message.id))[1]
    assert addresses(page, "/c/") == addresses(mail, "/c/") != []


def test_without_a_name_the_copy_is_everybodys(sqlite_database: Database, ask: Ask) -> None:
    """The mail's own link shows the content; no address in it is of one message, and leaving needs the mail itself."""
    message, mail = sent(sqlite_database, unknown=TrackingMode.ANONYMOUS)
    (own,) = addresses(mail, "/v/")
    token = read(KEYS, own)
    assert (token.id, token.anonymous) == (message.submission_id, True)
    status, page = ask("copy", token)
    assert status == 200
    assert addresses(page, "/u/") == []
    named = [read(KEYS, text) for door in ("/c/", "/v/", "/p/") for text in addresses(page, door)]
    assert [(one.id, one.anonymous) for one in named] == [(message.submission_id, True)] * 3
    assert message.recipient not in page


def test_a_withdrawal_leaves_the_authors_links(sqlite_database: Database, ask: Ask) -> None:
    """Who took consent to clicks back since the mail was sent gets the original addresses."""
    message, _ = sent(sqlite_database)
    assert message.contact_id is not None
    with sqlite_database.write() as tx:
        record_choice(tx, message.contact_id, Purpose.CLICKS, Choice.WITHDRAWN, now=NOW, source="test")
    page = ask("copy", Token(TokenKind.VIEW, message.id))[1]
    assert addresses(page, "/c/") == []
    assert 'href="https://example.org/minutes"' in page


def test_a_mail_in_its_authors_own_bytes(sqlite_database: Database, ask: Ask) -> None:
    """Enclosed images stand in their places, up to what a page has room for."""
    image = b"R0lGODlhAQABAAAAACwAAAAAAQABAAA="
    raw = (
        b"From: Ada <ada@sender.example>\r\nTo: grace@rcpt.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
        b'<p>Hi <img src="cid:one"> <img src="cid:two"></p>\r\n--b\r\nContent-Type: image/gif\r\nContent-ID: <one>\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + image + b"\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-ID: <two>\r\n\r\n" + b"x" * 5_600_000 + b"\r\n--b--\r\n"
    )
    receipt = hand_in(sqlite_database, raw_draft(raw))
    run_until(worker_on(sqlite_database, ScriptedTransport()), is_empty(sqlite_database))
    status, page = ask("copy", Token(TokenKind.VIEW, receipt.messages[0][0]))
    assert status == 200
    assert '<img src="data:image/gif;base64,' in page
    assert 'src="cid:two"' in page


def test_the_record_tells_everything_in_words(sqlite_database: Database, ask: Ask) -> None:
    """Sent, opened with what, followed where, how that was taken, and what is not recorded; foreign text as text."""
    with sqlite_database.write() as tx:
        message = Cast.enter(tx).mail(tx, subject="<script>alert(1)</script>")
    hits = [hit(message, HitKind.OPEN), hit(message, HitKind.OPEN), hit(message, HitKind.CLICK, user_agent=BROWSER)]
    take_journals(sqlite_database, MemoryJournals(j=hits), now=lambda: NOON + timedelta(hours=1))
    settle(sqlite_database, Judging(), now=lambda: NOON + timedelta(hours=2))
    status, text = ask("record", Token(TokenKind.PREFERENCES, message.id))
    assert status == 200
    said = " ".join(re.sub(r"<[^>]*>", "", text).split())
    assert "It was handed to the next mail server 18 March 2026, 13:00:00 CET." in said
    assert "The image in the mail was fetched 18 March 2026, 14:00:00 CET, with Outlook" in said
    assert "and 1 time more until" in said
    assert "Taken for: A person." in said
    assert "A link in the mail was followed" in said
    assert "“See what is new”, https://shop.example/new?colour=blue" in said
    assert "Taken for: Most likely a person." in said
    assert "Your network address and the full name of your program are kept for about half an hour" in said
    assert "Not recorded: how long" in said
    assert "<script>" not in text
    assert message.recipient not in text


def test_there_is_no_record_without_a_name(sqlite_database: Database, ask: Ask) -> None:
    """An anonymous token, an unknown message, an erased contact, and a token for another page: nothing."""
    with sqlite_database.write() as tx:
        message = Cast.enter(tx).mail(tx)
    assert ask("record", Token(TokenKind.PREFERENCES, message.submission_id, anonymous=True))[0] == 404
    assert ask("record", Token(TokenKind.PREFERENCES, message.submission_id))[0] == 404
    assert ask("record", Token(TokenKind.VIEW, message.id))[0] == 404
    with sqlite_database.write() as tx:
        update_message(tx, message.id, {"contact_id": None})
    assert ask("record", Token(TokenKind.PREFERENCES, message.id))[0] == 404


@pytest.mark.parametrize("kind", EventKind)
def test_every_event_has_words_for_its_reader(sqlite_database: Database, ask: Ask, kind: EventKind) -> None:
    """Whatever is recorded can be told."""
    with sqlite_database.write() as tx:
        message = Cast.enter(tx).mail(tx)
        record(tx, event(message, kind))
    assert ask("record", Token(TokenKind.PREFERENCES, message.id))[0] == 200


def test_nothing_is_answered_to_anybody_but_an_edge(sqlite_database: Database, ask: Ask) -> None:
    """No signature, one of another path, or a token of another kind: as if there was nothing."""
    message, _ = sent(sqlite_database)
    token = Token(TokenKind.VIEW, message.id)
    another = sign_inside(KEYS, f"/readers/copy/{mint(KEYS, Token(TokenKind.VIEW, message.submission_id))}")
    for signature in ("-", "1.", "999.0", another):
        assert ask("copy", token, signature) == (404, "")
    assert ask("copy", Token(TokenKind.OPEN, message.id))[0] == 404
    assert ask("copy", Token(TokenKind.VIEW, message.contact_id or message.id))[0] == 404


def test_a_mail_that_was_never_built_or_whose_contact_is_gone(sqlite_database: Database, ask: Ask) -> None:
    """There is no page before the copy was made, and none any more once its contact was erased."""
    receipt = hand_in(sqlite_database, draft())
    assert ask("copy", Token(TokenKind.VIEW, receipt.messages[0][0]))[0] == 404
    message, _ = sent(sqlite_database)
    with sqlite_database.write() as tx:
        update_message(tx, message.id, {"contact_id": None})
    assert ask("copy", Token(TokenKind.VIEW, message.id))[0] == 404
