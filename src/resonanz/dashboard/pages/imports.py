"""Importing contacts: hand a file in, look at it, start it, watch it, fetch what was refused."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from starlette.responses import Response

from resonanz.dashboard.pages.contacts import PAGE, file, read_moment
from resonanz.dashboard.visit import Visit, errors_of, not_found, read_id
from resonanz.model import InvalidInput
from resonanz.people import Purpose
from resonanz.people import imports as room
from resonanz.people.attributes import attributes_of
from resonanz.people.columns import FIELDS
from resonanz.people.exports import refused_file
from resonanz.people.imports import MAX_FILE_BYTES, Consent, Plan
from resonanz.people.sheets import DELIMITERS, ENCODINGS
from resonanz.store import imports, lists
from resonanz.store.imports import Import
from resonanz.store.text import storable

REFUSED_SHOWN = 10  # enough to see what is wrong with a file; the rest is in the file of refused rows

__all__ = ["MAX_FILE_BYTES"]


def show_list(visit: Visit) -> Response:
    """Imports, newest first, and where a file is handed in."""
    return _render_list(visit, {})


def _render_list(visit: Visit, errors: dict[str, str]) -> Response:
    before = read_id(visit.query("before"))
    with visit.parts.database.read() as tx:
        found = imports.list_imports(tx, limit=PAGE + 1, before=before)
    page = found[:PAGE]
    return visit.render(
        "imports.html",
        status=422 if errors else 200,
        imports=page,
        next=page[-1].id if len(found) > PAGE else None,
        errors=errors,
    )


def hand_in(visit: Visit) -> Response:
    """Keep a file, and show what it holds."""
    try:
        made = room.hand_in(
            visit.parts.database,
            [visit.form.file],
            file_name=visit.form.file_name or "file.csv",
            account_id=visit.account.id,
            now=visit.now,
        )
    except InvalidInput as refused:
        return _render_list(visit, errors_of(refused, {}, otherwise="file"))
    return visit.go(f"/imports/{made.id}")


def show(visit: Visit) -> Response:
    """One import: what it would do before it is started, how far it is, what it did."""
    one = _found(visit)
    if one.state == "uploaded" and not visit.part:
        return _render_plan(visit, one, {}, {})
    with visit.parts.database.read() as tx:
        refused = imports.list_errors(tx, one.id, limit=REFUSED_SHOWN)
    return visit.render("_import_progress.html" if visit.part else "import.html", one=one, refused=refused)


def _found(visit: Visit) -> Import:
    with visit.parts.database.read() as tx:
        found = imports.get_import(tx, visit.path("import_id"))
    if found is None:
        raise not_found("import")
    return found


def _render_plan(
    visit: Visit, one: Import, errors: dict[str, str], values: dict[str, str], plan: Plan | None = None
) -> Response:
    seen = room.preview(visit.parts.database, one.id, plan)
    with visit.parts.database.read() as tx:
        known, every_list = attributes_of(tx), lists.list_lists(tx)
    return visit.render(
        "import_plan.html",
        status=422 if errors else 200,
        one=one,
        seen=seen,
        plan=seen.plan,
        fields=FIELDS,
        attributes=known.values(),
        lists=every_list,
        encodings=ENCODINGS,
        delimiters=DELIMITERS,
        purposes=list(Purpose),
        errors=errors,
        values=values,
    )


def reread(visit: Visit) -> Response:
    """Read the file with another encoding or delimiter."""
    form, id = visit.form, visit.path("import_id")
    try:
        room.reread(visit.parts.database, id, encoding=form.text("encoding"), delimiter=form.text("delimiter"))
    except InvalidInput as refused:
        return _render_plan(visit, _found(visit), errors_of(refused, {}, otherwise="form"), {})
    return visit.go(f"/imports/{id}")


def start(visit: Visit) -> Response:
    """Start an import by the choices made; or with `check`, look again at what they would do."""
    one, form = _found(visit), visit.form
    stored = Plan.decode(one.plan)
    columns = tuple(form.text(f"column-{number}") for number in range(len(stored.columns)))
    plan = replace(stored, form=replace(stored.form, has_header=form.text("header") == "yes"), columns=columns)
    if form.text("check"):
        return _render_plan(visit, one, {}, form.fields, plan)
    try:
        room.start(visit.parts.database, one.id, replace(plan, lists=_lists(visit), consent=_consent(visit)), visit.now)
    except InvalidInput as refused:
        named = InvalidInput.together([_of_form(problem) for problem in refused.problems])
        places = {place: place for place in ("source", "given_at", "purposes")}
        return _render_plan(visit, one, errors_of(named, places, otherwise="columns"), form.fields, plan)
    return visit.go(f"/imports/{one.id}")


def _of_form(problem: InvalidInput) -> InvalidInput:
    """The form tells the column in words."""
    number = problem.where.removeprefix("columns[").removesuffix("]")
    if not number.isdecimal():
        return problem
    return InvalidInput(f"column {int(number) + 1} {problem.what}", where="columns", remedy=problem.remedy)


def _lists(visit: Visit) -> tuple[UUID, ...]:
    names = [name for name in visit.form.fields if name.startswith("list-")]
    return tuple(id for name in names if (id := read_id(name.removeprefix("list-"))) is not None)


def _consent(visit: Visit) -> Consent | None:
    form = visit.form
    purposes = tuple(purpose for purpose in Purpose if form.text(f"consent-{purpose}") == "yes")
    if not purposes:
        return None
    given_at = read_moment(visit, form.text("given_at"), "given_at")
    if given_at is None:
        raise InvalidInput("is missing", where="given_at", remedy="say when they agreed")
    return Consent(purposes, storable(form.text("source")), given_at, storable(form.text("text_version")))


def cancel(visit: Visit) -> Response:
    """End an import where it is."""
    room.cancel(visit.parts.database, visit.path("import_id"), visit.now)
    return visit.go(f"/imports/{visit.path('import_id')}")


def download_errors(visit: Visit) -> Response:
    """The refused rows, as a file."""
    return file(visit, refused_file(visit.parts.database, _found(visit).id), "refused.csv", "text/csv")
