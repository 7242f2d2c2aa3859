"""The set-up: the first account, and the one choice that has to be made before the first mail."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from starlette.responses import Response

from resonanz.accounts import finish_setup, set_up_is_open, start_session
from resonanz.dashboard.visit import Visit, errors_of
from resonanz.model import InvalidInput, TrackingMode
from resonanz.store.accounts import count_accounts

_CHOICES = (TrackingMode.ANONYMOUS, TrackingMode.INDIVIDUAL)


def show_closed(visit: Visit) -> Response:
    """How to get in while there is no account; afterwards, the way to the sign-in."""
    with visit.parts.database.read() as tx:
        is_done = count_accounts(tx) > 0
    return visit.go("/sign-in") if is_done else visit.render("setup_closed.html", wrong_link=False)


def show(visit: Visit) -> Response:
    """The form, to whoever holds the link."""
    if not set_up_is_open(visit.parts.database, visit.path("secret"), visit.now):
        return _closed(visit)
    return _form(visit)


def finish(visit: Visit) -> Response:
    """Create the account and sign this browser in."""
    form, parts = visit.form, visit.parts
    if not set_up_is_open(parts.database, visit.path("secret"), visit.now):
        return _closed(visit)
    try:
        account = finish_setup(
            parts.database,
            parts.passwords,
            secret=visit.path("secret"),
            address=form.text("address"),
            name=form.text("name"),
            password=form.text("password"),
            tracking_without_choice=_fixed_mode(visit) or read_choice(form.text("tracking")),
            now=visit.now,
        )
    except InvalidInput as refused:
        fields = {"address": "address", "name": "name", "password": "password", "tracking": "tracking"}
        errors = errors_of(refused, fields, otherwise="address")
        return _form(visit, status=422, values=form.fields, errors=errors)
    visit.set_session(start_session(parts.database, account.id, user_agent=visit.user_agent, now=visit.now))
    return visit.go("/")


def read_choice(text: str) -> TrackingMode:
    """The choice that was made; nothing is chosen for anybody who did not. Raises InvalidInput."""
    with suppress(ValueError):
        mode = TrackingMode(text)
        if mode in _CHOICES:
            return mode
    raise InvalidInput("choose one of the two", where="tracking")


def _form(
    visit: Visit, *, status: int = 200, values: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> Response:
    fixed = _fixed_mode(visit)
    return visit.render("setup.html", status=status, values=values or {}, errors=errors or {}, fixed=fixed)


def _fixed_mode(visit: Visit) -> TrackingMode | None:
    """How people without a choice are tracked where a setting says it: then there is nothing to ask."""
    if not visit.parts.mode_is_fixed:
        return None
    with visit.parts.database.read() as tx:
        return visit.parts.unknown_mode(tx)


def _closed(visit: Visit) -> Response:
    with visit.parts.database.read() as tx:
        is_done = count_accounts(tx) > 0
    return visit.go("/sign-in") if is_done else visit.render("setup_closed.html", status=403, wrong_link=True)
