"""What an import refused, and who is on a list, as files that a spreadsheet opens."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from resonanz.model import NotFound
from resonanz.people.attributes import attributes_of, show_value
from resonanz.people.imports import Plan
from resonanz.people.sheets import csv_line
from resonanz.store import Database, contacts, imports

_AT_A_TIME = 1_000
BOM = "\ufeff"  # without it, Excel takes UTF-8 for something else


def refused_file(database: Database, import_id: UUID) -> Iterator[str]:
    """Yield a CSV file of the rows that an import refused: line, reason, and the cells as they were, under their own
    headings, so that it can be mended and handed in again. Raises NotFound before the first."""
    with database.read() as tx:
        found = imports.get_import(tx, import_id)
    if found is None:
        raise NotFound("there is no such import", where="import")
    plan = Plan.decode(found.plan)
    heading = [name.strip() or f"column {place}" for place, name in enumerate(plan.heading, 1)]
    heading += [f"column {place}" for place in range(len(heading) + 1, len(plan.columns) + 1)]
    return _refused(database, import_id, heading)


def _refused(database: Database, import_id: UUID, heading: list[str]) -> Iterator[str]:
    yield BOM + csv_line(["line", "reason", *heading])
    after = 0
    while True:
        with database.read() as tx:
            rows = imports.list_errors(tx, import_id, after=after, limit=_AT_A_TIME)
        yield "".join(csv_line([row.line, row.reason, *row.cells]) for row in rows)
        if len(rows) < _AT_A_TIME:
            return
        after = rows[-1].line


def contacts_file(database: Database, *, search: str = "", list_id: UUID | None = None) -> Iterator[str]:
    """Yield a CSV file of contacts, newest first, with all that is known of them; it can be imported again."""
    with database.read() as tx:
        known = attributes_of(tx)
    yield BOM + csv_line(["address", "name", "language", *known])
    before: UUID | None = None
    while True:
        with database.read() as tx:
            rows = contacts.list_contacts(tx, limit=_AT_A_TIME, before=before, search=search, list_id=list_id)
        yield "".join(
            csv_line(
                [
                    row.address,
                    row.name,
                    row.language,
                    *(show_value(attribute, row.attributes.get(name)) for name, attribute in known.items()),
                ]
            )
            for row in rows
        )
        if len(rows) < _AT_A_TIME:
            return
        before = rows[-1].id
