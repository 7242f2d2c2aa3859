"""Composing a delivery status notification: words for the person, fields for programs, and what it is about.

RFC 3462 (multipart/report), RFC 3464 (its fields), RFC 3461 section 6 (what a client's ENVID, ORCPT and RET come to),
RFC 6533 (addresses beyond ASCII).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from hashlib import blake2b

from resonanz.mail.composing import write_header
from resonanz.mail.notices.wording import words_in
from resonanz.mail.refusals import Reason
from resonanz.mail.structure import parse
from resonanz.mail.transfer import encode_quoted_printable

MAX_WHOLE_BYTES = (
    1_000_000  # a larger mail comes back as its header, whatever was asked: RFC 3461 section 6.2 allows it
)
MAX_HEADER_BYTES = 100_000
MAX_SAID_CHARACTERS = 900
MAX_SUBJECT_CHARACTERS = 200

_XTEXT = re.compile(r"\+([0-9A-F]{2})")


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the mail for one recipient.

    `action` is failed, delayed, delivered or relayed; `status` as in RFC 3463; `reason` why, where that is
    known; `suppressed` whether it was never sent because this instance's own list says so. `said` are the other
    server's words. `original_recipient` is ORCPT as the client wrote it, empty where it did not.
    """

    recipient: str
    action: str
    status: str
    reason: Reason | None = None
    said: str = ""
    original_recipient: str = ""
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice to the sender of a mail.

    `host` names the system that reports, `sender` is its address; `original` is the mail that it is about, as it went
    out, with `whole` all of it comes back with a failure. `envelope_id` is ENVID as the client wrote it. With
    `retry_until` that is said of a delay.
    """

    host: str
    sender: str
    to: str
    fates: Sequence[Fate]
    original: bytes
    arrived_at: datetime
    at: datetime
    message_id: str
    language: str = "en"
    whole: bool = False
    envelope_id: str = ""
    retry_until: datetime | None = None


def compose_notice(notice: Notice) -> bytes:
    """Return the notice as a whole mail with CRLF line endings, for an envelope without sender. All its fates have the
    same action. Raises InvalidInput for an address that no header can name."""
    words, action = words_in(notice.language), notice.fates[0].action
    structure = parse(notice.original)
    subject = _shown(structure.header("Subject") or "")[:MAX_SUBJECT_CHARACTERS]
    about = (structure.header("Message-ID") or "").strip()
    parts = [_words_part(notice, words.text(notice)), _status_part(notice), _original_part(notice)]
    boundary = f"=_{blake2b(b''.join(parts), digest_size=16).hexdigest()}"
    encoding = "8bit" if any(not part.isascii() for part in parts) else "7bit"
    fields = [
        ("From", f"{words.system} <{notice.sender}>"),
        ("To", notice.to),
        ("Subject", f"{words.subjects[action]}: {subject}" if subject else words.subjects[action]),
        ("Date", format_datetime(notice.at)),
        ("Message-ID", notice.message_id),
        ("In-Reply-To", about if _is_id(about) else ""),
        ("References", about if _is_id(about) else ""),
        ("Auto-Submitted", "auto-replied"),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/report; report-type=delivery-status; boundary="{boundary}"'),
        ("Content-Transfer-Encoding", encoding),
    ]
    head = b"".join(write_header(name, value) for name, value in fields if value)
    mark = b"--" + boundary.encode("ascii")
    body = b"".join(b"\r\n" + mark + b"\r\n" + part for part in parts)
    return head + body + b"\r\n" + mark + b"--\r\n"


def _words_part(notice: Notice, text: str) -> bytes:
    head = (
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Language: {words_in(notice.language).language}\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode("ascii") + encode_quoted_printable(text.replace("\n", "\r\n").encode("utf-8"))


def _status_part(notice: Notice) -> bytes:
    about_mail = [
        ("Original-Envelope-Id", _decoded(notice.envelope_id)),
        ("Reporting-MTA", f"dns; {notice.host}"),
        ("Arrival-Date", format_datetime(notice.arrived_at)),
    ]
    groups = [about_mail, *([*_about_recipient(notice, fate)] for fate in notice.fates)]
    text = "\r\n".join("".join(f"{name}: {value}\r\n" for name, value in group if value) for group in groups)
    return b"Content-Type: message/delivery-status\r\n\r\n" + text.encode("ascii")


def _about_recipient(notice: Notice, fate: Fate) -> list[tuple[str, str]]:
    kind, _, address = fate.original_recipient.partition(";")
    said = _printable(fate.said)[:MAX_SAID_CHARACTERS]
    return [
        ("Original-Recipient", f"{_printable(kind)};{_decoded(address)}" if address else ""),
        ("Final-Recipient", _typed(fate.recipient)),
        ("Action", fate.action),
        ("Status", fate.status),
        ("Diagnostic-Code", _folded(f"smtp; {said}") if said and fate.action in ("failed", "delayed") else ""),
        ("Last-Attempt-Date", format_datetime(notice.at)),
        ("Will-Retry-Until", format_datetime(notice.retry_until) if notice.retry_until else ""),
    ]


def _original_part(notice: Notice) -> bytes:
    mail, is_failure = notice.original, notice.fates[0].action == "failed"
    whole = notice.whole and is_failure and len(mail) <= MAX_WHOLE_BYTES
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    shown = mail if whole else _header_of(mail)
    encoding = "8bit" if not shown.isascii() else "7bit"
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode("ascii") + shown


def _header_of(mail: bytes) -> bytes:
    """The header, whole lines of it where it is very long."""
    head = mail[: parse(mail).root.body_start].rstrip(b"\r\n") + b"\r\n"
    return head if len(head) <= MAX_HEADER_BYTES else head[: head.rindex(b"\r\n", 0, MAX_HEADER_BYTES) + 2]


def _typed(address: str) -> str:
    """Write an address with its type; one beyond ASCII as RFC 6533 section 3 has it."""
    if address.isascii():
        return f"rfc822; {_printable(address)}"
    written = (character if "!" <= character <= "~" else f"\\x{{{ord(character):X}}}" for character in address)
    return f"utf-8; {''.join(written)}"


def _decoded(xtext: str) -> str:
    """Undo xtext (RFC 3461 section 4)."""
    return _printable(_XTEXT.sub(lambda match: chr(int(match.group(1), 16)), xtext))


def _printable(text: str) -> str:
    """One line of printable ASCII: whatever came from others ends no field."""
    flat = " ".join(text.split())
    return "".join(character if " " <= character <= "~" else "?" for character in flat)


def _shown(text: str) -> str:
    """One line of what can be shown at all."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _folded(text: str) -> str:
    lines: list[str] = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) > 70:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\r\n ".join(lines)


def _is_id(text: str) -> bool:
    return re.fullmatch(r"<[^<>\s@]+@[^<>\s@]+>", text) is not None and text.isascii()
