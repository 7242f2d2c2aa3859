"""Composing mail: headers that no client, relay or filter misreads, and a body within every line limit.

The standard library encodes or folds URLs in List-Unsubscribe and long Message-IDs, which breaks one-click
unsubscribing; so headers are written here (RFC 5322 section 2.2.3 folding, RFC 2047 encoded words only where the field
is free text). A header value with CR, LF or NUL is refused, whoever wrote it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime

from resonanz.mail.address import Address, parse_addresses
from resonanz.mail.readable import text_from_html
from resonanz.mail.transfer import encode_quoted_printable
from resonanz.mail.words import MAX_WORD, encode_words
from resonanz.model import InvalidInput

MAX_LINE = 998
FOLD_AT = 76
MIN_WORD = 20  # an encoded word holds at least one character

_NAME = re.compile(r"[!-9;-~]{1,76}")
_FREE_TEXT = {"subject", "comments", "keywords", "content-description", "organization", "thread-topic"}
_ADDRESSES = {
    "from",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "sender",
    "resent-from",
    "resent-to",
    "disposition-notification-to",
}
_OURS = {
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "mime-version", "content-type",
    "content-transfer-encoding",
}  # fmt: skip
_MESSAGE_ID = re.compile(r"<[^\s<>@]+@[^\s<>@]+>")


def compose(
    *,
    sender: str,
    to: str | Sequence[str],
    subject: str,
    text: str | None,
    html: str | None,
    message_id: str | None,
    date: datetime,
    cc: str | Sequence[str] = (),
    reply_to: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a whole message with CRLF line endings, ready for SMTP.

    With `html` and no `text` the text alternative is made from the HTML. `message_id` is the id with or without its
    angle brackets; None leaves the field out (a submission server adds one). Raises InvalidInput for a bad address, a
    header that would inject another, a field name of ours in `headers`, or no content at all.
    """
    fields = [
        ("From", sender),
        ("To", _joined(to)),
        ("Cc", _joined(cc)),
        ("Reply-To", reply_to or ""),
        ("Subject", subject),
        ("Date", format_datetime(date)),
        ("Message-ID", _message_id(message_id)),
    ]
    lines = [write_header(name, value) for name, value in fields if value or name == "Subject"]
    lines += [write_header(name, value) for name, value in _foreign(headers or {})]
    return b"".join(lines) + write_header("MIME-Version", "1.0") + _content(text, html)


def _joined(addresses: str | Sequence[str]) -> str:
    return addresses if isinstance(addresses, str) else ", ".join(addresses)


def _message_id(message_id: str | None) -> str:
    if not message_id:
        return ""
    bracketed = message_id if message_id.startswith("<") else f"<{message_id}>"
    if not _MESSAGE_ID.fullmatch(bracketed) or not bracketed.isascii():
        raise InvalidInput("not a message id: one @, no spaces, ASCII", where="Message-ID")
    return bracketed


def _foreign(headers: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for name, value in headers.items():
        if name.lower() in _OURS:
            raise InvalidInput("this header has a parameter of its own", where=name)
        yield name, value


# ── Headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def write_header(name: str, value: str) -> bytes:
    """Return one header field, encoded, folded and closed with CRLF. Raises InvalidInput."""
    if not _NAME.fullmatch(name):
        raise InvalidInput("not a header name", where=name[:80].encode("ascii", "backslashreplace").decode())
    bad = next((character for character in value if character in "\r\n\x00" or "\ud800" <= character <= "\udfff"), None)
    if bad is not None:
        raise InvalidInput(f"a header cannot hold U+{ord(bad):04X}", where=name, remedy="put the value on one line")
    kind = name.lower()
    if kind in _ADDRESSES:
        words = _address_words(name, value, FOLD_AT - len(name) - 2)
    elif kind in _FREE_TEXT or kind.startswith("x-"):
        words = _text_words(value, FOLD_AT - len(name) - 2)
    else:
        words = _structured_words(name, value)
    return _fold(name, words)


def _address_words(name: str, value: str, room: int) -> list[str]:
    words: list[str] = []
    try:
        addresses = parse_addresses(value)
    except InvalidInput as error:
        raise InvalidInput(error.what, where=name, remedy=error.remedy) from None
    if not addresses:
        raise InvalidInput("no address", where=name)
    for position, address in enumerate(addresses):
        comma = "," if position + 1 < len(addresses) else ""
        words += _mailbox_words(address, comma, room if not words else MAX_WORD)
    return words


def _mailbox_words(address: Address, comma: str, room: int) -> list[str]:
    if not address.name:
        return [address.spec + comma]
    plain = address.name.isascii() and address.name.isprintable() and "=?" not in address.name
    if not plain or len(address.name) > MAX_LINE // 2:
        return [*encode_words(address.name, first=max(room, MIN_WORD)), f"<{address.spec}>{comma}"]
    if re.fullmatch(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]+", address.name):
        return [*address.name.split(), f"<{address.spec}>{comma}"]
    quoted = address.name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{quoted}"', f"<{address.spec}>{comma}"]


def _text_words(value: str, room: int) -> list[str]:
    plain = value.isascii() and value.isprintable() and "=?" not in value and value == " ".join(value.split())
    words = value.split()
    if plain and all(len(word) < MAX_LINE - 80 for word in words):
        return words
    return encode_words(value, first=max(room, MIN_WORD))


def _structured_words(name: str, value: str) -> list[str]:
    """Ids, URLs and dates are never encoded; they fold at their spaces and nowhere else."""
    if not value.isascii() or not all(character.isprintable() or character == "\t" for character in value):
        raise InvalidInput("this header takes ASCII only", where=name, remedy="percent-encode the URL")
    words = value.split()
    if any(len(word) + 1 > MAX_LINE for word in words):
        raise InvalidInput(f"a word of more than {MAX_LINE - 1} characters cannot be sent", where=name)
    return words


def _fold(name: str, words: Sequence[str]) -> bytes:
    lines: list[str] = []
    line = f"{name}:"
    for word in words:
        # The first word stays beside its name: some readers take an empty first line for an empty field.
        if (len(line) + 1 + len(word) > FOLD_AT and line.strip() != f"{name}:") or len(line) + 1 + len(word) > MAX_LINE:
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]).encode("utf-8") + b"\r\n"


# ── Body ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _content(text: str | None, html: str | None) -> bytes:
    if html is None and text is None:
        raise InvalidInput("a mail needs a text or an HTML body", where="body")
    if html is None:
        return _leaf("text/plain", text or "")
    parts = [_leaf("text/plain", text_from_html(html) if text is None else text), _leaf("text/html", html)]
    # A boundary made from the content: the same mail is the same bytes, and "=_" cannot occur in quoted-printable.
    boundary = b"=_" + hashlib.blake2b(b"\0".join(parts), digest_size=15).hexdigest().encode("ascii")
    head = write_header("Content-Type", f'multipart/alternative; boundary="{boundary.decode("ascii")}"')
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return head + b"\r\n" + body + b"--" + boundary + b"--\r\n"


def _leaf(kind: str, content: str) -> bytes:
    lines = content.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    data = lines.encode("utf-8", "replace")
    head = write_header("Content-Type", f"{kind}; charset=utf-8")
    return (
        head + write_header("Content-Transfer-Encoding", "quoted-printable") + b"\r\n" + encode_quoted_printable(data)
    )
