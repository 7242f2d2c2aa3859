"""What an instance wants to know of its contacts: typed attributes, defined once and checked wherever a value comes in.

Their names are those of placeholders in campaigns, such as `{{ town }}`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from resonanz.model import Conflict, InvalidInput, NotFound
from resonanz.store import Tx
from resonanz.store import attributes as store
from resonanz.store.attributes import AttributeRow
from resonanz.store.text import storable

MAX_ATTRIBUTES = 100
MAX_TEXT_CHARACTERS = 1_000
MAX_CHOICES = 200
MAX_LABEL_CHARACTERS = 80
MAX_NUMBER = 10.0**15

Value = str | int | float | bool

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What placeholders say already, and words of the template language.
_PLACEHOLDERS = {
    *("address", "name", "language", "contact", "unsubscribe_url", "preferences_url", "browser_url"),
    *("campaign", "sender", "subject"),
}
_LANGUAGE_WORDS = {
    *("and", "or", "not", "in", "is", "if", "else", "elif", "for", "true", "false", "none", "loop", "self"),
}
RESERVED = frozenset(_PLACEHOLDERS | _LANGUAGE_WORDS)
_YES, _NO = frozenset({"yes", "y", "true", "1", "on", "ja"}), frozenset({"no", "n", "false", "0", "off", "nein"})
_NUMBER = re.compile(r"[+-]?\d{1,16}(?:[.,]\d{1,12})?")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


class Kind(StrEnum):
    """What sort of value an attribute takes."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `choices` are the values of a choice, in the order in which they are offered."""

    name: str
    label: str
    kind: Kind
    choices: tuple[str, ...] = ()


def attributes_of(tx: Tx) -> dict[str, Attribute]:
    """Return every attribute by its name, in the order of their labels."""
    return {row.name: Attribute(row.name, row.label, Kind(row.kind), row.choices) for row in store.list_attributes(tx)}


def define(tx: Tx, name: str, *, label: str, kind: Kind, choices: tuple[str, ...] = (), now: datetime) -> Attribute:
    """Add an attribute. Raises InvalidInput naming the field, and Conflict when there is one of this name."""
    known = attributes_of(tx)
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "is no name for an attribute",
            where="name",
            remedy="begin with a small letter; up to 40 small letters, digits and underscores",
        )
    if name in RESERVED:
        raise InvalidInput(f"`{name}` means something else in placeholders already", where="name", remedy="add a word")
    if len(known) >= MAX_ATTRIBUTES:
        raise Conflict(f"there are {MAX_ATTRIBUTES} attributes already", where="name", remedy="remove one first")
    made = Attribute(name, _label(label or name), kind, _choices(kind, choices))
    if not store.add_attribute(tx, AttributeRow(made.name, made.label, made.kind, made.choices, now)):
        raise Conflict("there is an attribute of this name", where="name", remedy="choose another name")
    return made


def change(tx: Tx, name: str, *, label: str | None = None, choices: tuple[str, ...] | None = None) -> Attribute:
    """Change how an attribute is called, or what there is to choose. Contacts keep what they have: a choice that is
    gone is only not offered any more. Raises NotFound, and InvalidInput."""
    row = next((row for row in store.list_attributes(tx) if row.name == name), None)
    if row is None:
        raise _unknown()
    kind = Kind(row.kind)
    made = AttributeRow(
        row.name,
        row.label if label is None else _label(label),
        kind,
        row.choices if choices is None else _choices(kind, choices),
        row.created_at,
    )
    store.save_attribute(tx, made)
    return Attribute(made.name, made.label, kind, made.choices)


def remove(tx: Tx, name: str) -> None:
    """Remove an attribute, and its value from every contact. Raises NotFound."""
    if not store.delete_attribute(tx, name):
        raise _unknown()


