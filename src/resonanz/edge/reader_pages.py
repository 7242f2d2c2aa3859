"""Pages that need the app: a mail in the browser, what is recorded of it. Pixels and redirects never come this way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from resonanz.edge import answers
from resonanz.edge.answers import Answer, HeaderList, Send, answer, page
from resonanz.edge.forms import Receive
from resonanz.edge.inside import Away, Inside
from resonanz.edge.outgoing import Outgoing, send_in_pieces
from resonanz.model import HitKind
from resonanz.tokens import Keys, TokenKind, head

Scope = dict[str, Any]
Verify = Callable[[str, tuple[int, int]], tuple[str, bytes]]
Record = Callable[[HitKind, str, bytes, Scope], Awaitable[str]]
Count = Callable[[str, str], None]

_VIEW = head(TokenKind.VIEW), head(TokenKind.VIEW, anonymous=True)

# A stranger's HTML on the tracking host: no script, no origin, no form, no frame around it. Its images and styles come
# from wherever the mail has them, as in any mail program.
_COPY: HeaderList = [
    (b"cache-control", b"private, no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:; "
        b"media-src http: https: data:; font-src http: https: data:; style-src 'unsafe-inline' http: https:; "
        b"form-action 'none'; frame-ancestors 'none'",
    ),
    (b"content-type", b"text/html; charset=utf-8"),
]

COPY_AWAY = page(
    503,
    "Your mail cannot be shown just now",
    "The page is made by another part of this system, which does not answer at the moment. Please try again in a "
    "minute.",
    "The mail in your mailbox is the same.",
    headers=[(b"retry-after", b"60")],
)
COPY_GONE = page(
    404,
    "This mail cannot be shown here",
    "Its sender does not keep it any more, or it is too large for a page. The mail in your mailbox is not touched by "
    "that.",
)


class ReaderPages:
    """The doors. `keys`, `verify`, `is_blocked`, `record`, `count` and `outgoing` are the edge's own."""

    def __init__(
        self,
        inside: Inside,
        keys: Callable[[], Keys],
        verify: Verify,
        is_blocked: Callable[[bytes], bool],
        record: Record,
        count: Count,
        outgoing: Outgoing,
    ) -> None:
        self._inside = inside
        self._keys = keys
        self._verify = verify
        self._is_blocked = is_blocked
        self._record = record
        self._count = count
        self._outgoing = outgoing

    async def copy(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show a mail as a page. Recorded as that, once it is there to be shown; without a name, not at all."""
        method = scope["method"]
        if method not in answers.READING:
            self._count("view", "refused")
            await answers.NO_SUCH_METHOD[answers.READING].send(send, method)
            return
        text, signed = self._verify(scope["path"], _VIEW)
        found, outcome = await self._copy(text, signed)
        with self._outgoing.room(len(found.body["body"])) as has_room:
            if not has_room:
                found, outcome = answers.BUSY, "busy"
            elif outcome == "shown" and signed[0] == _VIEW[0]:
                outcome = await self._record(HitKind.VIEW, text, signed, scope)
            self._count("view", outcome)
            await send_in_pieces(found, send, method)

    async def _copy(self, text: str, signed: bytes) -> tuple[Answer, str]:
        if not signed:
            return answers.NOT_FOUND, "unknown"
        if self._is_blocked(signed[2:18]):
            return answers.BLOCKED, "blocked"
        try:
            content = await self._inside.ask(self._keys(), f"/readers/copy/{text}")
        except Away:
            return COPY_AWAY, "away"
        if content is None:
            return COPY_GONE, "missing"
        return answer(200, _COPY, content), "shown"

    async def preferences(self, token: str) -> Answer:
        """Return the preference page for a (verified) token: its choices, and what is recorded where that is known."""
        try:
            record = await self._inside.ask(self._keys(), f"/readers/record/{token}")
        except Away:
            return answers.PREFERENCES_WITHOUT_RECORD
        return answers.preferences(_NO_RECORD if record is None else record.decode("utf-8", "replace"))


_NO_RECORD = "<h2>What was recorded about this mail</h2>\n<p>Nothing: no record of this mail is kept any more.</p>\n"
