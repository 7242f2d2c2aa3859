"""Keeping the edge's snapshot true: written anew soon after something changed, and at intervals in any case."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import structlog
from prometheus_client import Gauge

from resonanz import model
from resonanz.accounts.instance import own_sites
from resonanz.model import ResonanzError, TemporaryFailure, to_microseconds
from resonanz.people.silence import silent_ids
from resonanz.snapshot import MAX_IDS, IdSet, Snapshot, save_snapshot
from resonanz.store import Database, Tx, blocks, domains
from resonanz.store.silence import blocked_messages, last_choice

LOOK_SECONDS = 1.0
LEAST_OFTEN_SECONDS = 60.0
# Making it takes a part of this of the time, however many withdrawals there are; but no block waits longer than this.
LARGEST_SHARE = 0.05
LONGEST_PAUSE_SECONDS = 10.0

MADE = Gauge("resonanz_snapshot_written_timestamp_seconds", "When the edge's snapshot was last written")
LEFT_OUT = Gauge("resonanz_snapshot_left_out_ids", "Ids that did not fit into the edge's snapshot")

log = structlog.get_logger(__name__)


def make_snapshot(
    database: Database, now: datetime, limit: int = MAX_IDS, *, sites: Callable[[Tx], frozenset[str]] = own_sites
) -> Snapshot:
    """Return what edges have to know right now. Blocked mails come first: there a missing id would let people through.

    Raises TemporaryFailure when the database cannot be used.
    """
    with database.read() as tx:
        blocked_ids = [block.submission_id.bytes for block in blocks.in_force(tx)]
        blocked_ids += [id for portion in blocked_messages(tx) for id in portion]
        blocked = IdSet.of(blocked_ids[:limit])
        silent, silent_opens, silent_clicks, left_out = silent_ids(tx, limit - len(blocked))
        own = sites(tx)
        names = frozenset(one.name for one in domains.list_domains(tx) if one.confirmed_at is not None)
    return Snapshot(
        made_us=to_microseconds(now),
        blocked=blocked,
        silent=silent,
        silent_opens=silent_opens,
        silent_clicks=silent_clicks,
        domains=names,
        sites=own,
        left_out=left_out + len(blocked_ids) - len(blocked),
    )


class Publisher:
    """Writes the snapshot to `path` whenever what it is made of may have changed."""

    def __init__(
        self,
        database: Database,
        path: Path,
        *,
        now: Callable[[], datetime] = model.now,
        sites: Callable[[Tx], frozenset[str]] = own_sites,
    ) -> None:
        self._database = database
        self._path = path
        self._now = now
        self._sites = sites
        self._known: object = None
        self._due = 0.0
        self._not_before = 0.0

    def look(self) -> bool:
        """Write the snapshot if it is time to; return whether it was. Raises TemporaryFailure and OSError."""
        with self._database.read() as tx:
            state = _state(tx), self._sites(tx)
        started = time.monotonic()
        if started < self._not_before or (state == self._known and started < self._due):
            return False
        snapshot = make_snapshot(self._database, self._now(), sites=self._sites)
        save_snapshot(self._path, snapshot)
        took = time.monotonic() - started
        self._known = state
        self._due = started + LEAST_OFTEN_SECONDS
        self._not_before = started + min(took / LARGEST_SHARE, LONGEST_PAUSE_SECONDS)
        MADE.set(snapshot.made_us / 1e6)
        LEFT_OUT.set(snapshot.left_out)
        return True

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep it true until `stopping` is set. What goes wrong is logged; edges go on with what they have."""
        loop = asyncio.get_running_loop()
        failing = False
        with ThreadPoolExecutor(1, "snapshot") as thread:
            while not stopping.is_set():
                try:
                    await loop.run_in_executor(thread, self.look)
                    failing = False
                except (TemporaryFailure, OSError) as failure:
                    if not failing:
                        log.error(
                            "the snapshot for the edge cannot be written", path=str(self._path), error=_told(failure)
                        )
                    failing = True
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)


def _state(tx: Tx) -> object:
    """What changes whenever the snapshot has to: cheap enough to be asked every second."""
    confirmed = tuple(one.name for one in domains.list_domains(tx) if one.confirmed_at is not None)
    return last_choice(tx), blocks.last_id(tx), confirmed


def _told(failure: Exception) -> str:
    return failure.what if isinstance(failure, ResonanzError) else str(failure)
