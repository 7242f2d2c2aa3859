"""Who is asking: the address of the browser, seen through the proxies we trust."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import HTTPConnection


def peer_of(connection: HTTPConnection, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """Return the IP address of the browser.

    X-Forwarded-For is believed only as far as trusted proxies wrote it: read from the right, the first address that is
    not one of theirs is the browser's. Whatever it wrote there itself stands further left and is never reached.
    """
    peer = connection.client.host if connection.client else ""
    forwarded = [part.strip() for line in connection.headers.getlist("x-forwarded-for") for part in line.split(",")]
    while forwarded and _is_trusted(peer, trusted):
        peer = forwarded.pop()
    return peer


def _is_trusted(peer: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in trusted)
