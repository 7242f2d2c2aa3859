"""What an instance wants to know of contacts, as rows; the values stand with each contact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, text, update

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing
from resonanz.store.tables import attributes


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One attribute: its name in placeholders, how pages call it, what kind of value it takes."""

    name: str
    label: str
    kind: str
    choices: tuple[str, ...]
    created_at: datetime


def add_attribute(tx: Tx, row: AttributeRow) -> bool:
    """Insert an attribute. Returns whether its name was free."""
    values = {
        "name": row.name,
        "label": row.label,
        "kind": row.kind,
        "choices": list(row.choices),
        "created_at": row.created_at,
    }
    return bool(insert_missing(tx, attributes, [values]))


def save_attribute(tx: Tx, row: AttributeRow) -> None:
    """Bring label and choices of an attribute that exists to these."""
    tx.execute(
        update(attributes).where(attributes.c.name == row.name).values(label=row.label, choices=list(row.choices))
    )


def list_attributes(tx: Tx) -> list[AttributeRow]:
    """Return every attribute, in the order of their labels."""
    rows = tx.execute(select(attributes).order_by(func.lower(attributes.c.label), attributes.c.name))
    return [AttributeRow(row.name, row.label, row.kind, tuple(row.choices), row.created_at) for row in rows]


def delete_attribute(tx: Tx, name: str) -> bool:
    """Delete an attribute with its value in every contact; one statement. Returns whether there was one."""
    if not tx.execute(delete(attributes).where(attributes.c.name == name)).rowcount:
        return False
    if tx.dialect.name == "sqlite":
        drop = (
            "UPDATE contacts SET attributes = json_remove(attributes, :path) WHERE json_type(attributes, :path) <> ''"
        )
        tx.execute(text(drop), {"path": f'$."{name}"'})
    else:
        drop = "UPDATE contacts SET attributes = attributes - CAST(:name AS text) WHERE jsonb_exists(attributes, :name)"
        tx.execute(text(drop), {"name": name})
    return True
