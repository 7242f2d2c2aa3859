"""Which column of a file is what of a contact: guessed from its heading, chosen by a person, read row by row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resonanz.mail.address import parse_address
from resonanz.model import InvalidInput
from resonanz.people.attributes import Attribute
from resonanz.people.contacts import Details, read_language, read_name

ADDRESS, NAME, FIRST_NAME, LAST_NAME, LANGUAGE = "address", "name", "first_name", "last_name", "language"
IGNORED = ""
FIELDS = (ADDRESS, NAME, FIRST_NAME, LAST_NAME, LANGUAGE)

_HEADINGS = {  # as people head their columns, in the languages we have met; compared without accents and signs
    ADDRESS: {
        *("email", "emailaddress", "mail", "mailaddress", "address"),
        *("emailadresse", "mailadresse", "adresse", "courriel", "correo"),
    },
    NAME: {"name", "fullname", "vollername", "displayname", "contact", "nom", "nombre"},
    FIRST_NAME: {"firstname", "givenname", "vorname", "prenom"},
    LAST_NAME: {"lastname", "surname", "familyname", "nachname", "familienname"},
    LANGUAGE: {"language", "lang", "locale", "sprache", "langue", "idioma"},
}


@dataclass(frozen=True, slots=True)
class Person:
    """What one row says of a contact."""

    address: str  # normalised
    details: Details


def check_columns(columns: Sequence[str], known: Mapping[str, Attribute]) -> None:
    """Check that a choice of columns makes contacts: exactly one is the address, none comes twice. Raises
    InvalidInput."""
    refused: list[InvalidInput] = []
    for number, field in enumerate(columns):
        if field and field not in FIELDS and field not in known:
            refused.append(InvalidInput(f"there is no field `{field[:40]}`", where=f"columns[{number}]"))
        elif field and field in columns[:number]:
            refused.append(InvalidInput("is chosen for another column too", where=f"columns[{number}]"))
    if ADDRESS not in columns:
        refused.append(InvalidInput("no column is the address", where="columns", remedy="choose which one is"))
    if refused:
        raise InvalidInput.together(refused)


def guess_columns(
    first: Sequence[str], sample: Sequence[Sequence[str]], known: Mapping[str, Attribute], *, has_header: bool
) -> tuple[str, ...]:
    """Tell what each column is, by the heading `first`, or where there is none by what stands in it."""
    found: list[str] = []
    for heading in first:
        field = _field_of(heading, known) if has_header else IGNORED
        found.append(field if field not in found else IGNORED)
    if ADDRESS not in found:
        rows = [row for row in sample if row]
        for number in range(len(found)):
            if rows and sum("@" in row[number] for row in rows if number < len(row)) * 2 > len(rows):
                found[number] = ADDRESS
                break
    return tuple(found)


def _field_of(heading: str, known: Mapping[str, Attribute]) -> str:
    word = _plain(heading)
    for name, attribute in known.items():  # what somebody defined here says more than what a word usually means
        if word in (_plain(name), _plain(attribute.label)):
            return name
    return next((field for field, words in _HEADINGS.items() if word in words), IGNORED)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", folded)


def read_row(columns: Sequence[str], cells: Sequence[str], known: Mapping[str, Attribute]) -> Person:
    """Read one row. An empty cell says nothing: what is known stays. Raises InvalidInput with everything wrong."""
    refused: list[InvalidInput] = []
    if any(cell.strip() for cell in cells[len(columns) :]):
        refused.append(InvalidInput("has more cells than the file has columns", where="row"))
    given = {field: cell.strip() for field, cell in zip(columns, cells, strict=False) if field and cell.strip()}
    address = given.pop(ADDRESS, "")
    name = given.pop(NAME, "")
    parts = [part for field in (FIRST_NAME, LAST_NAME) if (part := given.pop(field, ""))]
    language = given.pop(LANGUAGE, "")
    try:
        mailbox = parse_address(address)
        address, name = mailbox.normalised, name or " ".join(parts) or mailbox.name
    except InvalidInput as error:
        refused.append(error)
    for check, text in ((read_name, name), (read_language, language)):
        try:
            check(text)
        except InvalidInput as error:
            refused.append(error)
    if refused:
        raise InvalidInput.together(refused)
    return Person(address, Details(name or None, language or None, given))
