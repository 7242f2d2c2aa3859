"""The door of the pages: routes, who may come in, and what a visitor sees when something goes wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from resonanz.accounts import resume_session
from resonanz.dashboard import live
from resonanz.dashboard.forms import EMPTY, SMALL_FORM, Form, check_origin, check_token, read_form
from resonanz.dashboard.pages import (
    account,
    attributes,
    campaigns,
    compose,
    contacts,
    domains,
    home,
    imports,
    limits,
    lists,
    mailboxes,
    messages,
    operations,
    outbox,
    providers,
    rules,
    senders,
    setup,
    signin,
    status,
    suppressions,
    transports,
    webhooks,
)
from resonanz.dashboard.pages.imports import MAX_FILE_BYTES
from resonanz.dashboard.parts import DashboardParts
from resonanz.dashboard.security import SecurityHeaders
from resonanz.dashboard.visit import Visit
from resonanz.model import Conflict, Forbidden, InvalidInput, NotFound, ResonanzError, TooLarge, TooMany

Page = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]

STATIC = Path(__file__).with_name("static")

_log = structlog.get_logger("resonanz.dashboard")


class Open(Enum):
    """To whom a page is open."""

    OPERATORS = "operators"
    SIGNED_IN = "signed in"
    EVERYBODY = "everybody"


def build(parts: DashboardParts) -> ASGIApp:
    """Return the dashboard as an ASGI app that answers from `/` on."""
    operators, signed_in, everybody = Open.OPERATORS, Open.SIGNED_IN, Open.EVERYBODY
    upload = parts.max_message * 4 // 3 + SMALL_FORM  # a text field may need escapes, a file needs none
    pages: list[tuple[str, str, Page, Open, int]] = [
        ("GET", "/", home.show, signed_in, 0),
        ("GET", "/messages", messages.show_list, signed_in, 0),
        ("GET", "/messages/{message:uuid}", messages.show_message, signed_in, 0),
        ("GET", "/submissions/{submission:uuid}", messages.show_submission, signed_in, 0),
        ("POST", "/submissions/{submission:uuid}/block", messages.block_submission, operators, SMALL_FORM),
        ("GET", "/compose", compose.show, signed_in, 0),
        ("POST", "/compose", compose.send, signed_in, upload),
        ("GET", "/campaigns", campaigns.show_list, signed_in, 0),
        ("GET", "/campaigns/new", campaigns.show_new, signed_in, 0),
        ("POST", "/campaigns", campaigns.create, signed_in, upload),
        ("GET", "/campaigns/{campaign:uuid}", campaigns.show, signed_in, 0),
        ("POST", "/campaigns/{campaign:uuid}", campaigns.save, signed_in, upload),
        ("GET", "/campaigns/{campaign:uuid}/recipients.csv", campaigns.download, signed_in, 0),
        ("GET", "/campaigns/{campaign:uuid}/send", campaigns.show_sending, signed_in, 0),
        ("POST", "/campaigns/{campaign:uuid}/send", campaigns.send, signed_in, SMALL_FORM),
        ("POST", "/campaigns/{campaign:uuid}/act", campaigns.act, signed_in, SMALL_FORM),
        ("GET", "/outbox", outbox.show_list, signed_in, 0),
        ("GET", "/outbox/{mail:uuid}", outbox.show_mail, signed_in, 0),
        ("GET", "/outbox/{mail:uuid}/source", outbox.show_source, signed_in, 0),
        ("GET", "/outbox/{mail:uuid}/file", outbox.download, signed_in, 0),
        ("GET", "/contacts", contacts.show_list, signed_in, 0),
        ("POST", "/contacts", contacts.add, signed_in, SMALL_FORM),
        ("GET", "/contacts/file", contacts.download, signed_in, 0),
        ("GET", "/contacts/{contact:uuid}", contacts.show, signed_in, 0),
        ("POST", "/contacts/{contact:uuid}", contacts.save, signed_in, 2 * SMALL_FORM),
        ("POST", "/contacts/{contact:uuid}/consent", contacts.enter_consent, signed_in, SMALL_FORM),
        ("POST", "/contacts/{contact:uuid}/lists", contacts.change_lists, signed_in, SMALL_FORM),
        ("POST", "/contacts/{contact:uuid}/erase", contacts.erase, signed_in, SMALL_FORM),
        ("GET", "/contacts/{contact:uuid}/export", contacts.export, signed_in, 0),
        ("GET", "/lists", lists.show, signed_in, 0),
        ("POST", "/lists", lists.create, signed_in, SMALL_FORM),
        ("GET", "/lists/{list:uuid}", lists.show_one, signed_in, 0),
        ("POST", "/lists/{list:uuid}", lists.save, signed_in, SMALL_FORM),
        ("POST", "/lists/{list:uuid}/delete", lists.delete, signed_in, SMALL_FORM),
        ("GET", "/attributes", attributes.show, signed_in, 0),
        ("POST", "/attributes", attributes.define, signed_in, SMALL_FORM),
        ("POST", "/attributes/change", attributes.change, signed_in, SMALL_FORM),
        ("POST", "/attributes/remove", attributes.remove, signed_in, SMALL_FORM),
        ("GET", "/imports", imports.show_list, signed_in, 0),
        ("POST", "/imports", imports.hand_in, signed_in, MAX_FILE_BYTES + SMALL_FORM),
        ("GET", "/imports/{import_id:uuid}", imports.show, signed_in, 0),
        ("POST", "/imports/{import_id:uuid}/read", imports.reread, signed_in, SMALL_FORM),
        ("POST", "/imports/{import_id:uuid}", imports.start, signed_in, SMALL_FORM),
        ("POST", "/imports/{import_id:uuid}/cancel", imports.cancel, signed_in, SMALL_FORM),
        ("GET", "/imports/{import_id:uuid}/errors", imports.download_errors, signed_in, 0),
        ("GET", "/suppressions", suppressions.show, signed_in, 0),
        ("POST", "/suppressions", suppressions.add, signed_in, SMALL_FORM),
        ("POST", "/suppressions/remove", suppressions.remove, signed_in, SMALL_FORM),
        ("GET", "/account", account.show, signed_in, 0),
        ("POST", "/account/password", account.change, signed_in, SMALL_FORM),
        ("POST", "/account/sessions/end", account.sign_out_everywhere, signed_in, SMALL_FORM),
        ("POST", "/account/keys", account.add_key, signed_in, SMALL_FORM),
        ("POST", "/account/mail-passwords", account.add_mail_password, signed_in, SMALL_FORM),
        ("POST", "/account/mail-passwords/{key:uuid}/revoke", account.end_mail_password, signed_in, SMALL_FORM),
        ("POST", "/account/keys/{key:uuid}/revoke", account.end_key, signed_in, SMALL_FORM),
        ("POST", "/account/tracking", account.choose_tracking, signed_in, SMALL_FORM),
        ("GET", "/transports", transports.show, signed_in, 0),
        ("POST", "/transports", transports.add, signed_in, SMALL_FORM),
        ("GET", "/transports/signed-in", transports.signed_in, signed_in, 0),
        ("POST", "/transports/signed-in", transports.finish, signed_in, SMALL_FORM),
        ("GET", "/transports/{name}", transports.show_one, signed_in, 0),
        ("POST", "/transports/{name}", transports.change, signed_in, SMALL_FORM),
        ("POST", "/transports/{name}/check", transports.check, signed_in, SMALL_FORM),
        ("POST", "/transports/{name}/test", transports.test, signed_in, SMALL_FORM),
        ("POST", "/transports/{name}/pause", transports.pause, signed_in, SMALL_FORM),
        ("POST", "/transports/{name}/resume", transports.resume, signed_in, SMALL_FORM),
        ("POST", "/transports/{name}/remove", transports.remove, signed_in, SMALL_FORM),
        ("POST", "/transports/{name}/sign-in", transports.sign_in, signed_in, SMALL_FORM),
        ("POST", "/queue", transports.hold_queue, operators, SMALL_FORM),
        ("POST", "/queue/domain", transports.set_domain, operators, SMALL_FORM),
        ("GET", "/domains", domains.show, signed_in, 0),
        ("POST", "/domains", domains.add, operators, SMALL_FORM),
        ("POST", "/domains/check", domains.check, operators, SMALL_FORM),
        ("POST", "/domains/remove", domains.remove, operators, SMALL_FORM),
        ("GET", "/rules", rules.show, signed_in, 0),
        ("POST", "/rules", rules.change, signed_in, SMALL_FORM),
        ("POST", "/rules/remove", rules.remove, signed_in, SMALL_FORM),
        ("POST", "/rules/copies", rules.choose_copies, operators, SMALL_FORM),
        ("GET", "/senders", senders.show, signed_in, 0),
        ("POST", "/senders", senders.add, operators, SMALL_FORM),
        ("POST", "/senders/remove", senders.remove, operators, SMALL_FORM),
        ("POST", "/senders/claim", senders.claim, signed_in, SMALL_FORM),
        ("POST", "/senders/withdraw", senders.withdraw, signed_in, SMALL_FORM),
        ("GET", "/senders/confirm/{secret}", senders.show_claim, everybody, 0),
        ("POST", "/senders/confirm/{secret}", senders.answer_claim, everybody, SMALL_FORM),
        ("GET", "/mailboxes", mailboxes.show, operators, 0),
        ("POST", "/mailboxes", mailboxes.add, operators, SMALL_FORM),
        ("POST", "/mailboxes/check", mailboxes.check, operators, SMALL_FORM),
        ("POST", "/mailboxes/password", mailboxes.password, operators, SMALL_FORM),
        ("POST", "/mailboxes/sign-in", mailboxes.sign_in, operators, SMALL_FORM),
        ("POST", "/mailboxes/remove", mailboxes.remove, operators, SMALL_FORM),
        ("GET", "/providers", providers.show, operators, 0),
        ("POST", "/providers", providers.add, operators, SMALL_FORM),
        ("POST", "/providers/secret", providers.change_secret, operators, SMALL_FORM),
        ("POST", "/providers/remove", providers.remove, operators, SMALL_FORM),
        ("GET", "/webhooks", webhooks.show_list, signed_in, 0),
        ("POST", "/webhooks", webhooks.add, signed_in, SMALL_FORM),
        ("GET", "/webhooks/{webhook:uuid}", webhooks.show, signed_in, 0),
        ("POST", "/webhooks/{webhook:uuid}", webhooks.change, signed_in, SMALL_FORM),
        ("POST", "/webhooks/{webhook:uuid}/act", webhooks.act, signed_in, SMALL_FORM),
        ("POST", "/account/sites", account.choose_sites, signed_in, SMALL_FORM),
        ("GET", "/operations", operations.show, operators, 0),
        ("GET", "/alarms", operations.show_alarms, signed_in, 0),
        ("GET", "/status", status.show, signed_in, 0),
        ("GET", "/limits", limits.show, signed_in, 0),
        ("GET", "/set-up", setup.show_closed, everybody, 0),
        ("GET", "/set-up/{secret}", setup.show, everybody, 0),
        ("POST", "/set-up/{secret}", setup.finish, everybody, SMALL_FORM),
        ("GET", "/sign-in", signin.show, everybody, 0),
        ("POST", "/sign-in", signin.enter, everybody, SMALL_FORM),
        ("POST", "/sign-out", signin.leave, signed_in, SMALL_FORM),
    ]
    routes: list[Route | Mount] = [
        Route(path, _endpoint(parts, page, is_open, limit), methods=[method])
        for method, path, page, is_open, limit in pages
    ]
    routes.append(Route("/live", live.endpoint(parts), methods=["GET"]))
    routes.append(Mount("/static", _Static(directory=STATIC)))

    async def refused(request: Request, error: Exception) -> Response:
        return await run_in_threadpool(_error_page, parts, request, error)

    app = Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders, parts=parts)],
        exception_handlers={HTTPException: refused, ResonanzError: refused},
    )
    app.router.redirect_slashes = False
    return app


def _endpoint(parts: DashboardParts, page: Page, is_open: Open, limit: int) -> Endpoint:
    """Wrap a page, so that it is handed a visit whose session and form have been checked."""

    async def endpoint(request: Request) -> Response:
        form = EMPTY
        if request.method == "POST":
            check_origin(parts, request)
            form = await read_form(request, limit)
        try:
            return await run_in_threadpool(_answer, parts, request, form, page, is_open)
        except (HTTPException, ResonanzError):
            raise
        except Exception as error:  # a defect of ours; caught here, so that its page has the headers of every other
            return await run_in_threadpool(_error_page, parts, request, error)

    return endpoint


def _answer(parts: DashboardParts, request: Request, form: Form, page: Page, is_open: Open) -> Response:
    visit = _visit(parts, request)
    visit.form = form
    if request.method == "POST":
        check_token(parts, form, visit.form_cookie)
    if is_open is not Open.EVERYBODY and visit.signed_in is None:
        return _to_the_door(visit)
    if is_open is Open.OPERATORS and not visit.is_operator:
        raise Forbidden("this is for the account that runs the instance", remedy="ask whoever set it up")
    return page(visit)


def _visit(parts: DashboardParts, request: Request) -> Visit:
    visit = Visit(parts, request, parts.now())
    visit.signed_in = resume_session(parts.database, visit.session_secret, visit.now)
    if visit.signed_in is not None and request.method == "GET":
        visit.renew_session()
        parts.note_own(visit.signed_in.account.id, visit.peer, visit.user_agent, visit.now)
    return visit


def _to_the_door(visit: Visit) -> Response:
    """Send somebody without a session to sign in, and from there back to where they wanted to go."""
    url = visit.request.url
    wanted = f"{url.path}?{url.query}" if url.query else url.path
    path = "/sign-in" if wanted == "/" else f"/sign-in?{urlencode({'next': wanted})}"
    if visit.request.headers.get("hx-request") == "true":
        # A redirect would be followed out of sight and swapped into a fragment; this makes the browser go there.
        return Response(status_code=204, headers={"hx-redirect": path})
    return visit.finish(RedirectResponse(path, 303))


# ── When something goes wrong ───────────────────────────────────────────────────────────────────────────────────────

_STATUS: dict[type[ResonanzError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    Conflict: HTTPStatus.CONFLICT,
    InvalidInput: HTTPStatus.BAD_REQUEST,
}

_TITLES = {
    400: "That request cannot be read",
    403: "That is not allowed",
    404: "There is nothing here",
    405: "That does not work here",
    409: "That contradicts what was done before",
    413: "That is too large",
    429: "Too many attempts",
    500: "Something went wrong on our side",
    503: "Not available right now",
}


def _error_page(parts: DashboardParts, request: Request, error: Exception) -> Response:
    """Say what is wrong in the look of every other page. What nobody expected is logged, never shown."""
    status, what, remedy = _described(error)
    if status >= 500:
        # The route's pattern, not the path: that may hold a set-up link's secret.
        pattern = getattr(request.scope.get("route"), "path", "")
        if isinstance(error, ResonanzError):  # an outage, say: told in full without a trace, page after page
            _log.error("page not available", page=pattern, what=error.what, where=error.where, why=error.remedy)
        else:
            _log.error("page failed", page=pattern, status=status, exc_info=error)
    try:
        visit = _visit(parts, request)
    except ResonanzError:
        visit = Visit(parts, request, parts.now())  # the database is what is missing
    title = _TITLES.get(status, HTTPStatus(status).phrase)
    response = visit.render("error.html", status=status, code=status, title=title, what=what, remedy=remedy)
    if isinstance(error, TooMany):
        response.headers["retry-after"] = str(error.retry_after)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def _described(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, HTTPException):
        return error.status_code, "" if error.status_code in _TITLES else str(error.detail), ""
    if isinstance(error, ResonanzError):
        known = (_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
        status = next(known, HTTPStatus.SERVICE_UNAVAILABLE)
        # Where the database is and what its driver says is for the log, not for whoever asks.
        return status, error.what, "" if status == HTTPStatus.SERVICE_UNAVAILABLE else error.remedy
    return HTTPStatus.INTERNAL_SERVER_ERROR, "The log of this instance says more.", ""


class _Static(StaticFiles):
    """Our own files: public, and kept for ever by browsers where the address carries the files' version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == HTTPStatus.OK:
            versioned = scope["query_string"].startswith(b"v=")
            response.headers["cache-control"] = f"public, max-age={'31536000, immutable' if versioned else 86_400}"
        return response
