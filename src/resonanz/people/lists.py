"""Lists: named groups of contacts that mail goes to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from resonanz.model import Conflict, InvalidInput, NotFound, new_id
from resonanz.store import Tx
from resonanz.store import lists as store
from resonanz.store.lists import MailingList
from resonanz.store.text import storable

MAX_NAME_CHARACTERS = 120
MAX_DESCRIPTION_CHARACTERS = 1_000


def get_list(tx: Tx, list_id: UUID) -> MailingList:
    """Return one list. Raises NotFound."""
    found = store.get_list(tx, list_id)
    if found is None:
        raise NotFound("there is no such list", where="list")
    return found


def list_named(tx: Tx, name: str) -> MailingList:
    """Return the list with this name, whatever its case, or with this id. Raises NotFound."""
    found = store.find_list(tx, " ".join(name.split()))
    if found is None:
        try:
            return get_list(tx, UUID(name))
        except ValueError:
            raise NotFound(f"there is no list `{name[:60]}`", where="list", remedy="create it first") from None
    return found


def create_list(tx: Tx, name: str, *, description: str = "", is_marketing: bool = True, now: datetime) -> MailingList:
    """Create a list. Raises InvalidInput naming the field, and Conflict when there is one of this name."""
    made = MailingList(new_id(), _free_name(tx, name), _description(description), is_marketing, now)
    if not store.add_list(tx, made):
        raise _taken()
    return made


def change_list(
    tx: Tx, list_id: UUID, *, name: str | None = None, description: str | None = None, is_marketing: bool | None = None
) -> MailingList:
    """Change a list; None leaves it as it is. Raises NotFound, InvalidInput naming the field, and Conflict."""
    before = get_list(tx, list_id)
    after = replace(
        before,
        name=before.name if name is None else _free_name(tx, name, of=before),
        description=before.description if description is None else _description(description),
        is_marketing=before.is_marketing if is_marketing is None else is_marketing,
    )
    store.save_list(tx, after)
    return after


def delete_list(tx: Tx, list_id: UUID) -> None:
    """Delete a list; who was on it stays a contact. Raises NotFound."""
    if not store.delete_list(tx, list_id):
        raise NotFound("there is no such list", where="list")


def _free_name(tx: Tx, text: str, *, of: MailingList | None = None) -> str:
    name = " ".join(storable(text).split())
    if not name:
        raise InvalidInput("is empty", where="name")
    if len(name) > MAX_NAME_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_NAME_CHARACTERS} characters", where="name")
    taken = store.find_list(tx, name)
    if taken is not None and (of is None or taken.id != of.id):
        raise _taken()
    return name


def _taken() -> Conflict:
    return Conflict("there is a list of this name", where="name", remedy="choose another name")


def _description(text: str) -> str:
    description = storable(text).strip()
    if len(description) > MAX_DESCRIPTION_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_DESCRIPTION_CHARACTERS} characters", where="description")
    return description
