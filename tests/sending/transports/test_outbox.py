"""The outbox: whole mails or none, readable as they were sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from resonanz.model import PermanentFailure, new_id
from resonanz.sending.transports import Deferred, Envelope, Outbox, OutboxTransport
from tests.kit.mails import RAW


def put(folder: Path, message_id: UUID, message: bytes = RAW) -> None:
    """Deliver one mail into the folder."""
    envelope = Envelope(message_id, "ada@sender.example", "grace@rcpt.example")
    delivery = asyncio.run(OutboxTransport(folder).deliver(envelope, message))
    assert delivery.delivered


def test_what_is_delivered_can_be_read(tmp_path: Path) -> None:
    """A mail comes back byte for byte; one that was never there is None."""
    message_id = new_id()
    put(tmp_path / "outbox", message_id)
    outbox = Outbox(tmp_path / "outbox")
    assert outbox.get(message_id) == RAW
    assert outbox.get(new_id()) is None


def test_a_second_delivery_replaces_the_first(tmp_path: Path) -> None:
    """The same message twice is one mail."""
    message_id = new_id()
    put(tmp_path, message_id, b"first")
    put(tmp_path, message_id, b"second")
    assert Outbox(tmp_path).get(message_id) == b"second"
    assert len(Outbox(tmp_path).list(limit=9)) == 1


def test_pages_newest_first(tmp_path: Path) -> None:
    """The list runs from the newest to the oldest, page by page, without gaps or doubles, and skips foreign files."""
    ids = [new_id() for _ in range(7)]
    for message_id in ids:
        put(tmp_path, message_id)
    (tmp_path / "notes.eml").write_text("not ours")
    (tmp_path / ".half.eml.123").write_text("a draft that a crash left")
    outbox = Outbox(tmp_path)
    found: list[UUID] = []
    while page := outbox.list(limit=3, before=found[-1] if found else None):
        found += [mail.message_id for mail in page]
        assert all(mail.size == len(RAW) for mail in page)
    assert found == ids[::-1]


def test_no_folder_yet(tmp_path: Path) -> None:
    """Before the first mail there is nothing to list."""
    assert Outbox(tmp_path / "none").list(limit=9) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A full or missing disk defers the mail, and the check says so beforehand."""
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(Deferred):
        put(blocked / "outbox", new_id())
    with pytest.raises(PermanentFailure):
        asyncio.run(OutboxTransport(blocked / "outbox").check())


def test_check(tmp_path: Path) -> None:
    """The check creates the folder and names it."""
    assert str(tmp_path / "outbox") in asyncio.run(OutboxTransport(tmp_path / "outbox").check())
