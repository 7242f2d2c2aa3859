"""The edge as one ASGI callable: no framework, no database; no network call but for pages that only the app can make.

A request that carries one of our tokens becomes a `Hit`; the hit is in the journal, on disk, before the answer goes
out. When the journal cannot be written, pixels and redirects are answered all the same (a reader never waits for our
disk), and what would change something is refused with 503.

A valid token is told from an invalid one by time only once its tag was compared, by what it takes to write the hit down
and to wait for the disk: signatures are compared in constant time, and an unknown key costs what a known one does. The
wait itself shows that a token is ours, which its holder knows anyway; it says nothing about others.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, Protocol

import structlog

from resonanz.edge import answers
from resonanz.edge.answers import Answer, Send
from resonanz.edge.client import EVIDENCE, IMPERSONAL, evidence
from resonanz.edge.documents import Documents, Piece, Stored, name_in
from resonanz.edge.forms import LEAVE, Receive, preference, read_form, unsubscribe_wish
from resonanz.edge.inside import Inside
from resonanz.edge.known import Known
from resonanz.edge.location import location
from resonanz.edge.loop import in_loop
from resonanz.edge.metrics import EdgeMetrics
from resonanz.edge.outgoing import Outgoing
from resonanz.edge.reader_pages import ReaderPages
from resonanz.edge.visits import SCRIPT, Reports, address_with_visit
from resonanz.model import BLOCKED, CONTINUED, HitKind
from resonanz.proxies import Proxies
from resonanz.tokens import LINK_START, MAX_TOKEN_CHARACTERS, BadToken, Keys, TokenKind, head, link_in, verify

Scope = dict[str, Any]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Clock = Callable[[], int]

MAX_PATH = MAX_TOKEN_CHARACTERS + 64
_REDIRECTS = 1024  # kept ready; at most some 30 MB, with destinations as long as a token can carry

# Linkifiers and mail gateways put brackets, dots and the like behind a URL; a token ends where its alphabet does.
_TOKEN = re.compile(r"/[ocfiupv]/([A-Za-z0-9_-]+)").match

_OPEN, _CLICK, _FILE, _UNSUBSCRIBE, _PREFERENCES = (
    (head(kind), head(kind, anonymous=True))
    for kind in (TokenKind.OPEN, TokenKind.CLICK, TokenKind.FILE, TokenKind.UNSUBSCRIBE, TokenKind.PREFERENCES)
)
_ANONYMOUS = head(TokenKind.OPEN, anonymous=True) ^ head(TokenKind.OPEN)

_log = structlog.get_logger("resonanz.edge")


class Journal(Protocol):
    """What the edge needs of a journal."""

    def append_token(
        self,
        kind: HitKind,
        token: str,
        occurred_us: int,
        method: str,
        address: str,
        user_agent: str,
        headers: Mapping[str, str],
        body: str = "",
    ) -> Awaitable[object]:
        """Return what writes a hit with a verified token: awaited, it is a true value once the hit is on disk, and a
        false one when it cannot be written."""


class Edge:
    """The callable. `keys` may be replaced while it runs."""

    def __init__(
        self,
        keys: Keys,
        journal: Journal,
        documents: Documents | None,
        proxies: Proxies,
        metrics: EdgeMetrics,
        clock: Clock,
        inside: Inside,
        known: Known,
    ) -> None:
        self.keys = keys
        self._journal = journal
        self._documents = documents
        self._proxies = proxies
        self._count = metrics.count
        self._clock = clock
        self._known = known
        self._outgoing = Outgoing()
        self._reader_pages = ReaderPages(
            inside, lambda: self.keys, self._verified, known.is_blocked, self._record, self._count, self._outgoing
        )
        # Quick doors are run in the server's threads: they wait for the journal and for nothing else (`edge.loop`).
        self._quick_doors = {
            "/o/": self._open,
            "/c/": self._click,
            "/i/": self._image,
        }
        self._doors = {
            "/f/": self._file,
            "/u/": self._unsubscribe,
            "/p/": self._preferences,
            "/v/": self._reader_pages.copy,
            "/b": Reports(lambda: self.keys, self._record, self._count).take,
        }
        self._pages = {"/": answers.HOME, "/s.js": SCRIPT, "/robots.txt": answers.ROBOTS, "/healthz": answers.HEALTHY}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await _answer_other(scope, receive, send)
            return
        path = scope["path"]
        try:
            if len(path) > MAX_PATH:
                self._count("any", "refused")
                await answers.PATH_TOO_LONG.send(send, scope["method"])
            elif door := self._quick_doors.get(path[:3]):
                await door(scope, receive, send)
            elif door := self._doors.get(path[:3]):
                await in_loop()
                await door(scope, receive, send)
            else:
                await self._show(scope, send, self._pages.get(path, answers.NOT_FOUND))
        except Exception:
            # A mistake of ours: the reader is asked to try again, whoever runs us reads what happened.
            self._count("any", "failed")
            _log.exception("edge.failed", door=path[:3])
            await answers.UNAVAILABLE.send(send, scope["method"])

    # ── Doors ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method not in answers.READING:
            await self._refuse_method(send, method, "open", answers.READING)
            return
        text, signed = self._verified(scope["path"], _OPEN)
        self._count("open", await self._record(HitKind.OPEN, text, signed, scope) if signed else "unknown")
        await send(answers.PIXEL.start)
        await send(answers.NOTHING if method == "HEAD" else answers.PIXEL.body)

    async def _click(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method not in answers.READING:
            await self._refuse_method(send, method, "click", answers.READING)
            return
        text, signed = self._verified(scope["path"], _CLICK)
        if not signed:
            self._count("click", "unknown")
            await answers.NOT_FOUND.send(send, method)
            return
        redirect = _redirect(signed[LINK_START:])
        if redirect is None:
            self._count("click", "refused")
            await answers.NOT_FOUND.send(send, method)
            return
        if self._known.is_blocked(signed[2:18]):
            self._count("click", _blocked(await self._record(HitKind.CLICK, text, signed, scope, BLOCKED)))
            await answers.BLOCKED.send(send, method)
            return
        recorded = await self._record(HitKind.CLICK, text, signed, scope)
        if self._known.snapshot.sites and recorded == "recorded" and not signed[0] & _ANONYMOUS and method == "GET":
            redirect = self._with_visit(signed, scope) or redirect
        self._count("click", recorded)
        await send(redirect.start)
        await send(answers.NOTHING if method == "HEAD" else redirect.body)

    async def _image(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An image of the author in place of a pixel: fetched, it is an open; where it lies, its token says."""
        method = scope["method"]
        if method not in answers.READING:
            await self._refuse_method(send, method, "image", answers.READING)
            return
        text, signed = self._verified(scope["path"], _FILE)
        redirect = _redirect(signed[LINK_START:]) if signed else None
        if redirect is None:
            self._count("image", "refused" if signed else "unknown")
            await answers.NOT_FOUND.send(send, method)
            return
        self._count("image", await self._record(HitKind.OPEN, text, signed, scope))
        answer = answers.PIXEL if self._known.is_blocked(signed[2:18]) else redirect
        await answer.send(send, method)

    async def _file(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if method not in answers.READING:
            await self._refuse_method(send, method, "file", answers.READING)
            return
        text, signed = self._verified(path, _FILE)
        if signed and self._known.is_blocked(signed[2:18]):
            self._count("file", _blocked(await self._record(HitKind.FILE, text, signed, scope, BLOCKED)))
            await answers.BLOCKED.send(send, method)
            return
        stored = await self._stored(link_in(signed)[1]) if signed else None
        if stored is None:
            self._count("file", "missing" if signed else "unknown")
            await answers.NOT_FOUND.send(send, method)
            return
        with stored:
            piece = stored.piece(method, scope["headers"])
            if piece is None:
                self._count("file", "refused")
                await stored.refuse(send)
                return
            with self._outgoing.room(piece.ahead(method)) as has_room:
                if not has_room:
                    self._count("file", "busy")
                    await answers.BUSY.send(send, method)
                    return
                self._count("file", await self._record_download(piece, text, signed, scope))
                name = name_in(path[len("/f/") + len(text) :])
                if method == "HEAD":
                    await stored.send_head(send, piece, name)
                else:
                    await stored.send(receive, send, piece, name)

    async def _unsubscribe(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method not in answers.READING_AND_ACTING:
            await self._refuse_method(send, method, "unsubscribe", answers.READING_AND_ACTING)
            return
        text, signed = self._verified(scope["path"], _UNSUBSCRIBE)
        if not signed:
            self._count("unsubscribe", "unknown")
            await answers.NOT_FOUND.send(send, method)
        elif signed[0] & _ANONYMOUS:
            # Nobody could be taken off by it. To a mail program that asks by one click (RFC 8058), a refusal is the one
            # answer that keeps it from telling its user that it is done.
            self._count("unsubscribe", "refused" if method == "POST" else "shown")
            await (answers.NOBODY_TO_LEAVE if method == "POST" else answers.NOBODY_LEAVES).send(send, method)
        elif method == "POST":
            answer = await self._act_on_unsubscribe(text, signed, scope, receive)
            await answer.send(send, method)
        else:
            self._count("unsubscribe", "shown")
            await answers.UNSUBSCRIBE.send(send, method)

    async def _act_on_unsubscribe(self, text: str, signed: bytes, scope: Scope, receive: Receive) -> Answer:
        """Record the wish. The token is all the authority there is: no cookie, no redirect (RFC 8058 section 3.1)."""
        form = await read_form(receive)
        if isinstance(form, Answer):
            self._count("unsubscribe", "refused")
            return form
        wish = unsubscribe_wish(form)
        if wish is None:
            self._count("unsubscribe", "refused")
            return answers.NOT_CONFIRMED
        outcome = await self._record(HitKind.UNSUBSCRIBE, text, signed, scope, wish)
        self._count("unsubscribe", outcome)
        return answers.UNSUBSCRIBED if outcome == "recorded" else answers.UNAVAILABLE

    async def _preferences(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method not in answers.READING_AND_ACTING:
            await self._refuse_method(send, method, "preferences", answers.READING_AND_ACTING)
            return
        text, signed = self._verified(scope["path"], _PREFERENCES)
        if not signed:
            self._count("preferences", "unknown")
            await answers.NOT_FOUND.send(send, method)
        elif method == "POST":
            answer = await self._act_on_preference(text, signed, scope, receive)
            await answer.send(send, method)
        else:
            self._count("preferences", "shown")
            named = not signed[0] & _ANONYMOUS
            page = await self._reader_pages.preferences(text) if named else answers.NO_PREFERENCES
            await page.send(send, method)

    async def _act_on_preference(self, text: str, signed: bytes, scope: Scope, receive: Receive) -> Answer:
        """Record the choice, on the token's authority alone. To leave is the same wish here as on the page for it."""
        form = await read_form(receive)
        if isinstance(form, Answer):
            self._count("preferences", "refused")
            return form
        choice = preference(form)
        if signed[0] & _ANONYMOUS or choice is None:
            self._count("preferences", "refused")
            return answers.NOTHING_TO_CHOOSE if signed[0] & _ANONYMOUS else answers.NOT_CHOSEN
        if choice == LEAVE:
            outcome = await self._record(HitKind.UNSUBSCRIBE, text, signed, scope, "preferences")
        else:
            wording = f"{choice} {answers.PREFERENCES_WORDING}"
            outcome = await self._record(HitKind.PREFERENCES, text, signed, scope, wording)
        self._count("preferences", outcome)
        return answers.CHOSEN[choice] if outcome == "recorded" else answers.UNAVAILABLE

    async def _show(self, scope: Scope, send: Send, page: Answer) -> None:
        method = scope["method"]
        if method not in answers.READING:
            await self._refuse_method(send, method, "page", answers.READING)
            return
        self._count("page", "shown" if page is not answers.NOT_FOUND else "unknown")
        await page.send(send, method)

    async def _refuse_method(self, send: Send, method: str, kind: str, allowed: tuple[str, ...]) -> None:
        self._count(kind, "refused")
        await answers.NO_SUCH_METHOD[allowed].send(send, method)

    # ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _verified(self, path: str, heads: tuple[int, int]) -> tuple[str, bytes]:
        """Return text and signed bytes of the path's token; nothing when it is not one of ours for this door."""
        found = _TOKEN(path)
        if found is None:
            return "", b""
        text = found[1]
        try:
            signed = verify(self.keys, text)
        except BadToken:
            return "", b""
        return (text, signed) if signed[0] in heads else ("", b"")

    def _with_visit(self, signed: bytes, scope: Scope) -> Answer | None:
        """Return the redirect that carries a visit's token, None where it leads to none of the sender's own sites."""
        to = address_with_visit(self._known.snapshot.sites, self.keys, signed, self._clock(), scope["headers"])
        return None if to is None else answers.redirect(to)

    async def _stored(self, key: str) -> Stored | None:
        return None if self._documents is None else await self._documents.open(key)

    async def _record_download(self, piece: Piece, text: str, signed: bytes, scope: Scope) -> str:
        """Record a download; one that goes on where another broke off says so, for it is no second one."""
        return await self._record(HitKind.FILE, text, signed, scope, CONTINUED if piece.start else "")

    async def _record(self, kind: HitKind, text: str, signed: bytes, scope: Scope, body: str = "") -> str:
        """Have the hit written; return `recorded` once it is on disk, `unrecorded` when it cannot be, `silent` when its
        recipient allows no record of it: then nothing at all is kept."""
        headers = scope["headers"]
        if signed[0] & _ANONYMOUS:
            # Anonymous means no person: nothing that could lead to one is kept. The program's name is, until it is
            # judged and forgotten: without it every scanner would count as a reader.
            address = ""
            kept = evidence(headers, IMPERSONAL)
        elif self._known.is_silent(kind, signed[2:18]):
            return "silent"
        else:
            client = scope.get("client")
            address = self._proxies.client(client[0], headers) if client else ""
            kept = evidence(headers, EVIDENCE)
        user_agent = kept.pop("user-agent", "")
        is_written = await self._journal.append_token(
            kind, text, self._clock(), scope["method"], address, user_agent, kept, body
        )
        return "recorded" if is_written else "unrecorded"


def build(
    keys: Keys,
    journal: Journal,
    *,
    documents: Documents | None = None,
    proxies: Proxies | None = None,
    metrics: EdgeMetrics | None = None,
    clock: Clock = lambda: time.time_ns() // 1000,
    inside: Inside | None = None,
    known: Known | None = None,
) -> Edge:
    """Build the edge. Without `documents` there are none to be fetched, without `inside` nobody is asked for pages that
    need the app, without `known` nothing is blocked or silent. `clock` gives microseconds since the epoch; it is read
    once per hit."""
    return Edge(
        keys,
        journal,
        documents,
        proxies or Proxies(()),
        metrics or EdgeMetrics(),
        clock,
        inside or Inside(),
        known or Known(None),
    )


def _blocked(outcome: str) -> str:
    """Return under which outcome a request is counted that was not let through."""
    return "blocked" if outcome == "recorded" else outcome


@lru_cache(maxsize=_REDIRECTS)
def _redirect(link: bytes) -> Answer | None:
    """Return the redirect to a destination, or None where it is no http(s) address. `link` is how the signed bytes of
    a link's token end: kept as it stands there, because a campaign has few links and many recipients.
    """
    to = location(link_in(link, 0)[1])
    return None if to is None else answers.redirect(to)


# ── Other protocols ─────────────────────────────────────────────────────────────────────────────────────────────────


async def _answer_other(scope: Scope, receive: Receive, send: Send) -> None:
    """Take part in the lifespan protocol, refuse WebSockets."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
