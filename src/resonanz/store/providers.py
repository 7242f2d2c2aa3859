"""Providers whose webhooks are let in, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing
from resonanz.store.tables import provider_nonces, providers
from resonanz.store.text import storable


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One address that a provider reports to. `secrets` are sealed; None: nothing is let in yet.

    `taken` counts reports that were understood, `kept` those that became no fact; `refusal` says why the last delivery
    that was turned away was.
    """

    id: UUID
    provider: str
    label: str
    secrets: bytes | None
    created_at: datetime
    created_by: str
    taken: int = 0
    kept: int = 0
    last_at: datetime | None = None
    refused_at: datetime | None = None
    refusal: str = ""


def add_provider(tx: Tx, row: ProviderRow) -> None:
    """Store one."""
    tx.execute(
        insert(providers).values(
            id=row.id,
            provider=row.provider,
            label=row.label,
            secrets=row.secrets,
            created_at=row.created_at,
            created_by=row.created_by,
        )
    )


def get_provider(tx: Tx, id: UUID) -> ProviderRow | None:
    """Return one."""
    row = tx.execute(select(providers).where(providers.c.id == id)).one_or_none()
    return None if row is None else ProviderRow(**row._mapping)


def list_providers(tx: Tx) -> list[ProviderRow]:
    """Return all, in the order they were added."""
    return [ProviderRow(**row._mapping) for row in tx.execute(select(providers).order_by(providers.c.id))]


def save_secrets(tx: Tx, id: UUID, secrets: bytes) -> bool:
    """Set the sealed secrets. Returns whether there is such a row."""
    return tx.execute(update(providers).where(providers.c.id == id).values(secrets=secrets)).rowcount > 0


def remove_provider(tx: Tx, id: UUID) -> bool:
    """Remove one. Returns whether it was there."""
    tx.execute(delete(provider_nonces).where(provider_nonces.c.provider_id == id))
    return tx.execute(delete(providers).where(providers.c.id == id)).rowcount > 0


def note_taken(tx: Tx, id: UUID, *, taken: int, kept: int, now: datetime) -> None:
    """Count what a delivery brought."""
    tx.execute(
        update(providers)
        .where(providers.c.id == id)
        .values(taken=providers.c.taken + taken, kept=providers.c.kept + kept, last_at=now)
    )


def note_refused(tx: Tx, id: UUID, *, why: str, now: datetime) -> None:
    """Write down why a delivery was turned away."""
    tx.execute(update(providers).where(providers.c.id == id).values(refused_at=now, refusal=storable(why)[:500]))


def use_nonce(tx: Tx, id: UUID, nonce: str, digest: bytes, *, now: datetime, kept_for: timedelta) -> bool:
    """Use up what may be used once, and forget what is older than `kept_for`.

    Returns whether it was new, or came with this same body before: a delivery that is repeated is none that was forged.
    """
    tx.execute(delete(provider_nonces).where(provider_nonces.c.seen_at < now - kept_for))
    row = {"provider_id": id, "nonce": nonce, "digest": digest, "seen_at": now}
    if insert_missing(tx, provider_nonces, [row]):
        return True
    known = select(provider_nonces.c.digest).where(
        provider_nonces.c.provider_id == id, provider_nonces.c.nonce == nonce
    )
    return bytes(tx.execute(known).scalar_one()) == digest
