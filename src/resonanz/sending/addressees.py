"""Whom a raw mail is from and for, when nobody says it beside the mail."""

from __future__ import annotations

from resonanz.mail.address import parse_addresses
from resonanz.mail.structure import parse


def addressees(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the sender named by From ("" without one) and the recipients named by To, Cc and Bcc, in that order.

    Raises InvalidInput when one of them is no list of addresses.
    """
    structure = parse(raw)
    recipients = tuple(
        str(address)
        for name in ("To", "Cc", "Bcc")
        for value in structure.header_all(name)
        for address in parse_addresses(value)
    )
    return structure.header("From") or "", recipients
