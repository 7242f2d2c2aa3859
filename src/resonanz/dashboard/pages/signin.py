"""Signing in and out."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from resonanz.accounts import end_session, sign_in
from resonanz.dashboard.rendering import sentence
from resonanz.dashboard.visit import Visit
from resonanz.model import InvalidInput, TooMany
from resonanz.store.accounts import count_accounts


def show(visit: Visit) -> Response:
    """The form; straight on for whoever is signed in, to the set-up while there is nobody to sign in."""
    where_to = relative_path(visit.query("next"))
    if visit.signed_in is not None:
        return visit.go(where_to)
    with visit.parts.database.read() as tx:
        if not count_accounts(tx):
            return visit.go("/set-up")
    return _render(visit, where_to, done="You are signed out everywhere." if visit.query("done") else "")


def enter(visit: Visit) -> Response:
    """Sign in and go on to where the visitor wanted to go."""
    form, parts = visit.form, visit.parts
    where_to = relative_path(form.text("next"))
    try:
        secret = sign_in(
            parts.database,
            parts.passwords,
            address=form.text("address"),
            password=form.text("password"),
            peer=visit.peer,
            user_agent=visit.user_agent,
            now=visit.now,
        )
    except InvalidInput as refused:
        return _render(visit, where_to, error=sentence(refused.what), status=422)
    except TooMany as refused:
        minutes = -(-refused.retry_after // 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        response = _render(visit, where_to, error=f"Too many attempts. Try again in {wait}.", status=429)
        response.headers["retry-after"] = str(refused.retry_after)
        return response
    if visit.signed_in is not None:
        end_session(parts.database, visit.session_secret)
    visit.set_session(secret)
    return visit.go(where_to)


def leave(visit: Visit) -> Response:
    """Sign this browser out."""
    end_session(visit.parts.database, visit.session_secret)
    visit.clear_session()
    return visit.go("/sign-in")


def relative_path(text: str) -> str:
    """Return where to go after signing in: a path on this host, or `/` for anything that could lead elsewhere."""
    if not all("!" <= character <= "~" for character in text) or "\\" in text:
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    is_path = text.startswith("/") and not text.startswith("//") and not parts.netloc and not parts.scheme
    return text if is_path else "/"


def _render(visit: Visit, where_to: str, *, error: str = "", done: str = "", status: int = 200) -> Response:
    return visit.render(
        "signin.html",
        status=status,
        next=where_to,
        address=visit.form.text("address"),
        error=error,
        done=done,
    )
