"""Where answers to a mail go: what its author wants, and leading them elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

from resonanz.mail.address import Address, parse_address, parse_addresses
from resonanz.mail.composing import write_header
from resonanz.mail.structure import Structure, parse
from resonanz.model import InvalidInput

# What servers note of the envelope when they put a mail into a mailbox: Postfix and Dovecot, Exim, Sendmail, Fastmail.
_DELIVERED_TO = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To")
_NOTED = frozenset({"return-path", *(name.lower() for name in _DELIVERED_TO)})
_SPACE = re.compile(rb"\s+")
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


def goes_round(message: bytes, address: str) -> bool:
    """Return whether a mail to this address was passed on from there before: its Received fields say so."""
    clause = f"for <{address.lower()}>".encode()
    return any(clause in _SPACE.sub(b" ", hop).lower() for hop in hops_of(message))


def delivered_to(structure: Structure, domain: str) -> list[str]:
    """Return the addresses at a domain that a mail in a mailbox came to, the surest first: those that the server noted
    which put it there, then those in To and Cc."""
    at = re.compile(rf"[^\s<>,;:\"@]+@{re.escape(domain)}(?![\w.-])", re.IGNORECASE)
    fields = [text for name in (*_DELIVERED_TO, "To", "Cc") for text in structure.header_texts(name)]
    return list(dict.fromkeys(address for text in fields for address in at.findall(text)))


def envelope_sender(structure: Structure) -> str:
    """Return the envelope's sender of a mail in a mailbox, as the server noted it that put it there (RFC 5321 section
    4.4): `<>` for none, and empty where nobody knows."""
    path = (structure.header("Return-Path") or "").strip()
    if path == "<>":
        return path
    try:
        return parse_address(path).spec if path else ""
    except InvalidInput:
        return ""


def as_it_came(message: bytes) -> bytes:
    """Return a mail in a mailbox as it came there: without what the server noted that put it there. A mail that goes on
    carries no Return-Path (RFC 5321 section 4.4), and servers take a Delivered-To of theirs for a loop."""
    pieces, position = [], 0
    for field in parse(message).root.block.fields:
        if field.name.lower() in _NOTED:
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
