"""The URLs that lead back to us: one route for each kind of token."""

from __future__ import annotations

import base64

from resonanz.mail.tracking import Tracking
from resonanz.model import TrackingMode
from resonanz.tokens import TokenKind, link_suffix, sealed_prefix

ROUTES = {
    TokenKind.OPEN: ("/o/", ".gif"),
    TokenKind.CLICK: ("/c/", ""),
    TokenKind.FILE: ("/f/", ""),
    TokenKind.UNSUBSCRIBE: ("/u/", ""),
    TokenKind.PREFERENCES: ("/p/", ""),
    TokenKind.VIEW: ("/v/", ""),
}
IMAGE_ROUTE = "/i/"  # an image of the author: counts as an open, leads to the image


def names_nobody(kind: TokenKind, opens: TrackingMode, clicks: TrackingMode) -> bool:
    """Return whether a token of this kind carries the campaign's id, which says nothing of who got the mail.

    Leaving and choosing are a person's own acts: the mail they act from is always known to the link. To see a mail in
    a browser is to open it, and named as its opens are.
    """
    if kind in (TokenKind.UNSUBSCRIBE, TokenKind.PREFERENCES):
        return False
    return (opens if kind in (TokenKind.OPEN, TokenKind.VIEW) else clicks) is not TrackingMode.INDIVIDUAL


class Routes:
    """Makes the tracking URLs of one mail; what is the same in all of them is computed once."""

    def __init__(self, tracking: Tracking) -> None:
        self._base = tracking.base_url
        self._key = tracking.keys.signing
        self._tracking = tracking
        self._prefixes: dict[TokenKind, bytes] = {}

    def open(self) -> str:
        """The address of the pixel."""
        return self._url(TokenKind.OPEN, b"")

    def click(self, link: int, destination: str) -> str:
        """The address that redirects to a destination."""
        return self._url(TokenKind.CLICK, link_suffix(link, destination))

    def file(self, link: int, key: str, name: str) -> str:
        """The address of a stored document; `name` has to be percent-encoded."""
        return f"{self._url(TokenKind.FILE, link_suffix(link, key))}/{name}"

    def image(self, source: str) -> str:
        """The address that counts as an open and redirects to an image of the author."""
        anonymous = self._tracking.opens is not TrackingMode.INDIVIDUAL
        return f"{self._base}{IMAGE_ROUTE}{self._token(TokenKind.FILE, link_suffix(0, source), anonymous)}"

    def own(self, kind: TokenKind) -> str:
        """The address of one of our pages for the recipient: to leave, to choose, to see the mail in a browser."""
        return self._url(kind, b"")

    def _url(self, kind: TokenKind, suffix: bytes) -> str:
        before, after = ROUTES[kind]
        is_anonymous = names_nobody(kind, self._tracking.opens, self._tracking.clicks)
        return f"{self._base}{before}{self._token(kind, suffix, is_anonymous)}{after}"

    def _token(self, kind: TokenKind, suffix: bytes, is_anonymous: bool) -> str:
        prefix = self._prefixes.get(kind)
        if prefix is None:
            owner = (self._tracking.campaign or self._tracking.message) if is_anonymous else self._tracking.message
            prefix = sealed_prefix(self._key, kind, owner, anonymous=is_anonymous)
            if kind is not TokenKind.FILE:
                self._prefixes[kind] = prefix
        signed = prefix + suffix
        return base64.urlsafe_b64encode(signed + self._key.tag(signed)).rstrip(b"=").decode("ascii")
