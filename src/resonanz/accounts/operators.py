"""Who runs this instance: the first account, made through the set-up link that only its operator can have seen."""

from __future__ import annotations

from uuid import UUID

from resonanz.model import Forbidden
from resonanz.store import Tx
from resonanz.store import accounts as rows


def is_operator(tx: Tx, account_id: UUID) -> bool:
    """Whether this account may see and change what concerns the whole instance."""
    first = rows.first_account(tx)
    return first is not None and first.id == account_id


def check_operator(tx: Tx, account_id: UUID) -> None:
    """Raise Forbidden unless this account runs the instance."""
    if not is_operator(tx, account_id):
        raise Forbidden("only the account that runs this instance may do that", remedy="ask whoever set it up")
