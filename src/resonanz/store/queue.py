"""The sending queue as rows: who is due, who is claimed, what is on the wire."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, exists, func, or_, select, update

from resonanz.model import EventKind, to_microseconds
from resonanz.store.bulk import Ids, delete_by_ids, insert_many, plain, select_by_ids, update_by_ids
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.tables import attempts, messages, queue
from resonanz.store.text import storable


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that one worker holds until its lease ends. `attempts` were made before this one; `waited_for` is what
    it was put off for last."""

    message_id: UUID
    attempts: int
    on_wire: bool
    waited_for: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to carry a message out, and what the other side said."""

    number: int
    started_at: datetime
    finished_at: datetime
    transport: str
    outcome: EventKind
    reply: str


def enqueue_each(tx: Tx, due: Mapping[UUID, datetime]) -> None:
    """Put messages into the queue, each with its own time."""
    as_plain = plain(tx)
    rows = [(as_plain.id(message_id), to_microseconds(due_at)) for message_id, due_at in due.items()]
    insert_many(tx, queue, rows, columns=("message_id", "due_at"))


def claim(tx: Tx, worker: str, now: datetime, until: datetime, limit: int) -> list[Claim]:
    """Take up to `limit` due messages for this worker until its lease ends.

    The race: two workers may select the same rows. The guarded update lets only one of them change each row, and the
    rows it names afterwards are those that carry its own name and lease; on PostgreSQL the loser skips locked rows.
    """
    free = or_(queue.c.claimed_until.is_(None), queue.c.claimed_until < now)
    due = (
        select(queue.c.message_id)
        .where(queue.c.due_at <= now, free)
        .order_by(queue.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(tx.execute(due).scalars())
    if not ids:
        return []
    rows = tx.execute(
        update(queue)
        .where(queue.c.message_id.in_(ids), free)
        .values(claimed_by=worker, claimed_until=until)
        .returning(queue.c.message_id, queue.c.attempts, queue.c.on_wire, queue.c.waits_for)
    )
    return [Claim(row.message_id, row.attempts, row.on_wire, row.waits_for) for row in rows]


def lock(tx: Tx, worker: str, message_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return which of these messages this worker holds, and keep their rows until the transaction ends.

    Whoever writes several rows of the queue begins with this: rows are locked in the order of their ids, so that two
    transactions of one worker (a lease to be extended, a result to be written) cannot wait for each other.
    """
    known = Ids.known(tx, message_ids)
    columns = ("message_id", "claimed_by")
    rows = select_by_ids(tx, queue, columns, message_ids, by="message_id", order="message_id", lock="UPDATE")
    return frozenset(known[message_id] for message_id, claimed_by in rows if claimed_by == worker)


def set_on_wire(tx: Tx, locked: Collection[UUID]) -> None:
    """Note that messages, whose rows this transaction has locked, are about to be handed over."""
    update_by_ids(tx, queue, "on_wire = TRUE", locked, by="message_id")


def extend(tx: Tx, worker: str, message_ids: Collection[UUID], until: datetime) -> None:
    """Move the end of this worker's leases on these messages; what another has taken meanwhile stays with them."""
    for portion in in_portions(lock(tx, worker, message_ids)):
        tx.execute(update(queue).where(queue.c.message_id.in_(portion)).values(claimed_until=until))


def unclaim(tx: Tx, worker: str, message_ids: Collection[UUID]) -> None:
    """Give back what this worker has not begun: the next one takes it at once."""
    for portion in in_portions(message_ids):
        held = and_(queue.c.message_id.in_(portion), queue.c.claimed_by == worker, queue.c.on_wire.is_(False))
        tx.execute(update(queue).where(held).values(claimed_by=None, claimed_until=None))


def has_due(tx: Tx, now: datetime) -> bool:
    """Whether there is anything to claim; reading it costs no lock."""
    free = or_(queue.c.claimed_until.is_(None), queue.c.claimed_until < now)
    return tx.execute(select(queue.c.message_id).where(queue.c.due_at <= now, free).limit(1)).first() is not None


def release(tx: Tx, worker: str, message_id: UUID, due_at: datetime, *, attempts_made: int) -> None:
    """Give a message back, to be tried again at `due_at`. Does nothing when another worker holds it by now."""
    tx.execute(
        update(queue)
        .where(queue.c.message_id == message_id, queue.c.claimed_by == worker)
        .values(due_at=due_at, attempts=attempts_made, claimed_by=None, claimed_until=None, on_wire=False, waits_for="")
    )


@dataclass(frozen=True, slots=True)
class PutOff:
    """A message that has to wait although nothing was tried: until when, and for what."""

    message_id: UUID
    due_at: datetime
    waits_for: str


def put_off(tx: Tx, worker: str, waiting: Sequence[PutOff]) -> None:
    """Give messages back without an attempt; what another worker holds by now is left alone."""
    for one in sorted(waiting, key=lambda one: one.message_id):
        held = and_(queue.c.message_id == one.message_id, queue.c.claimed_by == worker, queue.c.on_wire.is_(False))
        tx.execute(
            update(queue)
            .where(held)
            .values(due_at=one.due_at, waits_for=one.waits_for, claimed_by=None, claimed_until=None)
        )


def hasten_waiting(tx: Tx, waits_for: str, now: datetime) -> None:
    """Make due at once what was put off for this: it may have ended."""
    _hasten(tx, queue.c.waits_for == waits_for, now)


def hasten_transports(tx: Tx, now: datetime) -> None:
    """Make due at once what waits for any transport: another than before may carry it."""
    _hasten(tx, queue.c.waits_for.like("transport %"), now)


