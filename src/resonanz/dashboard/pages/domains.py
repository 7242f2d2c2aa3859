"""Custom tracking domains: which hosts the links of whose mail carry, and whether they lead here."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from resonanz.dashboard.visit import Visit, errors_of
from resonanz.model import Conflict, InvalidInput
from resonanz.sending.domains import add_domain, check_domain, remove_domain
from resonanz.store import domains


def show(visit: Visit) -> Response:
    """The page as it is."""
    return _render(visit)


def add(visit: Visit) -> Response:
    """Add a domain; what its check saw stands in the list."""
    form = visit.form
    senders = [part for part in form.text("senders").replace(",", " ").split() if part]
    try:
        added = add_domain(
            visit.parts.database,
            form.text("name"),
            senders,
            edge_url=visit.parts.edge_url,
            actor=visit.account.address,
            now=visit.now,
            check=None if form.text("unchecked") else visit.parts.check_domain,
        )
    except (InvalidInput, Conflict) as refused:
        problem = (
            refused
            if isinstance(refused, InvalidInput)
            else InvalidInput(refused.what, where=refused.where, remedy=refused.remedy)
        )
        errors = errors_of(problem, {"name": "name", "senders": "senders"}, otherwise="name")
        return _render(visit, errors, {"name": form.text("name"), "senders": form.text("senders")})
    return visit.go("/domains", done="used" if added.in_use else "added")


def check(visit: Visit) -> Response:
    """Look again whether a domain leads here."""
    checked = check_domain(visit.parts.database, visit.form.text("name"), now=visit.now, check=visit.parts.check_domain)
    return visit.go("/domains", done="used" if checked.in_use else "checked")


def remove(visit: Visit) -> Response:
    """Forget a domain."""
    remove_domain(visit.parts.database, visit.form.text("name"))
    return visit.go("/domains", done="removed")


_DONE = {
    "used": "The domain leads here. Links in mail from its senders carry it from now on.",
    "added": "The domain is added, but not used yet: the list says what is missing.",
    "checked": "The domain is not used: the list says what is missing.",
    "removed": "The domain is forgotten. Mails that are out keep links with it: they end when its certificate does.",
}


def _render(visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    with visit.parts.database.read() as tx:
        known = domains.list_domains(tx)
    return visit.render(
        "domains.html",
        status=422 if errors else 200,
        domains=known,
        edge_host=urlsplit(visit.parts.edge_url).hostname,
        errors=errors or {},
        values=values or {},
        done=_DONE.get(visit.query("done"), ""),
    )
