"""What this instance wants to know of its contacts."""

from __future__ import annotations

from starlette.responses import Response

from resonanz.dashboard.pages.contacts import problems_of, read_word
from resonanz.dashboard.visit import Visit
from resonanz.model import Conflict, InvalidInput
from resonanz.people import attributes as room
from resonanz.people.attributes import Kind

_FIELDS = {"name": "name", "label": "label", "kind": "kind", "choices": "choices"}
_DONE = {
    "defined": "The attribute is defined.",
    "changed": "The attribute is changed.",
    "removed": "The attribute is removed, with what contacts had there.",
}


def show(visit: Visit) -> Response:
    """Every attribute."""
    return _render(visit)


def define(visit: Visit) -> Response:
    """Define an attribute."""
    form = visit.form
    try:
        with visit.parts.database.write() as tx:
            room.define(
                tx,
                form.text("name").strip(),
                label=form.text("label"),
                kind=read_word(Kind, form.text("kind"), "kind"),
                choices=_choices(form.text("choices")),
                now=visit.now,
            )
    except (InvalidInput, Conflict) as refused:
        return _render(visit, problems_of(refused, _FIELDS, otherwise="name"), form.fields)
    return visit.go("/attributes", done="defined")


def change(visit: Visit) -> Response:
    """Change how an attribute is called, and what there is to choose."""
    form = visit.form
    choices = _choices(form.text("choices")) if "choices" in form.fields else None
    try:
        with visit.parts.database.write() as tx:
            room.change(tx, form.text("name"), label=form.text("label"), choices=choices)
    except InvalidInput as refused:
        return _render(visit, problems_of(refused, {}, otherwise=f"change-{form.text('name')}"), form.fields)
    return visit.go("/attributes", done="changed")


def remove(visit: Visit) -> Response:
    """Remove an attribute."""
    with visit.parts.database.write() as tx:
        room.remove(tx, visit.form.text("name"))
    return visit.go("/attributes", done="removed")


def _choices(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.strip())


def _render(visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    with visit.parts.database.read() as tx:
        found = room.attributes_of(tx)
    return visit.render(
        "attributes.html",
        status=422 if errors else 200,
        attributes=found.values(),
        kinds=list(Kind),
        errors=errors or {},
        values=values or {},
        done=_DONE.get(visit.query("done"), ""),
    )
