"""The headers every answer carries."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resonanz.dashboard.parts import DashboardParts


def page_policy(preview_url: str) -> str:
    """Return the Content-Security-Policy of the pages: our own files only, and the preview in a frame."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            f"frame-src {preview_url}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """ASGI middleware: sets the headers unless the answer has brought its own."""

    def __init__(self, app: ASGIApp, parts: DashboardParts) -> None:
        self.app = app
        self._headers = {
            "content-security-policy": page_policy(parts.preview_url),
            "x-content-type-options": "nosniff",
            # Not no-referrer: with that, browsers send `Origin: null` even from our own forms.
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
            "x-robots-tag": "noindex, nofollow",
            "cache-control": "no-store",
        }
        if parts.secure:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)
