"""What deliveries write down, many at once: that mails are on the wire, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from resonanz import ingest
from resonanz.model import Event, EventKind
from resonanz.sending.building import Work, built_of, links_of
from resonanz.sending.drafts import OWN
from resonanz.sending.outcomes import Outcome
from resonanz.store import Tx, messages, queue
from resonanz.store.messages import Link
from resonanz.store.queue import Attempt
from resonanz.store.wanted import Action, note

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OnWire:
    """A mail is about to be handed over. Its answer is whether it may be: False when another worker has it by now."""

    work: Work


@dataclass(frozen=True, slots=True)
class Result:
    """An attempt has ended."""

    work: Work
    outcome: Outcome
    started_at: datetime
    finished_at: datetime
    transport: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something learned on the way, to be written down with the rest."""

    write: Callable[[Tx], None]


Record = OnWire | Result | Note


class Recorder:
    """Writes records for one worker."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._linked: UUID | None = None

    def write(self, tx: Tx, records: Sequence[Record], *, again: bool) -> list[bool]:
        """Write all of these and return an answer for each.

        `again` says that an earlier try may have been committed although it failed to say so. Then a result whose row
        is not in the queue any more is written already.
        """
        ids = [record.work.message.id for record in records if not isinstance(record, Note)]
        held = queue.lock(tx, self._worker, ids)
        messages.lock(tx, ids)
        results = [record for record in records if isinstance(record, Result)]
        if again:
            results = [result for result in results if result.work.message.id in held]
        on_wire = [record.work for record in records if isinstance(record, OnWire)]
        may_send = self._mark(tx, [work for work in on_wire if work.message.id in held])
        self._record(tx, results, held)
        for record in records:
            if isinstance(record, Note):
                record.write(tx)
        return [not isinstance(record, OnWire) or record.work.message.id in may_send for record in records]

    def _mark(self, tx: Tx, works: Sequence[Work]) -> frozenset[UUID]:
        """Write down what was built, and that it is on the wire from now on. The rows are locked."""
        marked = frozenset(work.message.id for work in works)
        if not marked:
            return marked
        queue.set_on_wire(tx, marked)
        messages.save_built(tx, [built_of(work) for work in works])
        # The copies of one content have the same links, and follow each other: those of the last are not written again.
        links: dict[UUID, list[Link]] = {}
        for work in works:
            content_id = work.submission.content_id
            if content_id != self._linked and content_id not in links and (found := links_of(work)):
                links[content_id] = found
        _add_links(tx, links)
        return marked

    def committed(self, records: Sequence[Record]) -> None:
        """Learn that what was written is on disk."""
        for record in records:
            if isinstance(record, OnWire):
                content_id = record.work.submission.content_id
                if content_id != self._linked and links_of(record.work):
                    self._linked = content_id

    def _record(self, tx: Tx, results: Sequence[Result], held: Collection[UUID]) -> None:
        """Write down attempts and facts, and settle the queue's rows or give them back for later."""
        ingest.record_all(tx, [event for result in results for event in _events(result)])
        note(tx, Action.RELAYED, [result.work.message.id for result in results if _is_last_news(result)])
        tried = [result for result in results if result.outcome.kind and result.outcome.tried]
        queue.add_attempts(tx, [(result.work.message.id, self._attempt(result)) for result in tried])
        settled = {result.work.message.id for result in results if result.outcome.retry_after is None}
        queue.take_out(tx, settled.intersection(held))
        # Notices, and answers that were passed on, are other people's words: no longer here than until they are gone.
        passing = {result.work.submission.content_id for result in results if result.work.submission.source in OWN}
        messages.forget_contents(tx, passing)
        for result in results:
            if result.outcome.retry_after is not None:
                claim, due_at = result.work.claim, result.finished_at + result.outcome.retry_after
                made = claim.attempts + result.outcome.tried
                queue.release(tx, self._worker, claim.message_id, due_at, attempts_made=made)

    def _attempt(self, result: Result) -> Attempt:
        assert result.outcome.kind is not None
        return Attempt(
            number=result.work.claim.attempts + 1,
            started_at=result.started_at,
            finished_at=result.finished_at,
            transport=result.transport,
            outcome=result.outcome.kind,
            reply=result.outcome.reply,
        )


def _add_links(tx: Tx, of_contents: Mapping[UUID, Sequence[Link]]) -> None:
    """Keep how links are named in reports. What the database refuses is left out: the mail goes all the same."""
    if not of_contents:
        return
    try:
        with tx.begin_nested():
            messages.add_links(tx, of_contents)
    except (DataError, IntegrityError, ValueError) as error:
        if len(of_contents) > 1:  # one of them is at fault: each by itself
            for content_id, found in sorted(of_contents.items()):
                _add_links(tx, {content_id: found})
            return
        log.warning("the links of a mail could not be kept", content=str(*of_contents), error=type(error).__name__)


def _is_last_news(result: Result) -> bool:
    """Whether whoever took the mail will not say what becomes of it."""
    outcome = result.outcome
    return outcome.kind is EventKind.SENT and not outcome.delivered and not outcome.reports


def _events(result: Result) -> list[Event]:
    return result.outcome.events(result.work.message, result.finished_at)
