"""Provider webhooks: the address for each provider, its secret, and what came last."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from resonanz.dashboard.visit import Visit, errors_of, not_found
from resonanz.ingest import providers
from resonanz.model import InvalidInput
from resonanz.store import providers as rows
from resonanz.store.strays import count_strays, list_strays

SHOWN_STRAYS = 20

_DONE = {
    "secret": "The secret is set. The one before is believed for another day.",
    "removed": "Nothing more is let in at that address. What was recorded stays.",
}


def show(visit: Visit) -> Response:
    """The page as it is."""
    return _render(visit)


def add(visit: Visit) -> Response:
    """Give a provider an address, and show it with the password in it, this once."""
    form = visit.form
    try:
        added = providers.add_provider(
            visit.parts.database,
            visit.parts.sealer,
            form.text("provider"),
            label=form.text("label"),
            secret=form.text("secret"),
            actor=visit.account.address,
            now=visit.now,
        )
    except InvalidInput as refused:
        errors = errors_of(refused, {"label": "label", "secret": "secret"}, otherwise="provider")
        return _render(visit, errors, {"provider": form.text("provider"), "label": form.text("label")})
    return _render(visit, added=added)


def change_secret(visit: Visit) -> Response:
    """Set a secret, or make a new password."""
    try:
        added = providers.set_secret(
            visit.parts.database, visit.parts.sealer, _id(visit), secret=visit.form.text("secret"), now=visit.now
        )
    except InvalidInput as refused:
        return _render(visit, {f"secret-{_id(visit)}": errors_of(refused, {}, otherwise="secret")["secret"]})
    return _render(visit, added=added) if added.password else visit.go("/providers", done="secret")


def remove(visit: Visit) -> Response:
    """Let nothing more in at an address."""
    providers.remove_provider(visit.parts.database, _id(visit))
    return visit.go("/providers", done="removed")


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.form.text("id"))
    except ValueError:
        raise not_found("provider") from None


def _render(
    visit: Visit,
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    added: providers.Added | None = None,
) -> Response:
    with visit.parts.database.read() as tx:
        known, counted, found = rows.list_providers(tx), count_strays(tx), list_strays(tx, limit=SHOWN_STRAYS)
    return visit.render(
        "providers.html",
        status=422 if errors else 200,
        known=[(row, providers.PROVIDERS[row.provider]) for row in known],
        kinds=sorted(providers.PROVIDERS.values(), key=lambda kind: kind.title),
        address=lambda row: providers.address(visit.parts.dashboard_url, row.id),
        added=added,
        strays=found,
        stray_count=sum(counted.values()),
        errors=errors or {},
        values=values or {},
        done=_DONE.get(visit.query("done"), ""),
    )
