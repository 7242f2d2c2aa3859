"""Rules for tracking what one's own mail programs hand in."""

from __future__ import annotations

from starlette.responses import Response

from resonanz.dashboard.visit import Visit, errors_of
from resonanz.model import InvalidInput
from resonanz.sending.rule_book import copies_of_instance, remove_rules, rules_of, set_copies_of_instance, set_rules
from resonanz.sending.rules import Copies, read_rules


def show(visit: Visit) -> Response:
    """The page; the form holds the rules of the domain that was asked for, or those for all mail."""
    return _render(visit)


def change(visit: Visit) -> Response:
    """Set the rules for all mail or for one sender domain."""
    form = visit.form
    lists = {name: form.text(name).replace(",", " ").split() for name in ("never", "internal")}
    try:
        rules = read_rules(
            form.text("track"),
            form.text("marker"),
            lists["never"],
            lists["internal"],
            replies=form.text("replies") == "yes",
            copies=form.text("copies") or Copies.INSTANCE,
        )
        set_rules(visit.parts.database, visit.account.id, form.text("domain"), rules, visit.now)
    except InvalidInput as refused:
        fields = {name: name for name in ("domain", "track", "marker", "never", "internal", "copies")}
        return _render(visit, errors_of(refused, fields, otherwise="track"), form.fields)
    return visit.go("/rules", done="set")


def choose_copies(visit: Visit) -> Response:
    """Change what several recipients get where no rule says it."""
    set_copies_of_instance(visit.parts.database, visit.form.text("copies"), visit.now)
    return visit.go("/rules", done="set")


def remove(visit: Visit) -> Response:
    """Forget the rules for one sender domain, or for all mail."""
    remove_rules(visit.parts.database, visit.account.id, visit.form.text("domain"), visit.now)
    return visit.go("/rules", done="removed")


_DONE = {
    "set": "The rules are saved. They hold from the next mail that is handed in.",
    "removed": "The rules are gone.",
}


def _render(visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    with visit.parts.database.read() as tx:
        book, default = rules_of(tx, visit.account.id), copies_of_instance(tx)
    domain = visit.query("domain")
    shown = book.get(domain, book[""])
    now = {
        "domain": domain if domain in book else "",
        "track": shown.track.value,
        "marker": shown.marker,
        "copies": shown.copies.value,
        "never": "\n".join(pattern.removeprefix("@") for pattern in shown.never),
        "internal": "\n".join(pattern.removeprefix("@") for pattern in shown.internal),
        "replies": "yes" if shown.replies else "",
    }
    return visit.render(
        "rules.html",
        status=422 if errors else 200,
        book=book,
        default=default,
        errors=errors or {},
        values=values or now,
        done=_DONE.get(visit.query("done"), ""),
    )
