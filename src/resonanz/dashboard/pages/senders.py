"""Which addresses accounts may send from: everybody sees their own and may claim another, which a link in a mail to
there confirms; whoever runs the instance changes all of them."""

from __future__ import annotations

from starlette.responses import Response

from resonanz.accounts.claims import confirm_claim, read_claim, refuse_claim, withdraw_claim
from resonanz.accounts.senders import allow_sender, forbid_sender
from resonanz.dashboard.visit import Visit, errors_of
from resonanz.model import Conflict, InvalidInput, NotFound, TooMany
from resonanz.sending.claim_mail import ask_to_confirm
from resonanz.store import accounts, senders
from resonanz.store.senders import Claim


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


def claim(visit: Visit) -> Response:
    """Say that an address is one's own, and have it asked there by mail."""
    sender = visit.form.text("claim")
    try:
        ask_to_confirm(
            visit.parts.database, visit.account.id, sender, dashboard_url=visit.parts.dashboard_url, now=visit.now
        )
    except (InvalidInput, Conflict, TooMany) as refused:
        problem = InvalidInput(refused.what, where=refused.where, remedy=refused.remedy)
        return _render(visit, errors_of(problem, {"sender": "claim"}, otherwise="claim"), {"claim": sender})
    return visit.go("/senders", done="asked")


def withdraw(visit: Visit) -> Response:
    """Take one's own claim back."""
    withdraw_claim(visit.parts.database, visit.account.id, visit.form.text("sender"))
    return visit.go("/senders", done="withdrawn")


# ── Behind the link in the mail ─────────────────────────────────────────────────────────────────────────────────────


def show_claim(visit: Visit) -> Response:
    """Ask whoever reads mail there. Looking changes nothing: programs follow links, too."""
    return _claim_page(visit, read_claim(visit.parts.database, visit.path("secret"), visit.now), "")


def answer_claim(visit: Visit) -> Response:
    """Confirm it, or refuse it."""
    confirms = visit.form.text("answer") == "confirm"
    answer = confirm_claim if confirms else refuse_claim
    found = answer(visit.parts.database, visit.path("secret"), visit.now)
    return _claim_page(visit, found, "confirmed" if confirms else "refused")


def _claim_page(visit: Visit, found: Claim, answered: str) -> Response:
    with visit.parts.database.read() as tx:
        person = accounts.get_account(tx, found.account_id)
    return visit.render("sender_claim.html", claim=found, person=person, answered=answered)


_DONE = {
    "asked": "A mail is on its way there. The account may send from there once its link is followed.",
    "withdrawn": "The claim is taken back: its link works no more.",
    "allowed": "The account may send from there, from now on.",
    "removed": "The account may not send from there any more. Mail that is stored already still goes out.",
}


def _render(visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    with visit.parts.database.read() as tx:
        people = accounts.list_accounts(tx) if visit.is_operator else [visit.account]
        allowed = senders.list_senders(tx)
        claims = senders.open_claims(tx, visit.now, None if visit.is_operator else visit.account.id)
    return visit.render(
        "senders.html",
        status=422 if errors else 200,
        people=[
            (
                one,
                [row for row in allowed if row.account_id == one.id],
                [row for row in claims if row.account_id == one.id],
            )
            for one in people
        ],
        errors=errors or {},
        values=values or {},
        done=_DONE.get(visit.query("done"), ""),
    )
