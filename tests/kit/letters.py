"""Mails of our own making, after the shapes real ones have, and what is needed to track them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from resonanz.mail import Tracking
from resonanz.tokens import Key, Keys

KEYS = Keys([Key(1, bytes(range(32)))])
MESSAGE = UUID("018f0000-0000-7000-8000-000000000001")
CAMPAIGN = UUID("018f0000-0000-7000-8000-0000000000ca")
BASE_URL = "https://t.example.org"
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def tracking(**settings: Any) -> Tracking:
    """Return settings for one mail to one recipient."""
    return Tracking(**{"base_url": BASE_URL, "keys": KEYS, "message": MESSAGE, **settings})


def mail(body: bytes, *, type: str = "text/html; charset=utf-8", encoding: str = "", extra: bytes = b"") -> bytes:
    """Return a message of one part with CRLF line endings; `extra` are more header lines."""
    head = b"From: Mara <mara@shop.example>\r\nTo: ivo@mail.example\r\nSubject: News\r\nMIME-Version: 1.0\r\n" + extra
    head += b"Content-Type: " + type.encode("utf-8") + b"\r\n"
    if encoding:
        head += b"Content-Transfer-Encoding: " + encoding.encode("ascii") + b"\r\n"
    return head + b"\r\n" + body


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "frame", extra: bytes = b"") -> bytes:
    """Return a multipart message; each part brings its own header lines and its empty line."""
    head = b"From: mara@shop.example\r\nSubject: News\r\nMIME-Version: 1.0\r\n" + extra
    mark = boundary.encode("ascii")
    head += b"Content-Type: multipart/" + kind.encode("ascii") + b'; boundary="' + mark + b'"\r\n\r\n'
    return head + b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"


PLAIN_PART = b"Content-Type: text/plain; charset=utf-8\r\n\r\nSee https://shop.example/sale today."
HTML_PART = (
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b'<html><body><p>See <a href="https://shop.example/sale">the sale</a></p></body></html>'
)
