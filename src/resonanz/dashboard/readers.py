"""What edges fetch for readers: a mail as a page, and what is recorded of it. Answers nobody but an edge.

The edge has no database; it hands the reader's token on, with a signature that only holders of our keys can make. So
nothing of this can be seen at the dashboard's own address, where a stranger's HTML would stand beside its cookies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from resonanz.dashboard.rendering import templates
from resonanz.insight import message_page
from resonanz.mail.shown import document_of
from resonanz.mail.structure import parse
from resonanz.model import EventKind, TrackingMode
from resonanz.sending.again import copy_again
from resonanz.store import Database
from resonanz.tokens import BadToken, Keys, Token, TokenKind, is_from_inside, read

ENTRIES = 50  # of a record that one page shows
MAX_PAGE = 8_000_000  # bytes; what an edge takes, see `resonanz.edge.inside`

_NOTHING = Response(status_code=404, headers={"cache-control": "no-store"})


@dataclass(frozen=True, slots=True)
class ReaderParts:
    """What these answers are made of. `keys` reads the key file: a rotated one counts at once, as at an edge."""

    database: Database
    keys: Callable[[], Keys]
    edge_url: str
    zone: ZoneInfo
    keep_days: int = 0  # for which who asked is kept; 0: no longer than judging takes


Page = Callable[[ReaderParts, Keys, Token], str | None]


def build_readers(parts: ReaderParts) -> ASGIApp:
    """Return the ASGI app: `GET /readers/copy/<token>` and `GET /readers/record/<token>`, each a page or 404."""

    def at(path: str, kind: TokenKind, page: Page) -> Route:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(_answer, parts, request, kind, page)

        return Route(path, answer, methods=["GET"])

    return Starlette(
        routes=[
            at("/readers/copy/{token}", TokenKind.VIEW, _copy),
            at("/readers/record/{token}", TokenKind.PREFERENCES, _record),
        ]
    )


def _answer(parts: ReaderParts, request: Request, kind: TokenKind, page: Page) -> Response:
    keys = parts.keys()
    if not is_from_inside(keys, request.url.path, request.headers.get("x-resonanz-edge", "")):
        return _NOTHING
    try:
        token = read(keys, request.path_params["token"])
    except BadToken:
        return _NOTHING
    text = page(parts, keys, token) if token.kind is kind else None
    content = text.encode("utf-8", "replace") if text is not None else b""
    if text is None or len(content) > MAX_PAGE:
        return _NOTHING
    return Response(content, media_type="text/html", headers={"cache-control": "no-store"})


def _copy(parts: ReaderParts, keys: Keys, token: Token) -> str | None:
    """The mail as a page, with as many of its enclosed images as find room."""
    mail = copy_again(parts.database, keys, parts.edge_url, token)
    if mail is None:
        return None
    structure = parse(mail)
    room = MAX_PAGE - len(document_of(structure, images_bytes=0).encode("utf-8", "replace"))
    return document_of(structure, images_bytes=max(room, 0) * 5 // 7)


# ── The record ──────────────────────────────────────────────────────────────────────────────────────────────────────

_TOLD = {
    EventKind.QUEUED: "The sender handed it in to be sent",
    EventKind.SENT: "It was handed to the next mail server",
    EventKind.DEFERRED: "A mail server asked to try again later",
    EventKind.DELIVERED: "It reached your mail system",
    EventKind.BOUNCED: "It came back",
    EventKind.FAILED: "It could not be sent",
    EventKind.SUPPRESSED: "It was not sent, because your address is on a list of those to be left in peace",
    EventKind.COMPLAINED: "It was reported as spam",
    EventKind.UNSUBSCRIBED: "You unsubscribed",
    EventKind.OPENED: "The image in the mail was fetched",
    EventKind.SHOWN: "The mail was looked at in a browser",
    EventKind.CLICKED: "A link in the mail was followed",
    EventKind.DOWNLOADED: "A document was fetched",
    EventKind.VISITED: "A page of the sender’s site was looked at, after a link was followed",
    EventKind.REPLIED: "A reply was sent",
    EventKind.AUTORESPONDED: "An automatic answer was sent",
    EventKind.DISPLAYED: "A read receipt was sent",
    EventKind.CORRECTED: "Whether a person or a program did this was looked at again",
}
_MODES = {
    TrackingMode.INDIVIDUAL: "with your name",
    TrackingMode.ANONYMOUS: "without your name",
    TrackingMode.OFF: "not at all",
}


def _record(parts: ReaderParts, keys: Keys, token: Token) -> str | None:
    """What is recorded of one mail, in its reader's words: a section of the edge's page. None once it is gone."""
    page = None if token.anonymous else message_page(parts.database, token.id)
    if page is None or page.message.contact_id is None:
        return None
    opens, clicks = page.message.track_opens, page.message.track_clicks
    return templates.get_template("record.html").render(
        page=page,
        entries=page.timeline[:ENTRIES],
        more=page.more or len(page.timeline) > ENTRIES,
        modes=f"Opening it is recorded {_MODES[opens]}, following its links {_MODES[clicks]}.",
        told=_TOLD,
        zone=parts.zone,
        keep_days=parts.keep_days,
    )