def _hasten(tx: Tx, what: ColumnElement[bool], now: datetime) -> None:
    waiting = and_(what, queue.c.claimed_by.is_(None), queue.c.due_at > now)
    tx.execute(update(queue).where(waiting).values(due_at=now, waits_for=""))


@dataclass(frozen=True, slots=True)
class Standing:
    """How the queue stands: how many are due, being carried out, to be tried again later or at their time, and how many
    were put off by what they wait for."""

    due: int
    claimed: int
    later: int
    waiting: dict[str, int]

    @property
    def messages(self) -> int:
        """All of them."""
        return self.due + self.claimed + self.later + sum(self.waiting.values())


def standing(tx: Tx, now: datetime) -> Standing:
    """Count the queue."""
    claimed = and_(queue.c.claimed_until.is_not(None), queue.c.claimed_until >= now)
    kind = case((claimed, 1), (queue.c.due_at <= now, 0), else_=2)
    rows = tx.execute(
        select(kind.label("kind"), queue.c.waits_for, func.count().label("number"))
        .select_from(queue)
        .group_by(kind, queue.c.waits_for)
    )
    numbers: list[int] = [0, 0, 0]
    waiting: dict[str, int] = {}
    for row in rows:
        if row.kind == 2 and row.waits_for:
            waiting[row.waits_for] = row.number
        else:
            numbers[row.kind] += row.number
    due, under_way, later = numbers
    return Standing(due, under_way, later, dict(sorted(waiting.items())))


def hasten(tx: Tx, submission_id: UUID, now: datetime) -> None:
    """Make what waits of one submission due at once."""
    of_submission = select(messages.c.id).where(messages.c.submission_id == submission_id)
    tx.execute(
        update(queue).where(queue.c.message_id.in_(of_submission), queue.c.claimed_by.is_(None)).values(due_at=now)
    )


# ── All that waits of one submission ────────────────────────────────────────────────────────────────────────────────

NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def hold(tx: Tx, submission_id: UUID, waits_for: str) -> None:
    """Let what waits of a submission wait until it is made due; what a worker has claimed is left alone."""
    mine = and_(_of(submission_id), queue.c.claimed_by.is_(None))
    tx.execute(update(queue).where(mine).values(due_at=NEVER, waits_for=waits_for))


def waiting_of(tx: Tx, submission_id: UUID) -> list[UUID]:
    """Return the messages of a submission that no worker has, in the order they were made."""
    mine = and_(_of(submission_id), queue.c.claimed_by.is_(None))
    return list(tx.execute(select(queue.c.message_id).where(mine).order_by(queue.c.message_id)).scalars())


def make_due(tx: Tx, due: Mapping[UUID, datetime]) -> None:
    """Let messages that no worker has go out from these times on."""
    if due:
        tx.execute(
            update(queue)
            .where(queue.c.message_id == bindparam("of_id"), queue.c.claimed_by.is_(None))
            .values(due_at=bindparam("at"), waits_for=""),
            [{"of_id": message_id, "at": moment} for message_id, moment in sorted(due.items())],
        )


def count_waiting(tx: Tx, submission_id: UUID) -> int:
    """Return how many messages of a submission wait for their first attempt, or are at it."""
    mine = and_(_of(submission_id), queue.c.attempts == 0)
    return tx.execute(select(func.count()).select_from(queue).where(mine)).scalar_one()


def take_unclaimed(tx: Tx, submission_id: UUID, limit: int) -> list[UUID]:
    """Take messages of a submission that no worker has out of the queue, at most `limit`, and return them."""
    mine = and_(_of(submission_id), queue.c.claimed_by.is_(None))
    some = select(queue.c.message_id).where(mine).order_by(queue.c.message_id).limit(limit)
    ids = list(tx.execute(some.with_for_update()).scalars())
    if ids:
        tx.execute(delete(queue).where(queue.c.message_id.in_(ids)))
    return ids


def _of(submission_id: UUID) -> ColumnElement[bool]:
    """That a row's message is of this submission. The queue is short: each row asks for its message."""
    mine = exists().where(messages.c.id == queue.c.message_id, messages.c.submission_id == submission_id)
    return mine.correlate(queue)


def take_out(tx: Tx, locked: Collection[UUID]) -> None:
    """Take messages out of the queue whose rows this transaction has locked."""
    delete_by_ids(tx, queue, locked, by="message_id")


def depth(tx: Tx) -> int:
    """Return how many messages are in the queue."""
    return tx.execute(select(func.count()).select_from(queue)).scalar_one()


def add_attempts(tx: Tx, made: Sequence[tuple[UUID, Attempt]]) -> None:
    """Write down one try for each of these messages."""
    as_plain = plain(tx)
    insert_many(
        tx,
        attempts,
        [
            (
                as_plain.id(message_id),
                attempt.number,
                to_microseconds(attempt.started_at),
                to_microseconds(attempt.finished_at),
                attempt.transport,
                attempt.outcome.value,
                storable(attempt.reply),
            )
            for message_id, attempt in made
        ],
        columns=("message_id", "number", "started_at", "finished_at", "transport", "outcome", "reply"),
    )


def list_attempts(tx: Tx, message_id: UUID) -> list[Attempt]:
    """Return every try for a message, oldest first."""
    rows = tx.execute(select(attempts).where(attempts.c.message_id == message_id).order_by(attempts.c.id))
    return [Attempt(row.number, row.started_at, row.finished_at, row.transport, row.outcome, row.reply) for row in rows]
