"""What senders of relayed mail are to be told of its fate: a row per message for as long as there may be news."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, exists, select, update

from resonanz.model import to_microseconds
from resonanz.store.bulk import WORDS, insert_many, plain, update_by_ids
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.tables import queue, wanted_reports


class Action(StrEnum):
    """What a report tells of a recipient, as RFC 3464 section 2.3.3 has it."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"  # handed on to somebody who promised no report


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the sender of a message wants to be told of. `envelope_id` and `original_recipient` are ENVID and ORCPT as
    the client wrote them (RFC 3461), both empty where it did not."""

    message_id: UUID
    created_at: datetime
    on_failure: bool = True
    on_delay: bool = True
    on_success: bool = False
    whole: bool = False
    envelope_id: str = ""
    original_recipient: str = ""
    due: Action | None = None


def add_wanted(tx: Tx, rows: Collection[Wanted]) -> None:
    """Keep what senders want to be told."""
    as_plain = plain(tx)
    insert_many(
        tx,
        wanted_reports,
        [
            (
                as_plain.id(row.message_id),
                row.on_failure,
                row.on_delay,
                row.on_success,
                row.whole,
                row.envelope_id,
                row.original_recipient,
                to_microseconds(row.created_at),
                WORDS[row.due],
            )
            for row in rows
        ],
    )


def find_wanted(tx: Tx, message_ids: Collection[UUID]) -> dict[UUID, Wanted]:
    """Return what there is for these messages."""
    return {
        row.message_id: _wanted(row._asdict())
        for portion in in_portions(message_ids)
        for row in tx.execute(select(wanted_reports).where(wanted_reports.c.message_id.in_(portion)))
    }


def note(tx: Tx, action: Action, message_ids: Collection[UUID]) -> None:
    """Note that there is something to tell, where it is wanted; of two things the failure is told."""
    asked = "on_failure" if action is Action.FAILED else "on_success AND due IS NULL"
    update_by_ids(tx, wanted_reports, f"due = '{action.value}'", message_ids, by="message_id", where=asked)


def note_delayed(tx: Tx, since: datetime) -> None:
    """Note a delay for each message that still waits in the queue and was handed in before `since`; once for each."""
    waits = exists().where(queue.c.message_id == wanted_reports.c.message_id)
    late = and_(wanted_reports.c.created_at <= since, wanted_reports.c.on_delay, wanted_reports.c.due.is_(None))
    tx.execute(update(wanted_reports).where(late, waits).values(due=Action.DELAYED, on_delay=False))


def has_due(tx: Tx) -> bool:
    """Whether there is anything to tell; reading it costs no lock."""
    return tx.execute(select(wanted_reports.c.message_id).where(_IS_DUE).limit(1)).first() is not None


def take_due(tx: Tx, limit: int) -> list[Wanted]:
    """Return what is to be told, locked until the transaction ends, in which it is to be told and `told`."""
    query = select(wanted_reports).where(_IS_DUE).order_by(wanted_reports.c.message_id).limit(limit)
    return [_wanted(row._asdict()) for row in tx.execute(query.with_for_update(skip_locked=True))]


def told(tx: Tx, wanted: Iterable[Wanted]) -> None:
    """Note that these were told. After a failure there is nothing more; after anything else there may be one."""
    ids: dict[Action, list[UUID]] = {}
    for one in wanted:
        if one.due is not None:
            ids.setdefault(one.due, []).append(one.message_id)
    for action, those in ids.items():
        mine = wanted_reports.c.message_id.in_(those)
        if action is Action.FAILED:
            tx.execute(delete(wanted_reports).where(mine))
        elif action is Action.DELAYED:
            tx.execute(update(wanted_reports).where(mine).values(due=None))
        else:
            tx.execute(update(wanted_reports).where(mine).values(due=None, on_success=False, on_delay=False))


def forget_wanted(tx: Tx, message_ids: Collection[UUID]) -> None:
    """Tell nobody about these messages any more."""
    for portion in in_portions(message_ids):
        tx.execute(delete(wanted_reports).where(wanted_reports.c.message_id.in_(portion)))


def forget_old(tx: Tx, before: datetime) -> None:
    """Forget what was handed in before this moment: nothing comes back so late."""
    tx.execute(delete(wanted_reports).where(wanted_reports.c.created_at < before, wanted_reports.c.due.is_(None)))


_IS_DUE = wanted_reports.c.due.is_not(None)


def _wanted(row: Mapping[str, Any]) -> Wanted:
    values = dict(row)
    due = values.pop("due")
    return Wanted(**values, due=Action(due) if due else None)
