"""Mails and submissions for tests: small, real, and the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from resonanz.sending.drafts import Draft, Limits, Receipt
from resonanz.sending.submit import submit
from resonanz.store import Database

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

RAW = (
    b"From: Ada <ada@sender.example>\r\n"
    b"To: Grace <grace@rcpt.example>\r\n"
    b"Bcc: hidden@rcpt.example\r\n"
    b"Subject: Minutes\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n"
    b"\r\n"
    b'<html><body><p>Hello <a href="https://example.org/minutes?a=1&amp;b=2">the minutes</a></p></body></html>\r\n'
)


def draft(**changes: Any) -> Draft:
    """A composed mail to one recipient, but for what is named."""
    fields: dict[str, Any] = {
        "account_id": None,
        "source": "api",
        "sender": "Ada <ada@sender.example>",
        "recipients": ["grace@rcpt.example"],
        "subject": "Minutes",
        "html": '<p>Hello <a href="https://example.org/minutes">the minutes</a></p>',
    }
    return Draft(**{**fields, **changes})


def raw_draft(raw: bytes = RAW, recipients: Sequence[str] = ("grace@rcpt.example",), **changes: Any) -> Draft:
    """The author's own bytes, as mail clients and the command line hand them in."""
    return Draft(account_id=None, source="cli", sender="ada@sender.example", recipients=recipients, raw=raw, **changes)


def hand_in(
    database: Database, what: Draft | None = None, now: datetime = NOW, limits: Limits | None = None
) -> Receipt:
    """Submit, with the usual limits unless others are given."""
    return submit(database, what or draft(), limits=limits or Limits(), now=now)
