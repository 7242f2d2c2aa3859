"""A report taken apart: what it tells people, its fields, and the copy of our mail that it brings back.

Everything is read leniently and in bounds: torn parts, wrong types and charsets nobody has heard of are common here.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from resonanz.mail.charset import decode_leniently
from resonanz.mail.headers import Block, read_block
from resonanz.mail.readable import text_from_html
from resonanz.mail.reports.wording import RETURNED, RETURNED_HEADER
from resonanz.mail.structure import Part, Structure, parse

MAX_BYTES = 1_000_000  # of a report that are read: what stands behind is the returned mail's own content
MAX_TEXT = 60_000  # characters of one shown part
MAX_TEXTS = 4
MAX_LINE = 1_000

Fields = dict[str, str]

_COPIES = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
)
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status", "text/delivery-status")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_HAS_STATUS = re.compile(r"(?im)^(?:final|original|x-actual)-recipient[ \t]*:")
_MARKUP = re.compile(r"<(?:br|p|div|td|body|html|pre|span|font|a)\b", re.IGNORECASE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class Shown:
    """What one part tells people, and what stands behind the line where the copy of our mail begins."""

    text: str
    returned: str


class Parts:
    """A report and its parts, each read when it is asked for."""

    def __init__(self, message: bytes) -> None:
        self.structure: Structure = parse(message[:MAX_BYTES])
        self._leaves = list(self.structure.leaves)

    def header(self, name: str) -> str:
        """The report's own header of this name, decoded; empty when there is none."""
        return self.structure.header(name) or ""

    def decoded(self, part: Part) -> bytes:
        """Undo the transfer encoding, as far as it can be."""
        body = self.structure.body(part)
        if part.encoding == "quoted-printable":
            return quopri.decodestring(body.replace(b"\r", b"\n") if self.structure.eol == b"\r" else body)
        if part.encoding == "base64":
            letters = _NOT_BASE64.sub(b"", body)
            try:
                return base64.b64decode(letters[: len(letters) // 4 * 4] if len(letters) % 4 == 1 else letters + b"==")
            except (binascii.Error, ValueError):
                return body
        return body

    def fields_of(self, *types: str) -> list[Fields]:
        """The groups of fields in the first part of one of these types; none when there is no such part."""
        part = next((leaf for leaf in self._leaves if leaf.type in types), None)
        return field_groups(lines_of(decode_leniently(self.decoded(part), ""))) if part is not None else []

    @cached_property
    def status_groups(self) -> list[Fields]:
        """The groups of a delivery status (RFC 3464), under whatever type it comes, or written into the text."""
        stated = [part for part in self._leaves if part.type in _STATUS_TYPES]
        groups = [
            group for part in stated for group in field_groups(lines_of(decode_leniently(self.decoded(part), "")))
        ]
        if any(_names(group) for group in groups):
            return groups
        for shown in self.shown:
            if _HAS_STATUS.search(shown.text):
                return field_groups(shown.text)
        return []

    @cached_property
    def shown(self) -> list[Shown]:
        """What the report tells people: its text parts up to the returned copy, the main one first."""
        found: list[Shown] = []
        for part in self._shown_parts():
            text = self._text(part)
            if text.strip():
                found.append(_divide(text))
            if len(found) >= MAX_TEXTS:
                break
        return found

    def _shown_parts(self) -> Iterator[Part]:
        told: set[int] = set()  # alternatives of which the plain one was taken
        for part in self._leaves:
            if part.type in _COPIES:
                return
            group = id(part.parent) if part.parent is not None and part.parent.type == "multipart/alternative" else 0
            if group in told or not self._is_shown(part):
                continue
            if group and self._text(part).strip():
                told.add(group)
            yield part
        if not self.structure.leaves:
            yield self.structure.root  # a multipart whose parts were never found

    def _is_shown(self, part: Part) -> bool:
        is_text = part.type.startswith("text/") or "/" not in part.type
        return is_text or (part.type == "application/octet-stream" and not part.filename)

    def _text(self, part: Part) -> str:
        data = self.decoded(part)[: MAX_TEXT * 4]
        text = _decode(data, part.charset)
        if (part.type == "text/html" and _MARKUP.search(text)) or text.lstrip()[:200].lower().startswith(
            ("<html", "<!doctype html")
        ):
            text = text_from_html(text)
        return lines_of(text)[:MAX_TEXT]

    @cached_property
    def copy(self) -> bytes:
        """The returned mail or its header, from a part of its own or from behind the report's text; else empty."""
        part = next((leaf for leaf in self._leaves if leaf.type in _COPIES), None)
        if part is not None:
            return self.decoded(part).lstrip(b"\r\n")
        text = next((shown.returned for shown in self.shown if RETURNED_HEADER.search(shown.returned)), "")
        match = RETURNED_HEADER.search(text)
        return text[match.start() :].encode("utf-8", "replace") if match else b""

    @cached_property
    def copied_header(self) -> Block:
        """The header of the returned mail; empty when the report did not bring it back."""
        eol = b"\n" if b"\n" in self.copy else b"\r"
        return read_block(self.copy, 0, len(self.copy), eol, lambda line: False)

    @property
    def brings_back_a_report(self) -> bool:
        """Whether the returned mail is a report itself: somebody passed it on."""
        return "multipart/report" in self.copied("Content-Type").lower()

    def copied(self, name: str) -> str:
        """A header of the returned mail, decoded; empty when there is none."""
        found = self.copied_header.first(name)
        return found.decoded if found else ""


def lines_of(text: str) -> str:
    """Text with LF line endings, long lines cut."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line[:MAX_LINE].rstrip() for line in unified.split("\n"))


def _decode(data: bytes, charset: str | None) -> str:
    if charset:
        try:
            codec = codecs.lookup(charset.strip("\"' "))
            if getattr(codec, "_is_text_encoding", True) and codec.name not in ("ascii", "utf-8"):
                return data.decode(codec.name, "replace")
        except (LookupError, ValueError, UnicodeError):
            pass
    if b"\x1b$" in data or b"\x1b(" in data:  # Japanese systems do not always say so
        return data.decode("iso2022_jp", "replace")
    return decode_leniently(data, "")


def _divide(text: str) -> Shown:
    """Part what the report says from the copy of our mail that follows it in the same text."""
    match = RETURNED.search(text)
    header = RETURNED_HEADER.search(text)
    if header is not None and (match is None or header.start() < match.start()):
        return Shown(text[: header.start()], text[header.start() :])
    return Shown(text, "") if match is None else Shown(text[: match.start()], text[match.start() :])


# ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# Fields that may come several times in one group, and what joins their values.
_JOINED = {"diagnostic-code": " ", "original-rcpt-to": "\n"}
_BEGINS = ("final-recipient", "original-recipient", "x-actual-recipient", "action", "status")


def field_groups(text: str) -> list[Fields]:
    """Split fields into their groups at empty lines (RFC 3464 section 2.1), names in lower case.

    Groups that lost the empty line between them are parted where a field comes again; one that was torn in two by an
    empty line too many is put together.
    """
    groups: list[Fields] = []
    for block in re.split(r"\n[ \t]*(?:\n[ \t]*)+", text):
        for fields in _groups_in(block):
            torn = (
                groups
                and not _names(groups[-1])
                and "action" in groups[-1]
                and _names(fields)
                and "action" not in fields
            )
            tail = groups and _names(groups[-1]) and not _names(fields) and ("action" in fields or "status" in fields)
            if torn or (tail and not {"action", "status"} & groups[-1].keys()):
                groups[-1] |= fields
            else:
                groups.append(fields)
    return groups


def _names(fields: Fields) -> bool:
    return bool(fields.keys() & {"final-recipient", "original-recipient", "x-actual-recipient"})


def _groups_in(block: str) -> Iterator[Fields]:
    fields: Fields = {}
    for name, value in _fields(block):
        if name in fields and name in _BEGINS and _names(fields):
            yield fields
            fields = {}
        if name in fields and name in _JOINED:
            fields[name] += _JOINED[name] + value
        else:
            fields.setdefault(name, value)
    if fields:
        yield fields


def _fields(group: str) -> Iterator[tuple[str, str]]:
    unfolded = re.sub(r"\n[ \t]+", " ", group.strip("\n"))
    for line in unfolded.split("\n"):
        name, colon, value = line.partition(":")
        if colon and _FIELD_NAME.fullmatch(name.strip()):
            yield name.strip().lower(), value.strip()
