"""Handing mail in: all of it is stored, or nothing, and a wrong one says what and where."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from resonanz.model import Conflict, EventKind, InvalidInput, MessageState, TooLarge, TrackingMode
from resonanz.sending.drafts import Draft, Limits
from resonanz.sending.submit import submit
from resonanz.store import Database, accounts, contacts, events, messages, queue
from resonanz.store.accounts import Account
from resonanz.store.tables import metadata
from tests.kit.mails import NOW, RAW, draft, hand_in, raw_draft


def test_one_message_per_recipient(database: Database) -> None:
    """Every recipient gets a queued message of their own, with its fact; a recipient named twice gets one."""
    receipt = hand_in(
        database, draft(recipients=["Grace <grace@rcpt.example>", "bob@rcpt.example", "Grace@RCPT.example"])
    )

    assert [recipient for _, recipient in receipt.messages] == ["grace@rcpt.example", "bob@rcpt.example"]
    assert not receipt.repeated
    with database.read() as tx:
        for message_id, recipient in receipt.messages:
            message = messages.get_message(tx, message_id)
            assert message is not None
            assert message.state is MessageState.QUEUED
            assert message.recipient == recipient
            assert message.subject == "Minutes"
            assert [event.kind for event in events.of_message(tx, message_id)] == [EventKind.QUEUED]
        assert queue.depth(tx) == 2
        contact = contacts.find_contact(tx, "grace@rcpt.example")
        assert contact is not None
        assert contact.name == "Grace"
        submission = messages.get_submission(tx, receipt.submission_id)
        assert submission is not None
        assert submission.recipients == 2


def test_an_authors_mail_is_stored_as_it_is(database: Database) -> None:
    """The bytes of a raw mail are kept exactly; they are only made ready when they are sent."""
    receipt = hand_in(database, raw_draft())
    with database.read() as tx:
        submission = messages.get_submission(tx, receipt.submission_id)
        assert submission is not None
        content = messages.get_content(tx, submission.content_id)
        assert content is not None
        assert content.body == RAW


@pytest.mark.parametrize("word", ["=?utf-7?q?+2AA-?=", "=?utf-8?q?a=00b?="], ids=["surrogate", "nul"])
def test_words_that_no_database_can_hold(database: Database, word: str) -> None:
    """Half a surrogate pair or NUL in a subject or in anybody's name is replaced where it is shown; the mail goes."""
    raw = f"From: {word} <ada@sender.example>\r\nSubject: {word}\r\n\r\nbody\r\n".encode()
    receipts = [
        hand_in(database, raw_draft(raw)),
        hand_in(database, draft(recipients=["first@rcpt.example", f"{word} <second@rcpt.example>"], subject=word)),
    ]
    with database.read() as tx:
        assert queue.depth(tx) == 3
        shown = messages.get_message(tx, receipts[0].messages[0][0])
        second = contacts.find_contact(tx, "second@rcpt.example")
        assert shown is not None
        assert second is not None
        assert "\ufffd" in shown.subject
        assert "\ufffd" in second.name


REFUSED: list[tuple[str, Draft, str, str]] = [
    ("no recipient", draft(recipients=[]), "recipients", "no recipient"),
    ("bad recipient", draft(recipients=["a@x.example", "b@x.example", "nobody"]), "recipients[2]", "no @"),
    ("two in one", draft(recipients=["a@x.example, b@x.example"]), "recipients[0]", "not one address"),
    ("command in an address", draft(recipients=["a@x.example\r\nRCPT TO:<b@x.example>"]), "recipients[0]", "control"),
    ("bad sender", draft(sender="me"), "sender", "no @"),
    ("no content", draft(html=None, text=None), "body", "needs a text"),
    ("header injection", draft(subject="Hi\r\nBcc: x@x.example"), "Subject", "cannot hold"),
    ("bad header name", draft(headers={"X Y": "1"}), "X Y", "not a header name"),
    ("our header", draft(headers={"From": "x@x.example"}), "From", "of its own"),
    ("Bcc for all to see", draft(headers={"bcc": "x@x.example"}), "bcc", "seen by every recipient"),
    ("empty mail", raw_draft(b" \r\n"), "mail", "empty"),
    ("no header", raw_draft(b"\r\nonly a body"), "mail", "no header"),
    ("no From", raw_draft(b"Subject: x\r\n\r\nbody"), "mail", "no From"),
    ("two From", raw_draft(b"From: eve@x.example\r\n" + RAW), "mail", "2 From fields"),
    ("NUL", raw_draft(RAW + b"\0"), f"mail, offset {len(RAW)}", "NUL"),
    ("unknown source", draft(source="carrier pigeon"), "source", "not one of"),
    ("empty key", draft(idempotency_key=""), "idempotency_key", "characters"),
    ("long key", draft(idempotency_key="k" * 129), "idempotency_key", "characters"),
]


