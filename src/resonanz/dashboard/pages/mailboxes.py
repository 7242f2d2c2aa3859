"""Mailboxes that reports are read from: added, removed, and how reading goes."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from resonanz.dashboard.visit import Visit, errors_of, not_found
from resonanz.ingest.mailboxes import add_mailbox, remove_mailbox
from resonanz.model import InvalidInput
from resonanz.store import mailboxes as rows

_FIELDS = ("protocol", "security", "host", "username", "folder", "then", "move_to")
_DONE = {
    "added": "The mailbox is added. A running worker looks at it within seconds; the list says how that went.",
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
            password=visit.form.text("password"),
            port=int(port or 0),
            others=bool(visit.form.text("others")),
            actor=visit.account.address,
            now=visit.now,
        )
    except InvalidInput as refused:
        known = {name: name for name in (*_FIELDS, "port", "password")}
        return _render(visit, errors_of(refused, known, otherwise="host"), values)
    return visit.go("/mailboxes", done="added")


def remove(visit: Visit) -> Response:
    """Read a mailbox no more."""
    try:
        id = UUID(visit.form.text("id"))
    except ValueError:
        raise not_found("mailbox") from None
    remove_mailbox(visit.parts.database, id)
    return visit.go("/mailboxes", done="removed")


def _render(visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    with visit.parts.database.read() as tx:
        known = rows.list_mailboxes(tx)
    return visit.render(
        "mailboxes.html",
        status=422 if errors else 200,
        known=known,
        errors=errors or {},
        values=values or {"folder": "INBOX"},
        done=_DONE.get(visit.query("done"), ""),
    )
