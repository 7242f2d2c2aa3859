"""The pages about lists."""

from __future__ import annotations

from starlette.responses import Response

from resonanz.dashboard.pages.contacts import problems_of
from resonanz.dashboard.visit import Visit
from resonanz.model import Conflict, InvalidInput
from resonanz.people import lists as room
from resonanz.store import lists

_FIELDS = {"name": "name", "description": "description"}
_DONE = {"deleted": "The list is deleted. Who was on it stays a contact.", "saved": "The list is saved."}


def show(visit: Visit) -> Response:
    """Every list."""
    return _render(visit)


def create(visit: Visit) -> Response:
    """Create a list."""
    form = visit.form
    try:
        with visit.parts.database.write() as tx:
            made = room.create_list(
                tx,
                form.text("name"),
                description=form.text("description"),
                is_marketing=form.text("marketing") == "yes",
                now=visit.now,
            )
    except (InvalidInput, Conflict) as refused:
        return _render(visit, problems_of(refused, _FIELDS, otherwise="name"), form.fields)
    return visit.go("/contacts", list=str(made.id))


def _render(visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    with visit.parts.database.read() as tx:
        found = lists.list_lists(tx)
    return visit.render(
        "lists.html",
        status=422 if errors else 200,
        lists=found,
        errors=errors or {},
        values=values or {},
        done=_DONE.get(visit.query("done"), ""),
    )


def show_one(visit: Visit) -> Response:
    """One list, to be changed."""
    return _render_one(visit)


def save(visit: Visit) -> Response:
    """Change a list."""
    form = visit.form
    try:
        with visit.parts.database.write() as tx:
            room.change_list(
                tx,
                visit.path("list"),
                name=form.text("name"),
                description=form.text("description"),
                is_marketing=form.text("marketing") == "yes",
            )
    except (InvalidInput, Conflict) as refused:
        return _render_one(visit, problems_of(refused, _FIELDS, otherwise="name"), form.fields)
    return visit.go("/lists", done="saved")


def delete(visit: Visit) -> Response:
    """Delete a list."""
    with visit.parts.database.write() as tx:
        room.delete_list(tx, visit.path("list"))
    return visit.go("/lists", done="deleted")


def _render_one(visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None) -> Response:
    with visit.parts.database.read() as tx:
        one = room.get_list(tx, visit.path("list"))
        members = lists.count_members(tx, one.id)
    stored = {"name": one.name, "description": one.description, "marketing": "yes" if one.is_marketing else ""}
    return visit.render(
        "list.html",
        status=422 if errors else 200,
        list=one,
        members=members,
        errors=errors or {},
        values=stored if values is None else values,
    )
