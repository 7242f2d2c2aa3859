"""Transports and the queue: which servers carry whose mail, how fast, what is held, and signing in with a provider.

Whoever runs the instance sees all of it; everybody else the servers of their own, which carry their mail alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from resonanz.dashboard.visit import Visit, errors_of, told
from resonanz.model import Conflict, InvalidInput, ResonanzError
from resonanz.outbound.oauth import PROVIDERS
from resonanz.sending import named_transports as named
from resonanz.sending import queue_control
from resonanz.sending.limits import LARGE
from resonanz.sending.probe import send_test_mail
from resonanz.sending.sign_in import PATH, begin_sign_in, finish_sign_in, is_for_mailbox
from resonanz.store.transports import StoredTransport, list_transports

_FIELDS = ("name", "host", "port", "security", "authentication", "username", "provider", "client_id", "tenant",
           "senders", "priority", "connections", "rate_per_minute")  # fmt: skip
_BOXES = ("mine", "fall_back")
_NUMBERS = ("port", "priority", "connections", "rate_per_minute")
_FRESH = {"security": "starttls", "authentication": "password", "senders": "*", "priority": "10"}


def show(visit: Visit) -> Response:
    """The page as it is."""
    return _render(visit)


def add(visit: Visit) -> Response:
    """Add a transport."""
    opener = visit.parts.opener
    try:
        wanted = named.Wanted(**_wanted(visit))
        named.add_transport(
            visit.parts.database,
            opener.sealer(),
            wanted,
            actor=visit.account.address,
            now=visit.now,
            account_id=visit.account.id if _is_own(visit) else None,
        )
    except (InvalidInput, Conflict) as refused:
        return _render(visit, _errors(refused), _typed(visit))
    return visit.go("/transports", done="added")


def show_one(visit: Visit) -> Response:
    """The form of one transport, filled in but for its secrets."""
    return _render_one(visit, _find(visit))


def change(visit: Visit) -> Response:
    """Change a transport; secrets that are left empty stay."""
    stored = _find(visit)
    try:
        wanted = {key: value for key, value in _wanted(visit).items() if key != "name"}
        named.change_transport(visit.parts.database, visit.parts.opener.sealer(), stored.name, now=visit.now, **wanted)
    except InvalidInput as refused:
        return _render_one(visit, stored, _errors(refused), _typed(visit))
    return visit.go("/transports", done="changed")


def check(visit: Visit) -> Response:
    """Connect and log in, and show what was found."""
    stored = _find(visit)
    try:
        found = asyncio.run(visit.parts.opener.open(stored).check())
        return _render(visit, checked=(stored.name, "good", found))
    except ResonanzError as error:
        return _render(visit, checked=(stored.name, "bad", told(error)))


def test(visit: Visit) -> Response:
    """Send whoever asks a mail by this transport, and show what the server said."""
    stored, to = _find(visit), visit.account.address
    try:
        said = asyncio.run(send_test_mail(visit.parts.opener.open(stored), stored, to, visit.now))
    except ResonanzError as error:
        return _render(visit, checked=(stored.name, "bad", told(error)))
    return _render(visit, checked=(stored.name, "good", f"a test mail to {to} was taken: {said}"))


def pause(visit: Visit) -> Response:
    """Take a transport out of service."""
    named.pause_transport(visit.parts.database, _find(visit).name, paused=True, now=visit.now)
    return visit.go("/transports", done="paused")


def resume(visit: Visit) -> Response:
    """Put a transport back into service."""
    named.pause_transport(visit.parts.database, _find(visit).name, paused=False, now=visit.now)
    return visit.go("/transports", done="resumed")


def remove(visit: Visit) -> Response:
    """Forget a transport."""
    named.remove_transport(visit.parts.database, _find(visit).name, now=visit.now)
    return visit.go("/transports", done="removed")


# ── Signing in with a provider ──────────────────────────────────────────────────────────────────────────────────────


def sign_in(visit: Visit) -> Response:
    """Show the way to the provider: a link, because a form may lead nowhere but here."""
    stored = _find(visit)
    url = begin_sign_in(
        stored,
        visit.parts.opener.sealer(),
        secret=visit.parts.secret,
        session=visit.session_secret,
        redirect_uri=redirect_uri(visit),
        now=visit.now,
    )
    return visit.render(
        "transport_sign_in.html",
        back=_back(visit),
        username=stored.username,
        leave=f"{stored.name} may send in that account’s name",
        provider=PROVIDERS[stored.provider].title,
        url=url,
        redirect_uri=redirect_uri(visit),
    )


def signed_in(visit: Visit) -> Response:
    """What the provider sends the browser to. It changes nothing yet: what it brings is handed on by a form."""
    return visit.render(
        "transport_signed_in.html",
        back=("/mailboxes", "Mailboxes") if is_for_mailbox(visit.query("state")) else _back(visit),
        code=visit.query("code"),
        state=visit.query("state"),
        refused=visit.query("error_description") or visit.query("error"),
    )


def finish(visit: Visit) -> Response:
    """Turn what the provider gave into a refresh token."""
    signed_in = finish_sign_in(
        visit.parts.database,
        visit.parts.opener.sealer(),
        code=visit.form.text("code"),
        state=visit.form.text("state"),
        secret=visit.parts.secret,
        session=visit.session_secret,
        redirect_uri=redirect_uri(visit),
        now=visit.now,
        ask=visit.parts.opener.ask,
    )
    return visit.go("/transports" if isinstance(signed_in, StoredTransport) else "/mailboxes", done="signed-in")


def _back(visit: Visit) -> tuple[str, str]:
    return "/transports", "Transports" if visit.is_operator else "Outgoing servers"


def redirect_uri(visit: Visit) -> str:
    """Where a provider sends the browser back to, for transports and mailboxes alike: one address to register."""
    return f"{visit.parts.dashboard_url}{PATH}"


# ── The queue ───────────────────────────────────────────────────────────────────────────────────────────────────────


def hold_queue(visit: Visit) -> Response:
    """Pause the whole queue, or let it go on."""
    if visit.form.text("action") == "resume":
        queue_control.resume_queue(visit.parts.database, actor=visit.account.address)
        return visit.go("/transports", done="queue-resumed")
    queue_control.pause_queue(visit.parts.database, actor=visit.account.address, now=visit.now)
    return visit.go("/transports", done="queue-paused")


def set_domain(visit: Visit) -> Response:
    """Pause a recipient domain, let it go on, or limit it."""
    form, database = visit.form, visit.parts.database
    domain, action = form.text("domain"), form.text("action")
    try:
        if action == "limit":
            queue_control.limit_domain(
                database,
                domain,
                connections=_number(form.text("connections"), "connections"),
                rate_per_minute=_number(form.text("rate_per_minute"), "rate_per_minute"),
                now=visit.now,
            )
        else:
            queue_control.pause_domain(
                database, domain, paused=action != "resume", actor=visit.account.address, now=visit.now
            )
    except InvalidInput as refused:
        errors = {f"domain_{where}": text for where, text in _errors(refused, otherwise="domain").items()}
        typed = {f"domain_{field}": form.text(field) for field in ("domain", "connections", "rate_per_minute")}
        return _render(visit, errors, typed)
    return visit.go("/transports", done="domain")


# ── Beneath ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_DONE = {
    "added": "The transport is added. Check it before you rely on it.",
    "changed": "The transport is changed. Workers follow within seconds.",
    "paused": "The transport is out of service: others for the same senders carry their mail, or it waits.",
    "resumed": "The transport is back in service.",
    "removed": "The transport is forgotten.",
    "signed-in": "You are signed in: mail goes out by this transport from now on.",
    "queue-paused": "The queue is paused: nothing goes out but what is on the wire.",
    "queue-resumed": "The queue goes on.",
    "domain": "That holds from the next seconds on.",
}


def _find(visit: Visit) -> StoredTransport:
    """Return the transport that the address names, if it is the visitor's to see. Raises NotFound."""
    with visit.parts.database.read() as tx:
        if visit.is_operator:
            return named.find_transport(tx, visit.path("name"))
        return named.find_own(tx, visit.path("name"), visit.account.id)


