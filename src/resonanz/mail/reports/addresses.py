"""Addresses as reports write them: with types, brackets, quotes, X.400 junk."""

from __future__ import annotations

import re

# Bounded on both sides, so that scanning a text for addresses is linear.
# Atomic, so that a pattern around it never tries half an address.
ADDRESS = (
    r"(?>(?:\"[^\"\s@<>]{1,64}\"|[^\s<>()\[\]{}:;,\"\\@|（）［］【】《》〈〉「」『』：；，。、“”«»]{1,128})"
    r"@[^\W_](?:[\w.-]{0,250}[^\W_])?)"
)

_FIND = re.compile(ADDRESS)
_TYPE = re.compile(r"(?i)^.*?(?:smtp|mailto|rfc822)[=:;]")
# East Asian text has no spaces: what is written in its scripts around an address in ASCII is the sentence.
_GLUED = re.compile(r"[^\x00-\u2fff]*([!-~]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,63})(?:[^\x00-\u2fff].*)?")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


def clean(address: str) -> str:
    """An address without what is not part of it."""
    text = _TYPE.sub("", address.strip()).strip("<>'` \t*=")
    glued = _GLUED.fullmatch(text)
    text = glued.group(1) if glued else text
    return text.rstrip(".,;:!?>")


def find_addresses(text: str) -> list[str]:
    """Every address in a text, cleaned, in order."""
    return [found for match in _FIND.finditer(text) if (found := clean(match.group()))]


def first_address(text: str) -> str:
    """The first address in a text: that in angle brackets if there is one; empty when there is none."""
    bracketed = re.search(r"<([^<>]{1,600})>", text)
    found = find_addresses(bracketed.group(1)) if bracketed else []
    found = found or find_addresses(text)
    return found[0] if found else ""


def typed_address(value: str) -> str:
    """The address in `rfc822; user@example.org` (RFC 3464 section 2.3.1), xtext undone (RFC 3461 section 4).

    Encoded words and other oddities in it stand as they are; empty when there is no address.
    """
    _, semicolon, rest = value.partition(";")
    text = (rest if semicolon else value).strip()
    bracketed = re.search(r"<([^<>]*)>", text)
    address = (bracketed.group(1) if bracketed else text).strip().strip("'")
    address = re.sub(r"(?i)^(?:smtp|rfc822|mailto)[:=;]\s*", "", address)
    if "+2B" in address or "+3D" in address:  # else a plus is a plus, as in `user+tag`
        address = _XTEXT.sub(lambda match: chr(int(match.group(1), 16)), address)
    address = address.split(" ")[0] if not address.startswith('"') else address
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or len(address) > 320 or re.search(r"[\s<>]", domain):
        return ""
    return address.rstrip(".")
