"""The preview: one sent mail as its recipient sees it, on an origin of its own, behind a link that ends within minutes.

The mail's pixel is loaded from the edge and its links go through the edge, as in any mail program. Scripts never run,
and nothing in the mail can reach the dashboard: another origin, a sandbox without `allow-same-origin`, no cookies.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from uuid import UUID

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from resonanz.dashboard.parts import DashboardParts
from resonanz.mail.shown import document_of
from resonanz.mail.structure import parse
from resonanz.model import InvalidInput, from_microseconds, to_microseconds
from resonanz.sending.campaigns import plan_of
from resonanz.sending.trial import preview
from resonanz.store.campaigns import get_campaign
from resonanz.store.contacts import get_contact

LIFETIME = timedelta(minutes=10)
TAG_BYTES = 16
_CAMPAIGN = "~"  # begins the links to campaigns; no base64 does
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a preview link says: which mail, and whether its images are loaded."""

    mail: UUID
    images: bool


def preview_token(secret: bytes, mail: UUID, now: datetime, *, images: bool) -> str:
    """Return the path of a preview link, valid for ten minutes."""
    ends = to_microseconds(now + LIFETIME).to_bytes(8, "big")
    body = bytes((images,)) + ends + mail.bytes
    return base64.urlsafe_b64encode(body + _tag(secret, body)).rstrip(b"=").decode("ascii")


def read_token(secret: bytes, text: str, now: datetime) -> Ticket | None:
    """Return what a link says, or None when it is not ours or over."""
    body = _opened(secret, text, 25)
    if body is None:
        return None
    if from_microseconds(int.from_bytes(body[1:9], "big")) <= now:
        return None
    return Ticket(UUID(bytes=body[9:]), bool(body[0]))


def campaign_token(secret: bytes, campaign: UUID, contact: UUID | None, now: datetime) -> str:
    """Return the path of a link that shows a campaign as this contact gets it, valid for ten minutes."""
    ends = to_microseconds(now + LIFETIME).to_bytes(8, "big")
    body = ends + campaign.bytes + (contact or _NOBODY).bytes
    return _CAMPAIGN + base64.urlsafe_b64encode(body + _tag(secret, body)).rstrip(b"=").decode("ascii")


def _read_campaign_token(secret: bytes, text: str, now: datetime) -> tuple[UUID, UUID] | None:
    body = _opened(secret, text.removeprefix(_CAMPAIGN), 40)
    if body is None or from_microseconds(int.from_bytes(body[:8], "big")) <= now:
        return None
    return UUID(bytes=body[8:24]), UUID(bytes=body[24:])


def _opened(secret: bytes, text: str, length: int) -> bytes | None:
    """Return what is sealed in a link, or None when it is not ours."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    return body if len(body) == length and hmac.compare_digest(_tag(secret, body), tag) else None


def _tag(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, b"preview:" + body, sha256).digest()[:TAG_BYTES]


# ── The listener ────────────────────────────────────────────────────────────────────────────────────────────────────


def build_preview(parts: DashboardParts) -> ASGIApp:
    """Return the preview's ASGI app: `GET /<token>` and nothing else."""

    async def show(request: Request) -> Response:
        return await run_in_threadpool(_answer, parts, request.path_params["token"])

    return Starlette(routes=[Route("/{token}", show, methods=["GET"])])


def _answer(parts: DashboardParts, token: str) -> Response:
    if token.startswith(_CAMPAIGN):
        return _answer_campaign(parts, token)
    ticket = read_token(parts.secret, token, parts.now())
    message = parts.outbox.get(ticket.mail) if ticket is not None and parts.outbox is not None else None
    if ticket is None or message is None:
        text = "This preview has ended. Open the mail again in the dashboard."
        return Response(text, 404, _headers(parts, images=False), media_type="text/plain")
    document = document_of(parse(message))
    return Response(document, headers=_headers(parts, images=ticket.images), media_type="text/html")


def _answer_campaign(parts: DashboardParts, token: str) -> Response:
    """Show a campaign's HTML as it is saved; its links lead where the author says, and nothing is tracked."""
    found = _read_campaign_token(parts.secret, token, parts.now())
    html = _rendered(parts, *found) if found is not None else None
    if html is None:
        text = "This preview has ended. Open the campaign again in the dashboard."
        return Response(text, 404, _headers(parts, images=False), media_type="text/plain")
    return Response(html, headers=_headers(parts, images=True), media_type="text/html")


def _rendered(parts: DashboardParts, campaign_id: UUID, contact_id: UUID) -> str | None:
    with parts.database.read() as tx:
        campaign = get_campaign(tx, campaign_id)
        contact = get_contact(tx, contact_id)
        if campaign is None:
            return None
        try:
            return preview(tx, plan_of(tx, campaign), contact.address if contact else "").html
        except InvalidInput as refused:
            return f"<p>{escape(str(refused))}</p>"


def _headers(parts: DashboardParts, *, images: bool) -> dict[str, str]:
    sources = "http: https: data:" if images else "data:"
    policy = (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        f"img-src {sources}; media-src {sources}; font-src {sources}; style-src 'unsafe-inline' {sources}; "
        f"form-action 'none'; frame-ancestors {parts.dashboard_url}"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-robots-tag": "noindex, nofollow",
    }
