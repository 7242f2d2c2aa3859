"""Who is asking: the address of the browser, seen through the proxies we trust."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from resonanz.proxies import Proxies


def peer_of(connection: HTTPConnection, proxies: Proxies) -> str:
    """Return the IP address of the browser; empty when there is none (a Unix socket)."""
    return proxies.client(connection.client.host, connection.headers.raw) if connection.client else ""