def read_value(attribute: Attribute, given: object) -> Value | None:
    """Return a value as it is kept, from text as people and files write it or from JSON; None for an empty one.

    Numbers have a point or a comma before their decimals and nothing between thousands; dates are 2026-03-18 or
    18.03.2026. Raises InvalidInput with the attribute's name as its place.
    """
    where = attribute.name
    if given is None:
        return None
    if isinstance(given, bool):
        if attribute.kind is not Kind.YES_NO:
            raise InvalidInput("is yes or no, but should be something else", where=where)
        return given
    if isinstance(given, (int, float)):
        if attribute.kind is not Kind.NUMBER:
            raise InvalidInput("is a number, but should be something else", where=where, remedy="write it as text")
        return _number(given, where)
    if not isinstance(given, str):
        raise InvalidInput("is neither text nor number nor yes or no", where=where)
    text = storable(given).strip()
    return _READERS[attribute.kind](attribute, text) if text else None


def show_value(attribute: Attribute, value: Value | None) -> str:
    """Return a value as a form or a file holds it; `read_value` gives it back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _text(attribute: Attribute, text: str) -> Value:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_TEXT_CHARACTERS} characters", where=attribute.name)
    return text


def _number_in(attribute: Attribute, text: str) -> Value:
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(
            f"`{text[:40]}` is not a number", where=attribute.name, remedy="write it like 1234.5, without a unit"
        )
    plain = text.replace(",", ".")
    return _number(float(plain) if "." in plain else int(plain), attribute.name)


def _number(value: float, where: str) -> Value:
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        raise InvalidInput("is too large a number", where=where)
    return value


def _date(attribute: Attribute, text: str) -> Value:
    german = _GERMAN_DATE.fullmatch(text)
    try:
        if german:
            day, month, year = (int(part) for part in german.groups())
            return date(year, month, day).isoformat()
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise InvalidInput(
        f"`{text[:40]}` is not a date", where=attribute.name, remedy="write it like 2026-03-18 or 18.03.2026"
    )


def _yes_no(attribute: Attribute, text: str) -> Value:
    word = text.lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise InvalidInput(f"`{text[:40]}` is neither yes nor no", where=attribute.name, remedy="write yes or no")


def _choice(attribute: Attribute, text: str) -> Value:
    for choice in attribute.choices:
        if choice.lower() == text.lower():
            return choice
    raise InvalidInput(
        f"`{text[:40]}` is none of the choices", where=attribute.name, remedy=f"use {', '.join(attribute.choices)}"
    )


_READERS = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number_in,
    Kind.DATE: _date,
    Kind.YES_NO: _yes_no,
    Kind.CHOICE: _choice,
}


def pick(known: Mapping[str, Attribute], name: str) -> Attribute:
    """Return the attribute of this name. Raises InvalidInput."""
    if name not in known:
        raise InvalidInput("there is no such attribute", where=name, remedy="define it first")
    return known[name]


def _label(text: str) -> str:
    label = " ".join(storable(text).split())
    if not label:
        raise InvalidInput("is empty", where="label")
    if len(label) > MAX_LABEL_CHARACTERS:
        raise InvalidInput(f"has more than {MAX_LABEL_CHARACTERS} characters", where="label")
    return label


def _choices(kind: Kind, given: tuple[str, ...]) -> tuple[str, ...]:
    choices = tuple(dict.fromkeys(text for one in given if (text := " ".join(storable(one).split()))))
    if kind is not Kind.CHOICE:
        if choices:
            raise InvalidInput("are only for an attribute of the kind choice", where="choices")
        return ()
    if not choices:
        raise InvalidInput("are missing", where="choices", remedy="name at least one")
    if len(choices) > MAX_CHOICES or any(len(one) > MAX_LABEL_CHARACTERS for one in choices):
        raise InvalidInput(
            f"are more than {MAX_CHOICES}, or longer than {MAX_LABEL_CHARACTERS} characters", where="choices"
        )
    if len({one.lower() for one in choices}) < len(choices):
        raise InvalidInput("differ in nothing but capitals", where="choices")
    return choices


def _unknown() -> NotFound:
    return NotFound("there is no such attribute", where="attribute")