@pytest.mark.parametrize(("what", "where", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_wrong_draft_stores_nothing(sqlite_database: Database, what: Draft, where: str, says: str) -> None:
    """What cannot be accepted is refused naming the place, and no row of it is left anywhere."""
    with pytest.raises(InvalidInput) as refused:
        hand_in(sqlite_database, what)
    assert refused.value.where == where
    assert says in refused.value.what
    assert _rows(sqlite_database) == 0


@pytest.mark.parametrize(
    ("what", "limits"),
    [
        (raw_draft(RAW), Limits(size_bytes=len(RAW) - 1)),
        (draft(html="x" * 100), Limits(size_bytes=99)),
        (draft(recipients=["a@x.example", "b@x.example"]), Limits(recipients=1)),
    ],
)
def test_over_a_limit(sqlite_database: Database, what: Draft, limits: Limits) -> None:
    """More than the setting allows is refused as too large, and nothing is stored."""
    with pytest.raises(TooLarge):
        submit(sqlite_database, what, limits=limits, now=NOW)
    assert _rows(sqlite_database) == 0


def test_a_key_sends_once(database: Database) -> None:
    """The same account and key get the first receipt again; another account's same key is a mail of its own."""
    mine, other = _account(database, "one@x.example"), _account(database, "two@x.example")
    people = ["a@x.example", "b@x.example"]
    mail = {"account_id": mine, "sender": "one@x.example", "idempotency_key": "k", "recipients": people}
    first = hand_in(database, draft(**mail))
    again = hand_in(
        database,
        draft(**mail),
        now=NOW + timedelta(days=1),
    )
    theirs = hand_in(database, draft(account_id=other, sender="two@x.example", idempotency_key="k"))

    assert again.repeated
    assert (again.submission_id, again.messages) == (first.submission_id, first.messages)
    assert theirs.submission_id != first.submission_id
    with database.read() as tx:
        assert queue.depth(tx) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Other"},
        {"recipients": ["bob@rcpt.example"]},
        {"track_opens": TrackingMode.OFF},
        {"sender": "eve@sender.example"},
    ],
)
def test_a_key_is_for_one_mail(sqlite_database: Database, change: dict[str, Any]) -> None:
    """Another mail under a used key is an error, not silently dropped and not sent."""
    hand_in(sqlite_database, draft(idempotency_key="k"))
    with pytest.raises(Conflict, match="another mail"):
        hand_in(sqlite_database, draft(idempotency_key="k", **change))
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == 1


def test_a_key_sends_once_under_concurrency(database: Database) -> None:
    """Eight submissions with one key at the same moment are one mail, and all get its receipt."""
    account = _account(database, "one@x.example")

    def work(_: int) -> uuid.UUID:
        return hand_in(database, draft(account_id=account, idempotency_key="k")).submission_id

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    assert len(set(found)) == 1
    with database.read() as tx:
        assert queue.depth(tx) == 1


def _account(database: Database, address: str) -> uuid.UUID:
    account = Account(uuid.uuid4(), address, "", "x", NOW, NOW)
    with database.write() as tx:
        accounts.add_account(tx, account)
    return account.id


def _rows(database: Database) -> int:
    with database.read() as tx:
        counted = [table for table in metadata.sorted_tables if table.name != "alembic_version"]
        return sum(tx.execute(select(func.count()).select_from(table)).scalar_one() for table in counted)
