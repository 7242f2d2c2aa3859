"""The pages about contacts: the list, and one contact with what they allow, their lists and their mail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from resonanz.dashboard.visit import Visit, errors_of, read_id, told
from resonanz.insight.contacts import history_of
from resonanz.insight.dossier import dossier
from resonanz.model import Conflict, InvalidInput
from resonanz.people import Choice, Purpose, choices_in_force, enter_choice
from resonanz.people.attributes import attributes_of, show_value
from resonanz.people.contacts import Details, add_contact, change_contact, get_contact
from resonanz.people.exports import contacts_file
from resonanz.people.lists import get_list
from resonanz.sending.erasure import erase_contact
from resonanz.store import contacts as rows
from resonanz.store import lists, suppressions

PAGE = 50
MAILS = 20
MAX_SEARCH_CHARACTERS = 200
SOURCE = "dashboard"


def show_list(visit: Visit) -> Response:
    """Contacts, newest first, by search and list."""
    return _render_list(visit)


def add(visit: Visit) -> Response:
    """Add a contact; the next page shows them."""
    form = visit.form
    try:
        with visit.parts.database.write() as tx:
            added = add_contact(tx, form.text("address"), Details(name=form.text("name") or None), visit.now)
            if on_list := read_id(form.text("list")):
                lists.add_members(tx, get_list(tx, on_list).id, [added.id], since=visit.now, source=SOURCE)
    except (InvalidInput, Conflict) as refused:
        errors = problems_of(refused, {"address": "address", "name": "name"}, otherwise="address")
        return _render_list(visit, errors, form.fields, status=422)
    return visit.go(f"/contacts/{added.id}", done="added")


def download(visit: Visit) -> Response:
    """The contacts that the list shows, as a file."""
    lines = contacts_file(
        visit.parts.database,
        search=visit.query("search")[:MAX_SEARCH_CHARACTERS].strip(),
        list_id=read_id(visit.query("list")),
    )
    return file(visit, lines, "contacts.csv", "text/csv")


def file(visit: Visit, lines: object, name: str, kind: str) -> Response:
    """Answer with a file to be saved."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return visit.finish(StreamingResponse(lines, media_type=kind, headers=headers))  # type: ignore[arg-type]


def _render_list(
    visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None, *, status: int = 200
) -> Response:
    before, on_list = read_id(visit.query("before")), read_id(visit.query("list"))
    search = visit.query("search")[:MAX_SEARCH_CHARACTERS]
    with visit.parts.database.read() as tx:
        found = rows.list_contacts(tx, limit=PAGE + 1, before=before, search=search.strip(), list_id=on_list)
        page = found[:PAGE]
        listed = {row.address: row for row in suppressions.find_suppressions(tx, [one.address for one in page])}
        chosen = rows.current_consents(tx, [one.id for one in page])
        every_list = lists.list_lists(tx)
        total = rows.count_contacts(tx)
    return visit.render(
        "contacts.html",
        status=status,
        contacts=page,
        next=page[-1].id if len(found) > PAGE else None,
        before=before,
        search=search,
        on_list=on_list,
        lists=every_list,
        total=total,
        suppressed=listed,
        mailing={one.id: chosen.get((one.id, Purpose.MAILING)) for one in page},
        errors=errors or {},
        values=values or {},
        done=_DONE.get(visit.query("done"), ""),
    )


# ── One contact ─────────────────────────────────────────────────────────────────────────────────────────────────────


def show(visit: Visit) -> Response:
    """One contact."""
    return _render(visit)


def save(visit: Visit) -> Response:
    """Change what is known of a contact."""
    form = visit.form
    with visit.parts.database.read() as tx:
        known = attributes_of(tx)
    given = {name: form.text(f"attribute-{name}") for name in known if f"attribute-{name}" in form.fields}
    details = Details(form.text("name"), form.text("language"), given)
    try:
        with visit.parts.database.write() as tx:
            change_contact(tx, visit.path("contact"), details, visit.now, address=form.text("address"))
    except (InvalidInput, Conflict) as refused:
        places = {one: one for one in ("address", "name", "language")} | {name: f"attribute-{name}" for name in known}
        return _render(visit, problems_of(refused, places, otherwise="address"), form.fields, status=422)
    return visit.go(f"/contacts/{visit.path('contact')}", done="saved")


def enter_consent(visit: Visit) -> Response:
    """Enter what a contact chose, by the word of whoever is signed in."""
    form = visit.form
    places = {"source": "source", "occurred_at": "chosen_at", "state": "state", "purpose": "purpose"}
    try:
        with visit.parts.database.write() as tx:
            enter_choice(
                tx,
                get_contact(tx, visit.path("contact")).id,
                read_word(Purpose, form.text("purpose"), "purpose"),
                read_word(Choice, form.text("state"), "state"),
                now=visit.now,
                chosen_at=read_moment(visit, form.text("chosen_at"), "occurred_at"),
                source=form.text("source"),
                text_version=form.text("text_version"),
                actor=visit.account.address,
            )
    except InvalidInput as refused:
        return _render(visit, errors_of(refused, places, otherwise="source"), form.fields, status=422)
    return visit.go(f"/contacts/{visit.path('contact')}", done="consent")


