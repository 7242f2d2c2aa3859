"""Contacts: who they are. What they allow is in `consent`, whether they are written to at all in `suppression`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from resonanz.mail.address import parse_address
from resonanz.model import Conflict, InvalidInput, NotFound, new_id
from resonanz.people.attributes import Attribute, attributes_of, pick, read_value
from resonanz.store import Tx
from resonanz.store import contacts as store
from resonanz.store.contacts import Contact
from resonanz.store.text import storable

MAX_NAME_CHARACTERS = 200

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Details:
    """What is to be known of a contact from now on; None leaves it as it is, and so does an attribute left out. An
    attribute given as None, or as empty text, goes."""

    name: str | None = None
    language: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)


def get_contact(tx: Tx, contact_id: UUID) -> Contact:
    """Return one contact. Raises NotFound."""
    found = store.get_contact(tx, contact_id)
    if found is None:
        raise NotFound("there is no such contact", where="contact")
    return found


def contact_at(tx: Tx, address: str) -> Contact:
    """Return the contact with this address, however it is written. Raises NotFound, and InvalidInput for no address."""
    found = store.find_contact(tx, parse_address(address).normalised)
    if found is None:
        raise NotFound("there is no contact with this address", where="address")
    return found


def add_contact(tx: Tx, address: str, details: Details, now: datetime) -> Contact:
    """Add a contact. Raises InvalidInput with everything that is wrong, and Conflict when the address is known."""
    refused: list[InvalidInput] = []
    normalised = ""
    try:
        mailbox = parse_address(address)
        normalised = mailbox.normalised
        if details.name is None and mailbox.name:
            details = replace(details, name=mailbox.name)
    except InvalidInput as error:
        refused.append(error)
    made = with_details(Contact(new_id(), normalised, "", now), details, attributes_of(tx), now, refused)
    if refused:
        raise InvalidInput.together(refused)
    if not store.add_contacts(tx, [made]):
        raise Conflict("there is a contact with this address", where="address", remedy="change that one")
    return made


def change_contact(tx: Tx, contact_id: UUID, details: Details, now: datetime, *, address: str | None = None) -> Contact:
    """Change what is known of a contact, their address too. Raises NotFound, InvalidInput with everything that is
    wrong, and Conflict when another contact has the address."""
    before = get_contact(tx, contact_id)
    refused: list[InvalidInput] = []
    normalised = before.address
    if address is not None:
        try:
            normalised = parse_address(address).normalised
        except InvalidInput as error:
            refused.append(error)
    after = with_details(before, details, attributes_of(tx), now, refused)
    if refused:
        raise InvalidInput.together(refused)
    if normalised != before.address:
        if not store.change_address(tx, contact_id, normalised, now):
            raise Conflict("another contact has this address", where="address", remedy="erase one of the two first")
        after = replace(after, address=normalised, changed_at=now)
    if after != before:
        store.save_contacts(tx, [after])
    return after


def with_details(
    contact: Contact,
    details: Details,
    known: Mapping[str, Attribute],
    now: datetime,
    refused: list[InvalidInput],
) -> Contact:
    """Return a contact with these details, not stored yet; what is wrong with them is added to `refused`."""
    name, language = contact.name, contact.language
    values = dict(contact.attributes)
    try:
        name = name if details.name is None else read_name(details.name)
    except InvalidInput as error:
        refused.append(error)
    try:
        language = language if details.language is None else read_language(details.language)
    except InvalidInput as error:
        refused.append(error)
    for attribute, given in details.attributes.items():
        try:
            value = read_value(pick(known, attribute), given)
        except InvalidInput as error:
            refused.append(error)
            continue
        if value is None:
            values.pop(attribute, None)
        else:
            values[attribute] = value
    changed = replace(contact, name=name, language=language, attributes=values)
    return changed if changed == contact else replace(changed, changed_at=now)


def read_name(text: str) -> str:
    """Return a person's name as it is kept. Raises InvalidInput."""
    name = " ".join(storable(text).split())
    if len(name) > MAX_NAME_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_NAME_CHARACTERS} characters", where="name")
    return name


def read_language(text: str) -> str:
    """Return a language tag (RFC 5646) in its usual capitals: `de_at` becomes `de-AT`. Raises InvalidInput."""
    tag = text.strip().replace("_", "-")
    if not tag:
        return ""
    if not tag.isascii() or len(tag) > 35 or not _LANGUAGE.fullmatch(tag):
        raise InvalidInput(
            f"`{text[:40]}` is no language", where="language", remedy="use a tag such as de, en or pt-BR"
        )
    first, *others = tag.lower().split("-")
    # RFC 5646 section 2.1.1: regions of two letters in capitals, scripts of four with one.
    return "-".join(
        [first, *(one.upper() if len(one) == 2 else one.title() if len(one) == 4 else one for one in others)]
    )
