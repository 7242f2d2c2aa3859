"""Named transports as rows. Secrets come and go sealed; this room cannot open them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing
from resonanz.store.tables import transport_senders, transports

EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class StoredTransport:
    """A server that mail goes out by, and whose mail: `senders` are addresses, domains, or `*`; with `account_id` that
    account's alone. `security` is none, starttls or tls; `authentication` none, password or xoauth2.

    `secret` (a password, or a refresh token) and `client_secret` are sealed. None in `connections` and
    `rate_per_minute` means no limit of its own. `trouble` is what kept it from working last. With `fall_back` the
    instance's transports carry an account's mail while its own cannot be reached.
    """

    id: UUID
    name: str
    host: str
    port: int
    security: str
    authentication: str
    created_at: datetime
    created_by: str
    changed_at: datetime
    account_id: UUID | None = None
    username: str = ""
    secret: bytes | None = field(default=None, repr=False)
    provider: str = ""
    client_id: str = ""
    client_secret: bytes | None = field(default=None, repr=False)
    tenant: str = ""
    senders: tuple[str, ...] = (EVERYBODY,)
    priority: int = 10
    connections: int | None = None
    rate_per_minute: int | None = None
    paused: bool = False
    sign_in_again: bool = False
    trouble: str = ""
    fall_back: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether mail may be handed to it at all."""
        return not (self.paused or self.sign_in_again)


_COLUMNS = tuple(one.name for one in fields(StoredTransport) if one.name != "senders")


def add_transport(tx: Tx, transport: StoredTransport) -> bool:
    """Store a transport, unless its name is taken. Returns whether it was free."""
    if not insert_missing(tx, transports, [_row(transport)]):
        return False
    _set_senders(tx, transport)
    return True


def save_transport(tx: Tx, transport: StoredTransport) -> None:
    """Write down everything about a transport that is there."""
    tx.execute(update(transports).where(transports.c.id == transport.id).values(_row(transport)))
    _set_senders(tx, transport)


def list_transports(tx: Tx) -> list[StoredTransport]:
    """Return every transport, in the order in which they are tried, then by name."""
    senders: dict[UUID, list[str]] = {}
    for row in tx.execute(select(transport_senders).order_by(transport_senders.c.sender)):
        senders.setdefault(row.transport_id, []).append(row.sender)
    rows = tx.execute(select(transports).order_by(transports.c.priority, transports.c.name)).mappings()
    return [_transport(row, tuple(senders.get(row["id"], ()))) for row in rows]


def get_transport(tx: Tx, name: str) -> StoredTransport | None:
    """Return a transport by its name."""
    row = tx.execute(select(transports).where(transports.c.name == name)).mappings().first()
    if row is None:
        return None
    of_it = select(transport_senders.c.sender).where(transport_senders.c.transport_id == row["id"])
    return _transport(row, tuple(tx.execute(of_it.order_by(transport_senders.c.sender)).scalars()))


def set_trouble(tx: Tx, name: str, trouble: str, *, sign_in_again: bool) -> None:
    """Note what keeps a transport from working; an empty text says that it works."""
    tx.execute(update(transports).where(transports.c.name == name).values(trouble=trouble, sign_in_again=sign_in_again))


def set_secret(tx: Tx, transport_id: UUID, secret: bytes) -> None:
    """Replace the sealed secret: providers hand out a new refresh token now and then."""
    tx.execute(update(transports).where(transports.c.id == transport_id).values(secret=secret))


def remove_transport(tx: Tx, name: str) -> bool:
    """Remove a transport. Returns whether it was there."""
    return tx.execute(delete(transports).where(transports.c.name == name)).rowcount > 0


def _row(transport: StoredTransport) -> dict[str, Any]:
    return {name: getattr(transport, name) for name in _COLUMNS}


def _transport(row: Mapping[Any, Any], senders: tuple[str, ...]) -> StoredTransport:
    return StoredTransport(**{name: row[name] for name in _COLUMNS}, senders=senders)


def _set_senders(tx: Tx, transport: StoredTransport) -> None:
    tx.execute(delete(transport_senders).where(transport_senders.c.transport_id == transport.id))
    rows = [{"transport_id": transport.id, "sender": sender} for sender in transport.senders]
    tx.execute(insert(transport_senders), rows)
