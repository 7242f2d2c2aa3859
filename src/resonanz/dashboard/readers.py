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

from resonanz.mail.shown import document_of
from resonanz.mail.structure import parse
from resonanz.sending.again import copy_again
from resonanz.store import Database
from resonanz.tokens import BadToken, Keys, Token, TokenKind, is_from_inside, read

MAX_PAGE = 8_000_000  # bytes; what an edge takes, see `resonanz.edge.inside`

_NOTHING = Response(status_code=404, headers={"cache-control": "no-store"})


@dataclass(frozen=True, slots=True)
class ReaderParts:
    """What these answers are made of. `keys` reads the key file: a rotated one counts at once, as at an edge."""

    database: Database
    keys: Callable[[], Keys]
    edge_url: str
    zone: ZoneInfo


Page = Callable[[ReaderParts, Keys, Token], str | None]


def build_readers(parts: ReaderParts) -> ASGIApp:
    """Return the ASGI app: `GET /readers/copy/<token>` and nothing else; 404 for whatever is not there for an edge."""

    def at(path: str, kind: TokenKind, page: Page) -> Route:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(_answer, parts, request, kind, page)

        return Route(path, answer, methods=["GET"])

    return Starlette(routes=[at("/readers/copy/{token}", TokenKind.VIEW, _copy)])


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
