"""Mailboxes that reports are read from: added, removed, and how reading goes."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from resonanz.dashboard.pages.transports import redirect_uri
from resonanz.dashboard.visit import Visit, errors_of, not_found, told
from resonanz.ingest.mailboxes import (
    Checked,
    add_mailbox,
    change_password,
    check_mailbox,
    get_mailbox,
    remove_mailbox,
)
from resonanz.model import InvalidInput, ResonanzError
from resonanz.outbound.oauth import PROVIDERS
from resonanz.sending.sign_in import begin_sign_in
from resonanz.store import mailboxes as rows
from resonanz.store.mailboxes import MailboxRow

_FIELDS = ("protocol", "security", "host", "username", "folder", "then", "move_to", "authentication", "provider",
           "client_id", "tenant")  # fmt: skip
_SECRETS = ("password", "client_secret")
_DONE = {
    "added": "The mailbox is added. A running worker looks at it within seconds; the list says how that went.",
    "signed-in": "Signed in. A running worker reads the mailbox within seconds.",
    "changed": "The server let us in with the new password: it is kept, and a running worker takes it up by itself.",
    "removed": "The mailbox is read no more. What was recorded stays.",
}


def show(visit: Visit) -> Response:
    """The page as it is."""
    return _render(visit)


def add(visit: Visit) -> Response:
    """Add a mailbox; what is wrong stands beside its field."""
    values = {name: visit.form.text(name) for name in (*_FIELDS, "port")}
    try:
        port = values["port"].strip()
        if port and not (port.isascii() and port.isdigit() and len(port) <= 5):
            raise InvalidInput("not a port", where="port")
        add_mailbox(
            visit.parts.database,
            visit.parts.sealer,
            **{name: values[name] for name in _FIELDS},
            **{name: visit.form.text(name) for name in _SECRETS},
            port=int(port or 0),
            others=bool(visit.form.text("others")),
            actor=visit.account.address,
            now=visit.now,
        )
    except InvalidInput as refused:
        known = {name: name for name in (*_FIELDS, *_SECRETS, "port")}
        return _render(visit, errors_of(refused, known, otherwise="host"), values)
    return visit.go("/mailboxes", done="added")


def check(visit: Visit) -> Response:
    """Connect and sign in, and show what was found; nothing is changed there or here."""
    row, opener = _find(visit), visit.parts.opener
    try:
        found = check_mailbox(visit.parts.database, opener.sealer, opener.ca_file, row.id, ask=opener.ask)
        return _render(visit, checked=(row, found, ""))
    except ResonanzError as error:
        return _render(visit, checked=(row, None, told(error)))


def password(visit: Visit) -> Response:
    """Keep another password if the server lets us in with it; what is wrong stands beside its field."""
    row, opener = _find(visit), visit.parts.opener
    try:
        secret = visit.form.text("password")
        change_password(visit.parts.database, opener.sealer, opener.ca_file, row.id, secret, now=visit.now)
    except ResonanzError as error:
        return _render(visit, refused=(row, error))
    return visit.go("/mailboxes", done="changed")


def sign_in(visit: Visit) -> Response:
    """Show the way to the provider: a link, because a form may lead nowhere but here."""
    row = _find(visit)
    url = begin_sign_in(
        row,
        visit.parts.sealer(),
        secret=visit.parts.secret,
        session=visit.session_secret,
        redirect_uri=redirect_uri(visit),
        now=visit.now,
    )
    return visit.render(
        "transport_sign_in.html",
        back=("/mailboxes", "Mailboxes"),
        username=row.username,
        leave="reports may be read from that mailbox",
        provider=PROVIDERS[row.provider].title,
        url=url,
        redirect_uri=redirect_uri(visit),
    )


def remove(visit: Visit) -> Response:
    """Read a mailbox no more."""
    remove_mailbox(visit.parts.database, _id(visit))
    return visit.go("/mailboxes", done="removed")


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.form.text("id"))
    except ValueError:
        raise not_found("mailbox") from None


def _find(visit: Visit) -> MailboxRow:
    return get_mailbox(visit.parts.database, _id(visit))


def _render(
    visit: Visit,
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    checked: tuple[MailboxRow, Checked | None, str] | None = None,
    refused: tuple[MailboxRow, ResonanzError] | None = None,
) -> Response:
    with visit.parts.database.read() as tx:
        known = rows.list_mailboxes(tx)
    return visit.render(
        "mailboxes.html",
        status=422 if errors or refused else 200,
        known=known,
        errors=errors or {},
        values=values or {"folder": "INBOX"},
        checked=checked,
        not_kept={refused[0].id: told(refused[1])} if refused else {},
        done=_DONE.get(visit.query("done"), ""),
    )
