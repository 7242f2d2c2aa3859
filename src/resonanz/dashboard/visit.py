"""One visit to one page: who asks, what they sent, and how the answer is made. Pages take a visit, never a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from resonanz.accounts import SignedIn
from resonanz.accounts.operators import is_operator
from resonanz.accounts.sessions import EXTEND_EVERY, LIFETIME
from resonanz.dashboard.forms import EMPTY, TOKEN_FIELD, Form, form_token, new_form_secret
from resonanz.dashboard.parts import DashboardParts
from resonanz.dashboard.peers import peer_of
from resonanz.dashboard.rendering import sentence, templates
from resonanz.model import InvalidInput, NotFound, ResonanzError
from resonanz.store.accounts import Account


@dataclass(slots=True)
class Visit:
    """One request, read once. `part` names the fragment htmx asks for, empty for a whole page."""

    parts: DashboardParts
    request: Request
    now: datetime
    signed_in: SignedIn | None = None
    form: Form = EMPTY
    cookies_to_set: list[tuple[str, str, int | None]] = field(default_factory=list)
    _operates: bool | None = None

    @property
    def account(self) -> Account:
        """Whose visit this is. Only pages that need a signed-in visitor ask."""
        assert self.signed_in is not None, "the door lets nobody in without a session"
        return self.signed_in.account

    @property
    def is_operator(self) -> bool:
        """Whether it is the visit of the account that runs the instance."""
        if self._operates is None:
            with self.parts.database.read() as tx:
                self._operates = self.signed_in is not None and is_operator(tx, self.account.id)
        return self._operates

    @property
    def part(self) -> str:
        """The fragment of the page that is asked for; empty for all of it."""
        return self.query("part") if self.request.headers.get("hx-request") == "true" else ""

    @property
    def peer(self) -> str:
        """The browser's IP address."""
        return peer_of(self.request, self.parts.proxies)

    @property
    def user_agent(self) -> str:
        """The browser's own name for itself; hostile until escaped."""
        return self.request.headers.get("user-agent", "")

    def query(self, name: str) -> str:
        """Return a parameter of the URL, empty when it is missing."""
        return self.request.query_params.get(name, "")

    def path(self, name: str) -> Any:
        """Return what stands in a place of the URL's path."""
        return self.request.path_params[name]

    # ── Cookies ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def session_secret(self) -> str:
        """The session's secret as the browser sent it, valid or not."""
        return self.request.cookies.get(self._cookie("session"), "")

    @property
    def form_cookie(self) -> str:
        """What this browser's forms are bound to: its session, or before sign-in a secret of their own."""
        return self.session_secret if self.signed_in else self.request.cookies.get(self._cookie("form"), "")

    def _cookie(self, name: str) -> str:
        # With the prefix, no other host and no plain-http page can plant the cookie (RFC 6265bis section 4.1.3.2).
        return f"__Host-resonanz-{name}" if self.parts.secure else f"resonanz-{name}"

    def set_session(self, secret: str) -> None:
        """Hand the browser a session with the answer."""
        self.cookies_to_set.append((self._cookie("session"), secret, int(LIFETIME.total_seconds())))
        self.cookies_to_set.append((self._cookie("form"), "", 0))

    def renew_session(self) -> None:
        """Let the browser keep its cookie as long as the session in the store, which was extended just now."""
        if self.signed_in is not None and self.now - self.signed_in.session.seen_at >= EXTEND_EVERY:
            self.set_session(self.session_secret)

    def clear_session(self) -> None:
        """Take the session from the browser with the answer."""
        self.cookies_to_set.append((self._cookie("session"), "", 0))

    # ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Answer with a page, or with a fragment of one."""
        cookie = self.form_cookie
        if not cookie:
            cookie = new_form_secret()
            self.cookies_to_set.append((self._cookie("form"), cookie, None))
        text = templates.get_template(template).render(
            visit=self,
            parts=self.parts,
            account=self.signed_in.account if self.signed_in else None,
            now=self.now,
            zone=self.parts.zone,
            token_field=TOKEN_FIELD,
            token=form_token(self.parts, cookie),
            here=self.request.url.path,
            **values,
        )
        return self.finish(HTMLResponse(text, status))

    def go(self, path: str, **query: str) -> Response:
        """Answer a POST with the page to look at next."""
        return self.finish(RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303))

    def finish(self, response: Response) -> Response:
        """Put the cookies on an answer."""
        for name, value, max_age in self.cookies_to_set:
            response.set_cookie(
                name, value, max_age=max_age, path="/", secure=self.parts.secure, httponly=True, samesite="lax"
            )
        return response


def errors_of(refused: InvalidInput, fields: Mapping[str, str], *, otherwise: str) -> dict[str, str]:
    """Return what to say beside which field: `fields` maps what an error is about to the form's own field."""
    said: dict[str, list[str]] = {}
    for problem in refused.problems:
        said.setdefault(fields.get(problem.where, otherwise), []).append(told(problem))
    return {field: " ".join(texts) for field, texts in said.items()}


def told(refused: ResonanzError) -> str:
    """Return what is wrong and what to do about it, as sentences."""
    return " ".join(sentence(text) for text in (refused.what, refused.remedy) if text)


def read_id(text: str, *, where: str = "before") -> UUID | None:
    """Read the id from which a list goes on, None when there is none. Raises InvalidInput about the field `where`."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        what = f"`{text[:50]}` is no place in this list"
        raise InvalidInput(what, where=where, remedy="open the list where it begins") from None


def not_found(what: str) -> NotFound:
    """Return the error for something that is not there."""
    return NotFound(f"there is no such {what}", where=what)
