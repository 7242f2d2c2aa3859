"""Mail servers that hand mail in without a login: those in networks that are trusted, such as a Postfix whose content
filter this instance is. They tell whom they have the mail from by XFORWARD (Postfix's XFORWARD_README)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")
MAX_VALUE_CHARACTERS = 255

_UNKNOWN = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_XTEXT = re.compile(r"\+([0-9A-Fa-f]{2})")


def is_trusted(peer: str, networks: Sequence[Network]) -> bool:
    """Return whether the address at the other end is in one of these networks; never that of a unix socket."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any((mapped or address) in network for network in networks)


def read_forwarded(arg: str) -> Mapping[str, str] | None:
    """Read the attributes in an XFORWARD command, those that are known to the sender; None for a command that is
    wrong."""
    found: dict[str, str] = {}
    for word in arg.split():
        name, equals, value = word.partition("=")
        decoded = _XTEXT.sub(lambda match: chr(int(match.group(1), 16)), value)
        if not equals or name.upper() not in ATTRIBUTES or len(decoded) > MAX_VALUE_CHARACTERS:
            return None
        if decoded.upper() not in _UNKNOWN and decoded.isascii() and decoded.isprintable():
            found[name.upper()] = decoded
    return found
