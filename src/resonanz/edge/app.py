"""The edge as one ASGI callable: no framework, no database, no network call.

A request that carries one of our tokens becomes a `Hit`; the hit is in the journal, on disk, before the answer goes
out. When the journal cannot be written, pixels and redirects are answered all the same (a reader never waits for our
disk), and what would change something is refused with 503.

A valid token is told from an invalid one by time only as far as the journal's wait goes: signatures are compared in
constant time, and an unknown key costs what a known one does. The wait itself shows that a token is ours, which its
holder knows anyway; it says nothing about others.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

from resonanz.edge import answers
from resonanz.edge.answers import Answer, Send
from resonanz.edge.client import EVIDENCE, IMPERSONAL, Proxies, evidence
from resonanz.edge.location import location
from resonanz.edge.metrics import EdgeMetrics
from resonanz.model import Hit, HitKind, TemporaryFailure
from resonanz.tokens import MAX_TOKEN_CHARACTERS, BadToken, Keys, Token, TokenKind, read

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Clock = Callable[[], int]

MAX_PATH = MAX_TOKEN_CHARACTERS + 64
MAX_QUERY = 8_192  # mail clients add parameters of their own; they are ignored
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32_768
MAX_FORM_BYTES = 16_384
FORM_SECONDS = 10

# Linkifiers and mail gateways put brackets, dots and the like behind a URL; a token ends where its alphabet does.
_TOKEN = re.compile(r"[A-Za-z0-9_-]+").match

# As a form or as multipart (RFC 8058 section 3.2); the bound keeps a hostile body from costing quadratic time.
_ONE_CLICK = re.compile(rb'List-Unsubscribe(=|"[^=]{0,200}?\r\n\r\n)One-Click', re.IGNORECASE).search

_log = structlog.get_logger("resonanz.edge")


class Journal(Protocol):
    """What the edge needs of a journal."""

    async def append(self, hit: Hit) -> int:
        """Return once `hit` is on disk; raises TemporaryFailure when it is not."""


class Edge:
    """The callable. `keys` may be replaced while it runs."""

    def __init__(self, keys: Keys, journal: Journal, proxies: Proxies, metrics: EdgeMetrics, clock: Clock) -> None:
        self.keys = keys
        self._journal = journal
        self._proxies = proxies
        self._count = metrics.requests
        self._clock = clock
        self._doors = {"/o/": self._open, "/c/": self._click, "/u/": self._unsubscribe}
        self._pages = {"/": answers.HOME, "/robots.txt": answers.ROBOTS, "/healthz": answers.HEALTHY}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await _answer_other(scope, receive, send)
            return
        try:
            await self._route(scope, receive, send)
        except Exception:
            # A mistake of ours: the reader is asked to try again, whoever runs us reads what happened.
            self._count["any", "failed"] += 1
            _log.exception("edge.failed", door=scope["path"][:3])
            await answers.UNAVAILABLE.send(send, scope["method"])

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if refusal := _over_limit(scope, path):
            self._count["any", "refused"] += 1
            await refusal.send(send, scope["method"])
        elif door := self._doors.get(path[:3]):
            await door(scope, receive, send)
        else:
            await self._show(scope, send, self._pages.get(path, answers.NOT_FOUND))

    # ── Doors ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if not await self._allows(scope, send, "open", answers.READING):
            return
        token = self._token(scope["path"], TokenKind.OPEN)
        if token is None:
            self._count["open", "unknown"] += 1
        else:
            await self._record(self._hit(HitKind.OPEN, token, scope))
        await answers.PIXEL.send(send, method)

    async def _click(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if not await self._allows(scope, send, "click", answers.READING):
            return
        token = self._token(scope["path"], TokenKind.CLICK)
        if token is None:
            self._count["click", "unknown"] += 1
            await answers.NOT_FOUND.send(send, method)
            return
        to = location(token.destination)
        if to is None:
            self._count["click", "refused"] += 1
            await answers.NOT_FOUND.send(send, method)
            return
        await self._record(self._hit(HitKind.CLICK, token, scope))
        await answers.send_redirect(send, method, to)

    async def _unsubscribe(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if not await self._allows(scope, send, "unsubscribe", answers.READING_AND_ACTING):
            return
        token = self._token(scope["path"], TokenKind.UNSUBSCRIBE)
        if token is None:
            self._count["unsubscribe", "unknown"] += 1
            await answers.NOT_FOUND.send(send, method)
        elif method == "POST":
            await (await self._act_on_unsubscribe(token, scope, receive)).send(send, method)
        else:
            self._count["unsubscribe", "shown"] += 1
            await answers.UNSUBSCRIBE.send(send, method)

    async def _act_on_unsubscribe(self, token: Token, scope: Scope, receive: Receive) -> Answer:
        """Record the wish. The token is all the authority there is: no cookie, no redirect (RFC 8058 section 3.1)."""
        form = await _read_form(scope, receive)
        if isinstance(form, Answer):
            self._count["unsubscribe", "refused"] += 1
            return form
        body = _unsubscribe_wish(form)
        if body is None:
            self._count["unsubscribe", "refused"] += 1
            return answers.NOT_CONFIRMED
        recorded = await self._record(self._hit(HitKind.UNSUBSCRIBE, token, scope, body))
        return answers.UNSUBSCRIBED if recorded else answers.UNAVAILABLE

    async def _show(self, scope: Scope, send: Send, page: Answer) -> None:
        if await self._allows(scope, send, "page", answers.READING):
            self._count["page", "shown" if page is not answers.NOT_FOUND else "unknown"] += 1
            await page.send(send, scope["method"])

    # ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _allows(self, scope: Scope, send: Send, kind: str, methods: tuple[str, ...]) -> bool:
        if scope["method"] in methods:
            return True
        self._count[kind, "refused"] += 1
        await answers.NO_SUCH_METHOD[methods].send(send, scope["method"])
        return False

    def _token(self, path: str, kind: TokenKind) -> Token | None:
        found = _TOKEN(path, 3)
        if found is None:
            return None
        try:
            token = read(self.keys, found[0])
        except BadToken:
            return None
        return token if token.kind is kind else None

    def _hit(self, kind: HitKind, token: Token, scope: Scope, body: str = "") -> Hit:
        headers = scope["headers"]
        if token.anonymous:
            # Anonymous means no person: nothing that could lead to one is kept.
            address = user_agent = ""
            kept = evidence(headers, IMPERSONAL)
        else:
            client = scope.get("client")
            address = self._proxies.client(client[0], headers) if client else ""
            kept = evidence(headers, EVIDENCE)
            user_agent = kept.pop("user-agent", "")
        return Hit(
            kind=kind,
            id=token.id,
            occurred_us=self._clock(),
            anonymous=token.anonymous,
            link=token.link,
            destination=token.destination,
            method=scope["method"],
            address=address,
            user_agent=user_agent,
            headers=kept,
            body=body,
        )

    async def _record(self, hit: Hit) -> bool:
        try:
            await self._journal.append(hit)
        except TemporaryFailure:
            self._count[hit.kind, "unrecorded"] += 1
            return False
        self._count[hit.kind, "recorded"] += 1
        return True


def build(
    keys: Keys,
    journal: Journal,
    *,
    proxies: Proxies | None = None,
    metrics: EdgeMetrics | None = None,
    clock: Clock = lambda: time.time_ns() // 1000,
) -> Edge:
    """Build the edge. `clock` gives microseconds since the epoch; it is read once per hit."""
    return Edge(keys, journal, proxies or Proxies(()), metrics or EdgeMetrics(), clock)


# ── Limits and forms ────────────────────────────────────────────────────────────────────────────────────────────────


def _over_limit(scope: Scope, path: str) -> Answer | None:
    if len(path) > MAX_PATH or len(scope["query_string"]) > MAX_QUERY:
        return answers.PATH_TOO_LONG
    headers = scope["headers"]
    if len(headers) > MAX_HEADERS or sum([len(name) + len(value) for name, value in headers]) > MAX_HEADER_BYTES:
        return answers.HEADERS_TOO_LARGE
    return None


async def _read_form(scope: Scope, receive: Receive) -> bytes | Answer:
    """Return the whole body, or the answer that refuses it."""
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return answers.TOO_SLOW
                body += message.get("body") or b""
                if len(body) > MAX_FORM_BYTES:
                    return answers.BODY_TOO_LARGE
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        return answers.TOO_SLOW


def _unsubscribe_wish(form: bytes) -> str | None:
    """Return `one-click` or `page` for a body that says so, in either form encoding; None for anything else."""
    if _ONE_CLICK(form):
        return "one-click"
    if b"confirm=unsubscribe" in form:
        return "page"
    return None


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