def change_lists(visit: Visit) -> Response:
    """Put a contact on a list, or take them off one."""
    contact, list_id = visit.path("contact"), read_id(visit.form.text("list"))
    if list_id is not None:
        with visit.parts.database.write() as tx:
            get_contact(tx, contact)
            get_list(tx, list_id)
            if visit.form.text("wanted") == "off":
                lists.remove_members(tx, list_id, [contact])
            else:
                lists.add_members(tx, list_id, [contact], since=visit.now, source=SOURCE)
    return visit.go(f"/contacts/{contact}", done="lists")


def erase(visit: Visit) -> Response:
    """Erase a contact, once their address was typed."""
    contact = visit.path("contact")
    with visit.parts.database.read() as tx:
        one = get_contact(tx, contact)
    if visit.form.text("confirm").strip().lower() != one.address:
        return _render(visit, {"confirm": "Type the contact’s address to confirm."}, {}, status=422)
    try:
        erase_contact(
            visit.parts.database,
            contact,
            visit.parts.forget_mails,
            now=visit.now,
            source=SOURCE,
            actor=visit.account.address,
            suppressed=visit.form.text("suppress") == "yes",
        )
    except Conflict as refused:
        return _render(visit, {"confirm": told(refused)}, {}, status=409)
    return visit.go("/contacts", done="erased")


def export(visit: Visit) -> Response:
    """Everything known of a contact, as a file."""
    text = dossier(visit.parts.database, visit.path("contact"), visit.now)
    return file(visit, text, "contact.json", "application/json")


_DONE = {
    "added": "The contact is added.",
    "saved": "The contact is saved.",
    "consent": "The choice is recorded. It is in force from the next mail, and for hits on those already sent.",
    "lists": "The lists are changed.",
    "erased": "The contact is erased. Their messages stay, without anything that names them.",
}


def _render(
    visit: Visit, errors: dict[str, str] | None = None, values: dict[str, str] | None = None, *, status: int = 200
) -> Response:
    contact_id: UUID = visit.path("contact")
    before = read_id(visit.query("before"))
    with visit.parts.database.read() as tx:
        contact = get_contact(tx, contact_id)
        known = attributes_of(tx)
        memberships = lists.memberships_of(tx, contact_id)
        on = {one.list_id for one in memberships}
        others = [one for one, _ in lists.list_lists(tx) if one.id not in on]
        suppression = suppressions.find_suppression(tx, contact.address)
        history = history_of(tx, contact_id, limit=MAILS, before=before)
        consents = rows.consent_history(tx, contact_id)
        in_force = choices_in_force(tx, contact_id)
        unknown = visit.parts.unknown_mode(tx)
    stored = {"address": contact.address, "name": contact.name, "language": contact.language} | {
        f"attribute-{name}": show_value(attribute, contact.attributes.get(name)) for name, attribute in known.items()
    }
    return visit.render(
        "contact.html",
        status=status,
        contact=contact,
        attributes=known.values(),
        memberships=memberships,
        other_lists=others,
        suppression=suppression,
        history=history,
        consents=list(reversed(consents)),
        in_force=in_force,
        purposes=list(Purpose),
        choices=list(Choice),
        unknown=unknown,
        before=before,
        errors=errors or {},
        values=stored | (values or {}),
        done=_DONE.get(visit.query("done"), ""),
    )


_T = TypeVar("_T", bound=StrEnum)


def read_word(kind: type[_T], text: str, where: str) -> _T:
    """Read what was chosen from a closed vocabulary. Raises InvalidInput."""
    try:
        return kind(text)
    except ValueError:
        raise InvalidInput("has to be chosen", where=where) from None


def read_moment(visit: Visit, text: str, where: str) -> datetime | None:
    """Read a time as a browser's field gives it, in the instance's time zone; None when it was left empty. Raises
    InvalidInput."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        local = moment if moment.tzinfo is not None else moment.replace(tzinfo=visit.parts.zone)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("is no date and time", where=where) from None


def problems_of(refused: InvalidInput | Conflict, fields: Mapping[str, str], *, otherwise: str) -> dict[str, str]:
    """As `errors_of`, also for what contradicts what there is."""
    if isinstance(refused, Conflict):
        return {fields.get(refused.where, otherwise): told(refused)}
    return errors_of(refused, fields, otherwise=otherwise)
