"""Which addresses accounts may send from: everybody sees their own, whoever runs the instance changes them."""

from __future__ import annotations

from starlette.responses import Response

from resonanz.accounts.senders import allow_sender, forbid_sender
from resonanz.dashboard.visit import Visit, errors_of
from resonanz.model import Conflict, InvalidInput, NotFound
from resonanz.store import accounts, senders


def show(visit: Visit) -> Response:
    """The page as it is."""
    return _render(visit)


def add(visit: Visit) -> Response:
    """Allow an account a sender."""
    form = visit.form
    try:
        allow_sender(
            visit.parts.database,
            form.text("account"),
            form.text("sender"),
            actor=visit.account.address,
            now=visit.now,
        )
    except (InvalidInput, Conflict, NotFound) as refused:
        problem = InvalidInput(refused.what, where=refused.where, remedy=refused.remedy)
        errors = errors_of(problem, {"account": "account", "sender": "sender"}, otherwise="sender")
        return _render(visit, errors, {"account": form.text("account"), "sender": form.text("sender")})
    return visit.go("/senders", done="allowed")


def remove(visit: Visit) -> Response:
    """Allow it no longer."""
    forbid_sender(visit.parts.database, visit.form.text("account"), visit.form.text("sender"))
    return visit.go("/senders", done="removed")


_DONE = {
    "allowed": "The account may send from there, from now on.",
    "removed": "The account may not send from there any more. Mail that is stored already still goes out.",
}


def _render(visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    with visit.parts.database.read() as tx:
        people = accounts.list_accounts(tx) if visit.is_operator else [visit.account]
        allowed = senders.list_senders(tx)
    return visit.render(
        "senders.html",
        status=422 if errors else 200,
        people=[(one, [row for row in allowed if row.account_id == one.id]) for one in people],
        errors=errors or {},
        values=values or {},
        done=_DONE.get(visit.query("done"), ""),
    )
