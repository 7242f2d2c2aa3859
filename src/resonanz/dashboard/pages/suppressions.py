"""The suppression list: who gets no mail, why and since when, and how an address came on it and off."""

from __future__ import annotations

from contextlib import suppress as ignore

from starlette.responses import Response

from resonanz.dashboard.pages.contacts import MAX_SEARCH_CHARACTERS, PAGE, SOURCE
from resonanz.dashboard.visit import Visit, errors_of
from resonanz.mail.address import parse_address
from resonanz.model import InvalidInput
from resonanz.people import Reason, restore, suppress
from resonanz.store import suppressions
from resonanz.store.text import storable

MAX_NOTE_CHARACTERS = 1_000

_DONE = {
    "added": "The address gets no mail any more.",
    "known": "The address was on the list already; its first reason stays.",
    "removed": "The address may be written to again. Why stays in its history.",
}


def show(visit: Visit) -> Response:
    """The list, or the history of one address."""
    return _render(visit)


def add(visit: Visit) -> Response:
    """Put an address on the list."""
    form = visit.form
    try:
        address = parse_address(form.text("address")).normalised
        note = _note(form.text("note"))
    except InvalidInput as refused:
        return _render(visit, errors_of(refused, {"note": "note"}, otherwise="address"), form.fields)
    with visit.parts.database.write() as tx:
        is_new = suppress(
            tx, address, Reason.MANUAL, now=visit.now, source=SOURCE, note=note, actor=visit.account.address
        )
    return visit.go("/suppressions", address=address, done="added" if is_new else "known")


def remove(visit: Visit) -> Response:
    """Take an address off the list, with a reason."""
    form = visit.form
    try:
        address = parse_address(form.text("address")).normalised
        note = _note(form.text("note"))
        if not note:
            raise InvalidInput("is missing", where="note", remedy="say why it may be written to again")
    except InvalidInput as refused:
        return _render(visit, errors_of(refused, {}, otherwise="lift"), form.fields, about=form.text("address"))
    with visit.parts.database.write() as tx:
        restore(tx, address, now=visit.now, source=SOURCE, note=note, actor=visit.account.address)
    return visit.go("/suppressions", address=address, done="removed")


def _note(text: str) -> str:
    note = storable(text).strip()
    if len(note) > MAX_NOTE_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_NOTE_CHARACTERS} characters", where="note")
    return note


def _render(
    visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None, *, about: str = ""
) -> Response:
    search, after = visit.query("search")[:MAX_SEARCH_CHARACTERS], storable(visit.query("after")[:400])
    reason = visit.query("reason") if visit.query("reason") in list(Reason) else ""
    address = ""
    with ignore(InvalidInput):
        address = parse_address(about or visit.query("address")).normalised
    with visit.parts.database.read() as tx:
        found = suppressions.list_suppressions(tx, limit=PAGE + 1, after=after, search=search.strip(), reason=reason)
        history = suppressions.changes_of(tx, address) if address else []
        one = suppressions.find_suppression(tx, address) if address else None
    page = found[:PAGE]
    return visit.render(
        "suppressions.html",
        status=422 if errors else 200,
        rows=page,
        next=page[-1].address if len(found) > PAGE else None,
        after=after,
        search=search,
        reason=reason,
        reasons=list(Reason),
        address=address,
        one=one,
        history=list(reversed(history)),
        errors=errors or {},
        values=values or {},
        done=_DONE.get(visit.query("done"), ""),
    )
