"""What the worker does with hits, round after round: take them over, settle what is due, forget what is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from resonanz.accounts.instance import own_sites
from resonanz.ingest.journals import Reader, Sites, take_journals
from resonanz.ingest.judging import Judging
from resonanz.ingest.settle import forget, settle
from resonanz.model import InvalidInput
from resonanz.store import Database

SETTLE_EVERY = timedelta(seconds=1)
FORGET_EVERY = timedelta(seconds=30)
LOOK_EVERY = timedelta(seconds=10)

_log = structlog.get_logger("resonanz.ingest")

# So much is settled or forgotten before hits are taken over again: a backlog of one must not hold up the other.
_SETTLED_AT_A_TIME = 3
_FORGOTTEN_AT_A_TIME = 10


class Refreshable(Protocol):
    """What was read from files that may change meanwhile. `refresh` raises InvalidInput and keeps the old."""

    def refresh(self) -> bool: ...


class Rounds:
    """One worker's rounds. `files` is what stands behind `judging` and was read from files: networks, places."""

    def __init__(
        self,
        database: Database,
        reader: Reader,
        *,
        now: Callable[[], datetime],
        sites: Sites = own_sites,
        judging: Judging | None = None,
        files: Sequence[Refreshable] = (),
    ) -> None:
        self._database = database
        self._reader = reader
        self._now = now
        self._sites = sites
        self._judging = judging or Judging()
        self._files = files
        self._told = ""
        self._next: dict[str, datetime] = {}

    def run(self) -> int:
        """Do one round and return how many hits were taken over or settled; 0 when there was nothing to do.

        Raises TemporaryFailure when the database cannot be used: nothing is lost, call again.
        """
        if self._is_time("look", LOOK_EVERY):
            self._look_at_files()
        done = take_journals(self._database, self._reader, now=self._now, sites=self._sites, judging=self._judging)
        if self._is_time("settle", SETTLE_EVERY):
            done += self._settle()
        if self._is_time("forget", FORGET_EVERY):
            self._forget()
        return done

    def _look_at_files(self) -> None:
        """Take up files that changed. One that was spoilt meanwhile changes nothing, and is told of once."""
        wrong = ""
        for file in self._files:
            try:
                file.refresh()
            except InvalidInput as error:
                wrong = str(error)
        if wrong and wrong != self._told:
            _log.error("ingest.file_unusable", error=wrong)
        self._told = wrong

    def _settle(self) -> int:
        settled = 0
        for _ in range(_SETTLED_AT_A_TIME):
            portion = settle(self._database, self._judging, now=self._now)
            if not portion:
                return settled
            settled += portion
        del self._next["settle"]  # there is more: go on in the next round
        return settled

    def _forget(self) -> None:
        for _ in range(_FORGOTTEN_AT_A_TIME):
            if not forget(self._database, self._judging, now=self._now):
                return
        del self._next["forget"]  # there is more: go on in the next round

    def _is_time(self, what: str, every: timedelta) -> bool:
        now = self._now()
        if now < self._next.get(what, now):
            return False
        self._next[what] = now + every
        return True
