"""Which program stands behind a user agent."""

from __future__ import annotations

from resonanz.model import Client, ClientKind


def identify(user_agent: str) -> Client:
    """Return the program behind a user agent."""
    return Client(ClientKind.UNKNOWN, "")
