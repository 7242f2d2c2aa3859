"""Which addresses and domains an account may send from beside its own, as rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from resonanz.store.engine import Tx
from resonanz.store.rows import insert_missing, upsert
from resonanz.store.tables import sender_claims, senders


@dataclass(frozen=True, slots=True)
class Sender:
    """`pattern` is a normalised address, or `@` and a domain for every address at it."""

    account_id: UUID
    pattern: str
    created_at: datetime
    created_by: str


def add_sender(tx: Tx, sender: Sender) -> bool:
    """Allow a sender. Returns whether it was new."""
    row = {
        "account_id": sender.account_id,
        "pattern": sender.pattern,
        "created_at": sender.created_at,
        "created_by": sender.created_by,
    }
    return bool(insert_missing(tx, senders, [row]))


def remove_sender(tx: Tx, account_id: UUID, pattern: str) -> bool:
    """Allow a sender no longer. Returns whether it was allowed."""
    one = (senders.c.account_id == account_id) & (senders.c.pattern == pattern)
    return tx.execute(delete(senders).where(one)).rowcount > 0


def list_senders(tx: Tx, account_id: UUID | None = None) -> list[Sender]:
    """Return what one account may send from, or every one, in alphabetical order."""
    query = select(senders).order_by(senders.c.pattern, senders.c.account_id)
    if account_id is not None:
        query = query.where(senders.c.account_id == account_id)
    return [Sender(*row) for row in tx.execute(query)]


@dataclass(frozen=True, slots=True)
class Claim:
    """An address that an account says is its own. `secret_hash` is of what the link in the mail to there carries;
    `ended` says that it was `withdrawn` or `refused`, and is empty while it is open."""

    account_id: UUID
    address: str
    secret_hash: bytes
    created_at: datetime
    expires_at: datetime
    ended: str = ""


KEPT = timedelta(days=30)  # a claim whose time is over, or that was ended


def save_claim(tx: Tx, claim: Claim) -> None:
    """Keep a claim in place of an earlier one of the same address, and forget what is long over."""
    tx.execute(delete(sender_claims).where(sender_claims.c.expires_at < claim.created_at - KEPT))
    values = {name: getattr(claim, name) for name in ("secret_hash", "created_at", "expires_at", "ended")}
    upsert(tx, sender_claims, {"account_id": claim.account_id, "address": claim.address}, values)


def find_claim(tx: Tx, secret_hash: bytes) -> Claim | None:
    """Return the claim that this secret belongs to, whether it is open or not."""
    row = tx.execute(select(sender_claims).where(sender_claims.c.secret_hash == secret_hash)).one_or_none()
    return None if row is None else _claim(row)


def list_claims(tx: Tx, account_id: UUID | None = None) -> list[Claim]:
    """Return the claims of one account or of every one, also those that are over, in alphabetical order."""
    query = select(sender_claims).order_by(sender_claims.c.address, sender_claims.c.account_id)
    if account_id is not None:
        query = query.where(sender_claims.c.account_id == account_id)
    return [_claim(row) for row in tx.execute(query)]


def open_claims(tx: Tx, now: datetime, account_id: UUID | None = None) -> list[Claim]:
    """Return those that may still be confirmed."""
    return [claim for claim in list_claims(tx, account_id) if not claim.ended and now <= claim.expires_at]


def end_claim(tx: Tx, account_id: UUID, address: str, ended: str) -> bool:
    """Let an open claim be over. Returns whether it was open: a secret is used up by whoever gets True."""
    one = (sender_claims.c.account_id == account_id) & (sender_claims.c.address == address)
    return tx.execute(update(sender_claims).where(one, sender_claims.c.ended == "").values(ended=ended)).rowcount > 0


def remove_claim(tx: Tx, account_id: UUID, address: str) -> bool:
    """Forget a claim. Returns whether it was there."""
    one = (sender_claims.c.account_id == account_id) & (sender_claims.c.address == address)
    return tx.execute(delete(sender_claims).where(one)).rowcount > 0


def _claim(row: Any) -> Claim:
    return Claim(row.account_id, row.address, bytes(row.secret_hash), row.created_at, row.expires_at, row.ended)


def allowed_among(tx: Tx, account_id: UUID, patterns: Collection[str]) -> frozenset[str]:
    """Return those of these patterns that the account is allowed."""
    mine = (senders.c.account_id == account_id) & senders.c.pattern.in_(patterns)
    return frozenset(tx.execute(select(senders.c.pattern).where(mine)).scalars())


def accounts_allowed(tx: Tx, pattern: str) -> list[UUID]:
    """Return the accounts that are allowed this pattern."""
    return list(tx.execute(select(senders.c.account_id).where(senders.c.pattern == pattern)).scalars())
