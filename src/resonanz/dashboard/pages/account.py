"""The account page: API keys, tracking of people without a recorded choice, own sites, password, signed-in browsers."""

from __future__ import annotations

from starlette.responses import Response

from resonanz.accounts import change_password, create_key, create_mail_password, end_sessions, start_session
from resonanz.accounts.instance import choose_own_sites, choose_tracking_without_choice
from resonanz.accounts.keys import API, MAIL, revoke_key
from resonanz.accounts.secrets import stored
from resonanz.dashboard.pages.setup import read_choice
from resonanz.dashboard.visit import Visit, errors_of
from resonanz.mail.sites import read_sites
from resonanz.model import Forbidden, InvalidInput
from resonanz.store import accounts as rows


def show(visit: Visit) -> Response:
    """The page as it is."""
    return _render(visit)


def change(visit: Visit) -> Response:
    """Change the password. Every session ends; this browser gets a new one."""
    parts, form = visit.parts, visit.form
    if form.text("new") != form.text("again"):
        return _render(visit, {"again": "This is not the same as the new password."}, status=422)
    try:
        change_password(
            parts.database,
            parts.passwords,
            visit.account.id,
            current=form.text("current"),
            new=form.text("new"),
            now=visit.now,
        )
    except InvalidInput as refused:
        return _render(visit, errors_of(refused, {"current": "current", "new": "new"}, otherwise="new"), status=422)
    visit.set_session(start_session(parts.database, visit.account.id, user_agent=visit.user_agent, now=visit.now))
    return visit.go("/account", done="password")


def sign_out_everywhere(visit: Visit) -> Response:
    """End every session, this one included."""
    end_sessions(visit.parts.database, visit.account.id)
    visit.clear_session()
    return visit.go("/sign-in", done="everywhere")


def add_key(visit: Visit) -> Response:
    """Make an API key and show its secret, this once."""
    try:
        secret, key = create_key(visit.parts.database, visit.account.id, visit.form.text("name"), visit.now)
    except InvalidInput as refused:
        return _render(visit, errors_of(refused, {"name": "name"}, otherwise="name"), status=422)
    return _render(visit, new_key=(key.name, secret))


def add_mail_password(visit: Visit) -> Response:
    """Make a password for a mail program and show it, this once."""
    try:
        secret, key = create_mail_password(
            visit.parts.database, visit.account.id, visit.form.text("mail_name"), visit.now
        )
    except InvalidInput as refused:
        return _render(visit, errors_of(refused, {}, otherwise="mail_name"), status=422)
    return _render(visit, new_mail_password=(key.name, secret))


def end_key(visit: Visit) -> Response:
    """Revoke an API key."""
    return _end(visit, API)


def end_mail_password(visit: Visit) -> Response:
    """Revoke a mail program's password."""
    return _end(visit, MAIL)


def _end(visit: Visit, kind: str) -> Response:
    revoke_key(visit.parts.database, visit.account.id, visit.path("key"), kind, visit.now)
    return visit.go("/account", done="key")


def choose_tracking(visit: Visit) -> Response:
    """Change how people without a recorded choice are tracked, unless a setting says it. Raises Forbidden then."""
    if visit.parts.mode_is_fixed:
        raise Forbidden(
            "a setting of this instance says how people without a choice are tracked",
            where="tracking",
            remedy="take RESONANZ_TRACKING_WITHOUT_CHOICE away and restart",
        )
    try:
        mode = read_choice(visit.form.text("tracking"))
    except InvalidInput as refused:
        return _render(visit, errors_of(refused, {}, otherwise="tracking"), status=422)
    with visit.parts.database.write() as tx:
        choose_tracking_without_choice(tx, mode, visit.now)
    return visit.go("/account", done="tracking")


def choose_sites(visit: Visit) -> Response:
    """Change which sites are the sender's own, unless a setting says it. Raises Forbidden then."""
    if visit.parts.sites_are_fixed:
        raise Forbidden(
            "a setting of this instance says which sites are its sender's own",
            where="sites",
            remedy="take RESONANZ_SITES away and restart",
        )
    try:
        sites = read_sites(visit.form.text("sites"))
    except InvalidInput as refused:
        return _render(visit, errors_of(refused, {}, otherwise="sites"), sites=visit.form.text("sites"), status=422)
    with visit.parts.database.write() as tx:
        choose_own_sites(tx, sites, visit.now)
    return visit.go("/account", done="sites")


_DONE = {
    "sites": "The sites are saved. The edge knows them within moments.",
    "tracking": "The choice is saved. It holds from the next mail that is built.",
    "password": "Your password is changed. Every other browser has been signed out.",
    "key": "It is revoked: nothing can sign in with it any more.",
}


def _render(
    visit: Visit,
    errors: dict[str, str] | None = None,
    *,
    new_key: tuple[str, str] | None = None,
    new_mail_password: tuple[str, str] | None = None,
    sites: str | None = None,
    status: int = 200,
) -> Response:
    with visit.parts.database.read() as tx:
        keys = rows.list_api_keys(tx, visit.account.id)
        mail_passwords = rows.list_api_keys(tx, visit.account.id, "mail")
        sessions = rows.list_sessions(tx, visit.account.id, visit.now)
        unknown = visit.parts.unknown_mode(tx)
        own = visit.parts.own_sites(tx)
    this_browser = stored(visit.session_secret)
    return visit.render(
        "account.html",
        status=status,
        errors=errors or {},
        keys=keys,
        browsers=[(session, secret_hash == this_browser) for secret_hash, session in sessions],
        mail_passwords=mail_passwords,
        new_key=new_key,
        new_mail_password=new_mail_password,
        unknown=unknown,
        sites={"sites": "\n".join(sorted(own)) if sites is None else sites},
        done=_DONE.get(visit.query("done"), ""),
    )
