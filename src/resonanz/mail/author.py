"""Whose mail a mail says it is."""

from __future__ import annotations

from resonanz.mail.address import parse_addresses
from resonanz.mail.headers import read_message_block
from resonanz.model import InvalidInput


def author_domain(message: bytes) -> str:
    """Return the domain of the From field, lower case, as DMARC looks at it; empty when it names none or several."""
    try:
        authors = [found.text for found in read_message_block(message).all("From")]
        domains = {author.domain.lower() for text in authors for author in parse_addresses(text)}
    except InvalidInput:
        return ""
    return domains.pop() if len(domains) == 1 else ""