def _is_own(visit: Visit) -> bool:
    """Whether what is added carries the visitor's mail alone: whoever runs the instance may choose."""
    return not visit.is_operator or visit.form.text("mine") == "yes"


def _typed(visit: Visit) -> dict[str, str]:
    return {field: visit.form.text(field) for field in (*_FIELDS, *_BOXES)}


def _wanted(visit: Visit) -> dict[str, Any]:
    """Return what was typed as the values of a transport. Raises InvalidInput."""
    values: dict[str, Any] = {field: visit.form.text(field).strip() for field in _FIELDS}
    for field in _NUMBERS:
        values[field] = _number(values[field], field)
    values["port"] = values["port"] or 0
    values["priority"] = 10 if values["priority"] is None else values["priority"]
    values["fall_back"] = visit.form.text("fall_back") == "yes"
    values["senders"] = values["senders"].replace(",", " ").split()
    for field in ("secret", "client_secret"):
        values[field] = visit.form.text(field) or None
    return values


def _number(text: str, field: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidInput("is no number", where=field) from None


def _errors(refused: InvalidInput | Conflict, otherwise: str = "name") -> dict[str, str]:
    problem = (
        refused
        if isinstance(refused, InvalidInput)
        else InvalidInput(refused.what, where=refused.where, remedy=refused.remedy)
    )
    fields = {field: field for field in (*_FIELDS, *_BOXES, "secret", "client_secret", "domain")}
    return errors_of(problem, fields, otherwise=otherwise)


def _render(
    visit: Visit,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
    checked: tuple[str, str, str] | None = None,
) -> Response:
    with visit.parts.database.read() as tx:
        stored = list_transports(tx) if visit.is_operator else named.transports_for(tx, visit.account.id)
        state = queue_control.queue_state(tx, visit.now) if visit.is_operator else None
    return visit.render(
        "transports.html",
        status=422 if errors else 200,
        transports=stored,
        state=state,
        has_server=visit.parts.outbox is None,
        large=LARGE,
        errors=errors or {},
        values=values or _FRESH,
        checked=checked,
        done=_DONE.get(visit.query("done"), ""),
    )


def _render_one(
    visit: Visit,
    stored: StoredTransport,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
) -> Response:
    known = {field: getattr(stored, field) for field in _FIELDS if field != "senders"}
    shown = {field: "" if value is None else str(value) for field, value in known.items()}
    return visit.render(
        "transport.html",
        status=422 if errors else 200,
        transport=stored,
        errors=errors or {},
        values=values
        or {**shown, "senders": ", ".join(stored.senders), "fall_back": "yes" if stored.fall_back else ""},
    )
