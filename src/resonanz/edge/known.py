"""What the edge knows beside its keys: the snapshot a worker writes, read again when its file has changed.

Nothing here is waited for by a request, and nothing here can fail one: without a snapshot nothing is silent and nothing
is blocked, and ingest checks every hit again.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from urllib.parse import parse_qs

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric

from resonanz.model import HitKind
from resonanz.snapshot import IdSet, NotSnapshot, Snapshot, load_snapshot

LOOK_SECONDS = 1.0
ASK_PATH = "/domain"
OLD_SECONDS = 900.0  # a worker writes one every minute

_log = structlog.get_logger("resonanz.edge")


class Known:
    """The last good snapshot, and what may be asked of it. `path` None: there is never one."""

    def __init__(self, path: Path | None) -> None:
        self.snapshot = Snapshot()
        self.trouble = ""  # why the file that is there now could not be taken up; empty when it was
        self._path = path
        self._state: tuple[int, int, int] | None = None
        self._silent: dict[HitKind, tuple[IdSet, ...]] = {}
        self.look()

    def is_blocked(self, id: bytes) -> bool:
        """Whether an operator has blocked the links of this message or submission (16 bytes)."""
        return id in self.snapshot.blocked

    def is_silent(self, kind: HitKind, id: bytes) -> bool:
        """Whether such a hit on this message (16 bytes) must not be recorded with its recipient's name. Never true of
        what a person does on one of our pages."""
        sets = self._silent.get(kind)
        return sets is not None and any(id in ids for ids in sets)  # asked for every hit: no generator for nothing

    def ask(self, query: bytes) -> tuple[int, bytes]:
        """Answer a TLS proxy that asks, before it gets a certificate, whether `domain=…` is one of ours: 200 or 404.

        From memory, and on the operators' listener only: the world can neither ask nor make it work.
        """
        host = parse_qs(query.decode("latin-1")).get("domain", [""])[0].lower().rstrip(".")
        return (200, b"ours\n") if host in self.snapshot.domains else (404, b"not ours\n")

    def age(self) -> float | None:
        """Return how old the snapshot is in seconds, None when there is none."""
        return time.time() - self.snapshot.made_us / 1e6 if self.snapshot.made_us else None

    def note(self) -> str:
        """Return what is to be said of the snapshot, empty when it is as it should be."""
        age = self.age()
        if self.trouble:
            return f"the snapshot cannot be taken up: {self.trouble}"
        if age is None:
            return "there is no snapshot yet"
        return f"the snapshot is {age:.0f} s old; is `resonanz worker` running?" if age > OLD_SECONDS else ""

    def look(self) -> None:
        """Take the file up if it has changed. Whatever is wrong with it, the last good one stays."""
        state = self._state_now()
        if self._path is None or state == self._state:
            return
        self._state = state
        if state is None:
            self._refuse("the file is gone" if self.snapshot.made_us else "")
            return
        try:
            snapshot = load_snapshot(self._path)
        except (NotSnapshot, OSError) as error:
            self._refuse(str(error))
            return
        self.snapshot = snapshot
        opens = tuple(ids for ids in (snapshot.silent, snapshot.silent_opens) if len(ids))
        clicks = tuple(ids for ids in (snapshot.silent, snapshot.silent_clicks) if len(ids))
        followed = (HitKind.CLICK, HitKind.FILE, HitKind.BEACON)
        self._silent = {HitKind.OPEN: opens, HitKind.VIEW: opens, **dict.fromkeys(followed, clicks)}
        if self.trouble:
            _log.warning("edge.snapshot_taken_up", path=str(self._path))
        self.trouble = ""

    async def follow(self) -> None:
        """Look again and again, away from the requests."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.look)

    def families(self) -> list[Metric]:
        """Return the metric families."""
        made = self.snapshot.made_us / 1e6
        ids = GaugeMetricFamily("resonanz_edge_snapshot_ids", "Ids in the snapshot in use.", labels=("section",))
        for name in ("blocked", "silent", "silent_opens", "silent_clicks"):
            ids.add_metric((name,), len(getattr(self.snapshot, name)))
        return [
            GaugeMetricFamily(
                "resonanz_edge_snapshot_timestamp_seconds", "When the snapshot in use was made; 0 for none.", made
            ),
            GaugeMetricFamily(
                "resonanz_edge_snapshot_usable", "Whether the file there is now was taken up.", int(not self.trouble)
            ),
            ids,
        ]

    def _refuse(self, trouble: str) -> None:
        self.trouble = trouble
        if trouble:
            _log.error(
                "edge.snapshot_not_usable",
                path=str(self._path),
                error=trouble,
                remedy="the last good one stays in use; see whether a worker is running",
            )

    def _state_now(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None
