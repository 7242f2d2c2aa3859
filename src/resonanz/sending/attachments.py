"""Which attachments of a mail may become tracked documents: those that a reader would save, and no others."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from resonanz.mail.structure import Part, Structure, parse
from resonanz.mail.transfer import DamagedEncoding, open_body

# What mail programs act upon themselves: they would no longer find it.
_ACTED_UPON = frozenset({"text/calendar", "application/ics", "text/vcard", "text/x-vcard"})
# Programs give Content-IDs to attachments, too; only one that the letter names is part of the letter.
_NAMED = re.compile(rb"cid:([^\"'\s<>()]+)", re.IGNORECASE)


def may_become_documents(message: bytes) -> Callable[[Part], bool]:
    """Return what tells of each attachment of a mail whether it may be taken out of it."""
    shown = _shown_parts(parse(message))

    def may(part: Part) -> bool:
        return part.type not in _ACTED_UPON and _content_id(part) not in shown

    return may


def _shown_parts(structure: Structure) -> frozenset[bytes]:
    """The Content-IDs that the letter's HTML shows (RFC 2392)."""
    return frozenset(
        unquote_to_bytes(name)
        for part in structure.leaves
        if part.type == "text/html"
        for name in _NAMED.findall(_decoded(structure, part))
    )


def _decoded(structure: Structure, part: Part) -> bytes:
    try:
        decoded = open_body(structure.body(part), part.encoding, structure.eol).decoded
    except DamagedEncoding:
        return b""
    return decoded.replace(b"\0", b"")  # so that UTF-16 reads like ASCII


def _content_id(part: Part) -> bytes | None:
    found = part.block.first("Content-ID")
    return found.decoded.strip().strip("<>").encode("utf-8", "surrogatepass") if found is not None else None
