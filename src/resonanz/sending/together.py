"""Storing what several clients hand in at the same moment in one transaction: one wait for the disk for all of them.

Whoever comes while a transaction is under way waits for the next one; nobody waits for others to come.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from resonanz.model import ResonanzError
from resonanz.sending.checking import check
from resonanz.sending.drafts import Draft, HandedIn, Limits, Receipt
from resonanz.sending.submit import store, submit
from resonanz.store import Database

MOST = 50  # in one transaction, which holds every other writer up


@dataclass(slots=True, eq=False)
class _Waiting:
    mail: HandedIn
    turn: threading.Event = field(default_factory=threading.Event)  # settled, or to lead the next transaction
    receipt: Receipt | None = None
    is_settled: bool = False


class Together:
    """`submit` for many threads; what it raises and what its return means are the same."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._is_led = False

    def submit(self, draft: Draft, now: datetime) -> Receipt:
        """Check and store a draft, as `sending.submit.submit`."""
        mine = _Waiting(HandedIn(draft, check(draft, self._limits, now), now))
        with self._lock:
            self._waiting.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.turn.wait()
        if not mine.is_settled:
            self._lead()
        # What could not be stored with the others is tried alone: there it fails by itself, or not at all.
        return mine.receipt or submit(self._database, draft, limits=self._limits, now=now)

    def _lead(self) -> None:
        """Store what waits, the leader's own first among it, and hand the lead on to whoever has come since."""
        with self._lock:
            taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            self._store(taken)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._is_led = following is not None
            for one in taken:
                one.is_settled = True
                one.turn.set()
            if following:
                following.turn.set()

    def _store(self, taken: Sequence[_Waiting]) -> None:
        try:
            with self._database.write() as tx:
                receipts = store(tx, [one.mail for one in taken])
        except (ResonanzError, IntegrityError):
            return
        for one, receipt in zip(taken, receipts, strict=True):
            one.receipt = receipt
