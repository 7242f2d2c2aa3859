"""What the judge wants to know of the network that a hit came from; `judge.networks` says which network that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NetworkKind(StrEnum):
    """What sort of network, as far as it matters for who asked."""

    MAIL_PROXY = "mail_proxy"  # a mail provider's image proxies, and nothing else
    APPLE_EGRESS = "apple_egress"  # Apple's way out: privacy protection, and people behind Private Relay
    SCANNER = "scanner"  # only a security gateway comes from here: decides by itself
    SECURITY = "security"  # a security vendor: its scanner, or a person in its isolated browser
    PROVIDER = "provider"  # Microsoft and Google: may speak about clicks, never against opens, which they proxy
    PREVIEW = "preview"  # builds link previews
    HOSTING = "hosting"  # rented machines: scanners, and people behind a private network of their company


@dataclass(frozen=True, slots=True)
class Network:
    """One network. `owner` is who runs it, in one word where possible (`Google`, `Microsoft`, `Barracuda`).

    `shadow` marks one that is only asked about to see what it would change.
    """

    kind: NetworkKind
    owner: str
    shadow: bool = False
