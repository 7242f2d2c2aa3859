"""Judging the past anew: what today's rules, windows and networks say of every hit whose evidence is still there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from resonanz.ingest.corrections import Correction
from resonanz.ingest.judging import Judging, complete_since
from resonanz.ingest.settle import judge_messages
from resonanz.model import to_microseconds
from resonanz.store import Database
from resonanz.store import evidence as store

_MESSAGES_AT_A_TIME = 200
_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

Move = tuple[str, str]  # the verdict before, and the one now


@dataclass(slots=True)
class Summary:
    """What a round of judging anew went through: hits looked at, how verdicts moved, and what could not be judged.

    `reworded` are events whose verdict stayed while its confidence or reasons changed; `forgotten` are judged events
    since then whose evidence is gone: they keep the verdict they have.
    """

    looked_at: int = 0
    reworded: int = 0
    forgotten: int = 0
    moved: Counter[Move] = field(default_factory=Counter)

    def add(self, corrections: list[Correction]) -> None:
        """Count corrections that were written."""
        for fix in corrections:
            before, after = fix.event.verdict, fix.judgement.verdict
            if before is after:
                self.reworded += 1
            else:
                self.moved[before.value if before is not None else "", after.value] += 1


def rejudge(database: Database, judging: Judging, now: datetime, *, since: datetime | None = None) -> Summary:
    """Judge every hit anew that came in since a moment (without it: all) and whose evidence is kept.

    The same rules on the same evidence change nothing a second time. Safe while hits come in; each portion of messages
    is one transaction. Raises TemporaryFailure; run it again.
    """
    summary = Summary()
    since_us = to_microseconds(since or _BEGINNING)
    complete_us = max(since_us, complete_since(judging, to_microseconds(now)))
    last: UUID | None = None
    while True:
        with database.read() as tx:
            ids = store.next_messages(tx, last, since_us=complete_us, limit=_MESSAGES_AT_A_TIME)
        if not ids:
            break
        with database.write() as tx:
            summary.add(judge_messages(tx, ids, judging, now, since_us=complete_us).corrections)
        last = ids[-1]
    with database.read() as tx:
        summary.looked_at, summary.forgotten = store.count_judged(tx, since_us, complete_us)
    return summary
