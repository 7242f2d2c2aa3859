"""The client's address behind proxies: as far to the right of a forwarding header as nobody but our proxies wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Headers = Iterable[tuple[bytes, bytes]]

_LONGEST = 4_096  # characters from the right that are read; many more proxies than anybody has in a row

# A parameter of an element (RFC 7239 section 4). What stands in quotes is taken as a whole: it may be a Host that a
# stranger made up to look like a parameter.
_PARAMETER = re.compile(r"""(?:^|[;\s])([^=;,"\s]+)=(?:"((?:[^"\\]|\\.)*+)"|([^;,"\s]*))""").finditer


class Proxies:
    """The proxies in front of us, and which header they write.

    Only one header is believed, because a proxy that writes one passes the other on as the client sent it.
    """

    def __init__(self, networks: Sequence[Network], header: str = "x-forwarded-for") -> None:
        """`header` is `x-forwarded-for` or `forwarded` (RFC 7239)."""
        self._networks = tuple(networks)
        self._header = header.lower().encode("ascii")
        self._elements = _forwarded_elements if self._header == b"forwarded" else _plain_elements
        self._trusts = lru_cache(maxsize=4096)(self._is_trusted)

    def client(self, peer: str, headers: Headers) -> str:
        """Return the client's address: the right-most one that is not a trusted proxy's.

        What stands further left was written by strangers. An element that is no address (`unknown`, `_hidden`) ends
        the search: the last proxy that is known stands for the client.
        """
        address = peer[7:] if peer.startswith("::ffff:") else peer  # IPv4 that came over an IPv6 socket
        if not self._networks or not self._trusts(address):
            return address
        written = b",".join(value for name, value in headers if name == self._header)[-_LONGEST:].decode("latin-1")
        for element in reversed(self._elements(written)):
            claimed = _without_port(element)
            if claimed is None:
                break
            address = claimed
            if not self._trusts(address):
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _plain_elements(written: str) -> list[str]:
    return [element for part in written.split(",") if (element := part.strip())]


def _forwarded_elements(written: str) -> list[str]:
    """Return the `for` of each element of a Forwarded header (RFC 7239 section 4); empty where there is none."""
    found = []
    for element in _split_outside_quotes(written):
        named = (match[2] or match[3] or "" for match in _PARAMETER(element) if match[1].lower() == "for")
        found.append(next(named, ""))
    return found


def _split_outside_quotes(written: str) -> list[str]:
    """Split at commas outside quotes, counted from the right: a stranger's stray quote must not swallow what the proxy
    added behind it. A quote behind a backslash is part of what is quoted."""
    parts = []
    end, quoted = len(written), False
    for index in range(len(written) - 1, -1, -1):
        if written[index] == '"' and not _is_escaped(written, index):
            quoted = not quoted
        elif written[index] == "," and not quoted:
            parts.append(written[index + 1 : end])
            end = index
    parts.append(written[:end])
    return [part for part in reversed(parts) if part.strip()]


def _is_escaped(written: str, index: int) -> bool:
    before = written[:index]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _without_port(element: str) -> str | None:
    """Return the address of `192.0.2.1:80`, `[2001:db8::1]:80` and the like, in its normal form."""
    text = element.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(parsed)
