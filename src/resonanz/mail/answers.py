"""Where answers to a mail go: what its author wants, and leading them elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

from resonanz.mail.address import Address, parse_addresses
from resonanz.mail.composing import write_header
from resonanz.mail.structure import Structure, parse
from resonanz.model import InvalidInput

_RECEIVED = re.compile(rb"^received:(?:.*(?:\r?\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)


def answers_to(structure: Structure) -> list[Address]:
    """Return the mailboxes that answers go to: Reply-To, else From (RFC 5322 section 3.6.2); none where these name
    none."""
    for name in ("Reply-To", "From"):
        try:
            found = [address for text in structure.header_texts(name) for address in parse_addresses(text)]
        except InvalidInput:
            continue
        if found:
            return found
    return []


def lead_answers(message: bytes, local: str, domain: str) -> bytes:
    """Return a mail whose answers go to this address, under the name that answers went to before. Everything but
    Reply-To stays as it is."""
    structure = parse(message)
    before = answers_to(structure)
    name = before[0].name if len(before) == 1 else ""
    pieces, position = [write_header("Reply-To", str(Address(name, local, domain)))], 0
    for field in structure.root.block.all("Reply-To"):
        pieces.append(message[position : field.start])
        position = field.end
    return b"".join([*pieces, message[position:]])


def hops_of(message: bytes) -> Sequence[bytes]:
    """Return the Received fields of a mail, the last hop first."""
    end = message.find(b"\r\n\r\n")
    return _RECEIVED.findall(message if end < 0 else message[: end + 2])


def is_automatic(structure: Structure) -> bool:
    """Return whether a mail says that no person wrote it (RFC 3834 section 5), or that it went to a list."""
    submitted = (structure.header("Auto-Submitted") or "no").strip().lower()
    precedence = (structure.header("Precedence") or "").strip().lower()
    return (
        not submitted.startswith("no")
        or precedence in ("bulk", "junk", "list", "auto_reply")
        or structure.header("List-Id") is not None
    )
