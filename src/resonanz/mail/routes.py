"""The URLs that lead back to us: one route for each kind of token."""

from __future__ import annotations

import base64
from collections.abc import Callable

from resonanz.mail.tracking import Tracking
from resonanz.model import TrackingMode
from resonanz.tokens import TokenKind, link_suffix, sealed_prefix

ROUTES = {
    TokenKind.OPEN: ("/o/", ".gif"),
    TokenKind.CLICK: ("/c/", ""),
    TokenKind.FILE: ("/f/", ""),
    TokenKind.UNSUBSCRIBE: ("/u/", ""),
    TokenKind.PREFERENCES: ("/p/", ""),
}
IMAGE_ROUTE = "/i/"  # an image of the author: counts as an open, leads to the image


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
        return f"{self._base}{IMAGE_ROUTE}{self._token(TokenKind.FILE, link_suffix(0, source), self._tracking.opens)}"

    def unsubscribe(self) -> str:
        """The recipient's unsubscribe page."""
        return self._url(TokenKind.UNSUBSCRIBE, b"")

    def preferences(self) -> str:
        """The recipient's preference page."""
        return self._url(TokenKind.PREFERENCES, b"")

    def maker(self, kind: TokenKind) -> Callable[[], str]:
        """Return what makes the URL of a kind that needs neither index nor destination."""
        return {TokenKind.UNSUBSCRIBE: self.unsubscribe, TokenKind.PREFERENCES: self.preferences}[kind]

    def _url(self, kind: TokenKind, suffix: bytes) -> str:
        before, after = ROUTES[kind]
        mode = self._tracking.opens if kind is TokenKind.OPEN else self._tracking.clicks
        # Leaving a list is a person's own act: the mail they left from is always known to the link.
        if kind in (TokenKind.UNSUBSCRIBE, TokenKind.PREFERENCES):
            mode = TrackingMode.INDIVIDUAL
        return f"{self._base}{before}{self._token(kind, suffix, mode)}{after}"

    def _token(self, kind: TokenKind, suffix: bytes, mode: TrackingMode) -> str:
        prefix = self._prefixes.get(kind)
        if prefix is None:
            is_anonymous = mode is not TrackingMode.INDIVIDUAL
            owner = (self._tracking.campaign or self._tracking.message) if is_anonymous else self._tracking.message
            prefix = sealed_prefix(self._key, kind, owner, anonymous=is_anonymous)
            if kind is not TokenKind.FILE:
                self._prefixes[kind] = prefix
        signed = prefix + suffix
        return base64.urlsafe_b64encode(signed + self._key.tag(signed)).rstrip(b"=").decode("ascii")
