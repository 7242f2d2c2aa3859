"""How far webhooks may go: out to the Internet by https, and to hosts of one's own network that an operator named."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from urllib.parse import urlsplit

from resonanz.outbound import Rules
from resonanz.store.webhook_deliveries import RESPONSE_KEPT

# By the URL of an endpoint.
Reach = Callable[[str], Rules]

SECONDS = 15.0  # for a whole try, as Standard Webhooks recommends 15 to 30
_PUBLIC = Rules(limit_bytes=4 * RESPONSE_KEPT, seconds=SECONDS)  # four bytes are the most that a character takes
_PRIVATE = replace(_PUBLIC, allowed=lambda _: True, plain=True)


def reach_of(private_hosts: Collection[str]) -> Reach:
    """Return the reach of an instance whose operator named these hosts, as `host` or `host:port`."""

    def reach(url: str) -> Rules:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return _PUBLIC
        shown = f"[{host}]" if ":" in host else host
        names = {shown, f"{shown}:{port or (80 if parts.scheme == 'http' else 443)}"}
        return _PRIVATE if names & set(private_hosts) else _PUBLIC

    return reach
