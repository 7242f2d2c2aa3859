"""The copy of a content that one recipient gets: composed for them, or the author's own bytes made ready for SMTP.

Of an author's mail only what a submission server has to change is changed (RFC 6409 section 8): Bcc goes, a missing
Date or Message-ID is added, line endings become CRLF. Everything visible stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from html import unescape
from urllib.parse import urlsplit
from uuid import UUID

from resonanz.mail.composing import compose, write_header
from resonanz.mail.readable import text_from_html
from resonanz.mail.structure import Structure, parse
from resonanz.mail.transfer import Splice, apply
from resonanz.sending.fields import Fields
from resonanz.sending.placeholders import Template
from resonanz.sending.preheader import with_preheader
from resonanz.store.contacts import Contact
from resonanz.store.messages import Content, Message, Submission

_LINE_ENDING = re.compile(rb"\r\n|\r|\n")
_ID = re.compile(r"<[^<>\s]+>")
HIDDEN = frozenset({"bcc", "resent-bcc"})  # whom only the envelope may name


@dataclass(frozen=True, slots=True)
class Copy:
    """A mail ready to be tracked and sent. `header_id` is its Message-ID, angle brackets included; `structure` is what
    `parse` says of the message, where that is known."""

    message: bytes
    header_id: str
    structure: Structure | None = None


Further = Callable[[Collection[str]], Mapping[str, str]]
"""Tells which fields a copy gets on top, given the names of those it has."""


def _nothing_further(given: Collection[str]) -> Mapping[str, str]:
    return {}


def make_copy(
    content: Content,
    *,
    to: str,
    header_id: str,
    date: datetime,
    further: Further = _nothing_further,
    contact: Contact | None = None,
) -> Copy:
    """Return the copy of a content for one recipient; placeholders of a template are filled for `contact`. Raises
    InvalidInput where its fields make no mail."""
    if content.form == "rfc822":
        return prepare_copy(content.body, header_id=header_id, date=date, further=further)
    is_template = content.form == "template"
    fields = _template(content.body).render(contact) if is_template else Fields.decode(content.body)
    headers = {**fields.headers, **further(fields.headers)}
    return compose_copy(replace(fields, headers=headers), to=to, header_id=header_id, date=date)


@lru_cache(maxsize=2)  # the copies of one content follow each other
def _template(body: bytes) -> Template:
    return Template(Fields.decode(body))


@dataclass(frozen=True, slots=True)
class AsWritten:
    """What may be told of a template's copy that was made for one person: only what stands in the template itself.

    Reports name a link by the first copy that was built; what its placeholders said is about that person alone.
    """

    written: str

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, body: bytes) -> AsWritten:
        """Read the stored form of a template."""
        fields = Fields.decode(body)
        html = fields.html or ""
        return cls(" ".join(unescape(f"{html} {fields.text or ''} {text_from_html(html)}").split()))

    def destination(self, url: str) -> str:
        """Return the destination where it is the template's own, else as much of its beginning as is."""
        if url in self.written:
            return url
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        return f"{origin}/…" if parts.netloc and origin in self.written else "…"

    def text(self, text: str) -> str:
        """Return a link's text where it is the template's own, else nothing."""
        flat = " ".join(text.split())
        return flat if flat in self.written else ""


def compose_copy(fields: Fields, *, to: str, header_id: str, date: datetime) -> Copy:
    """Compose the copy for one recipient, alone in its To. Raises InvalidInput."""
    html, text = fields.html, fields.text
    if html is not None and fields.preheader:
        text = text_from_html(html) if text is None else text  # a reader of the text sees no preheader
        html = with_preheader(html, fields.preheader)
    message = compose(
        sender=fields.sender,
        to=to,
        subject=fields.subject,
        text=text,
        html=html,
        message_id=header_id,
        date=date,
        reply_to=fields.reply_to,
        headers=fields.headers,
    )
    return Copy(message, header_id)


def prepare_copy(raw: bytes, *, header_id: str, date: datetime, further: Further = _nothing_further) -> Copy:
    """Make an author's mail ready for SMTP. `header_id` and `date` are used where the author gave none."""
    structure = parse(_with_crlf(raw))
    splices = [
        Splice(found.start, found.end, structure.message[found.start : found.end], b"")
        for found in structure.headers
        if found.name.lower() in HIDDEN
    ]
    message = apply(structure.message, splices)
    message = message[_separator_length(message) :]
    own_id = own_header_id(structure)
    added = b""
    if not (structure.header("Date") or "").strip():
        added += write_header("Date", format_datetime(date))
    if not own_id:
        added += write_header("Message-ID", header_id)
    given = frozenset(found.name for found in structure.headers)
    added += b"".join(write_header(name, value) for name, value in further(given).items())
    is_as_it_was = not added and len(message) == len(structure.message)
    return Copy(added + message, own_id or header_id, structure if is_as_it_was else None)


def header_id_for(message_id: UUID, domain: str) -> str:
    """Return the Message-ID we give: the same at every attempt, so that receivers can tell a second copy."""
    return f"<{message_id.hex}@{domain if domain[:1] != '[' else 'localhost'}>"


def given_header_id(message: Message, submission: Submission) -> str:
    """Return the Message-ID that we give a message's copy where its author gave none. A shared copy is one mail,
    whoever gets it."""
    return header_id_for(submission.id if submission.shared else message.id, message.sender.rpartition("@")[2])


def own_header_id(structure: Structure) -> str:
    """Return the Message-ID the author gave, or an empty string. Of any length: the store keeps a long one as a digest
    (`store.text.indexable`)."""
    text = (structure.header("Message-ID") or "").strip()
    match = _ID.search(text)
    return match.group() if match else text


def _with_crlf(raw: bytes) -> bytes:
    pairs = raw.count(b"\r\n")
    if pairs == raw.count(b"\n") == raw.count(b"\r"):
        return raw
    return _LINE_ENDING.sub(b"\r\n", raw)


def _separator_length(message: bytes) -> int:
    """The length of the `From ` line that mbox files put before a mail; it is no header field."""
    return message.index(b"\n") + 1 if message.startswith(b"From ") and b"\n" in message else 0
