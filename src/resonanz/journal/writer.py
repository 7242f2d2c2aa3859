"""What the journal's thread does with its file: commit groups, set damage aside, keep to the limit, report."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import structlog

from resonanz.journal.codec import Row, encode
from resonanz.journal.file import (
    Connection,
    DamagedFile,
    DatabaseError,
    is_damage,
    is_passing,
    lock_free_slot,
    open_for_writing,
    set_aside,
)
from resonanz.journal.pending import JournalUnavailable, Pending
from resonanz.model import now

_LOG_SECONDS = 60.0
_MOVED_SECONDS = 1.0
_ROUNDS = 4  # of giving pixels up behind one group
_WEIGH_BYTES = 1_000_000  # written between two looks at the file's size, or a 64th of the limit

_APPEND = "INSERT INTO append VALUES (?, ?, ?, ?, ?, ?)"

_log = structlog.get_logger("resonanz.journal")


class AppendObserver(Protocol):
    """Who wants to count what the journal does. Called in the writer thread, once per group."""

    def appended(self, hits: int, seconds: float) -> None:
        """`hits` were made durable in one commit that took `seconds`."""

    def failed(self, hits: int) -> None:
        """`hits` could not be written."""

    def given_up(self, hits: int) -> None:
        """The oldest `hits` pixel fetches were dropped because the journal is at its limit."""


class Writer:
    """Owns the file. Only one thread calls it at a time; `id` and `available` may be read from any."""

    def __init__(self, folder: Path, limit_bytes: int, observer: AppendObserver | None) -> None:
        self.id = ""
        self.available = False
        self.trouble = ""  # why the last attempt failed
        self.over_limit = False  # with nothing left that may be given up
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._observer = observer
        self._lock: int | None = None
        self._path: Path | None = None
        self._connection: Connection = None
        self._inode = 0
        self._last = 0
        self._unweighed = 0
        self._failed_since_log = 0
        self._logged_at = 0.0
        self._looked_at = 0.0

    @property
    def place(self) -> str:
        """The file, or the folder while there is none; for logs."""
        return str(self._path or self._folder)

    def open(self) -> None:
        """Open the file if it can be opened now; log why not otherwise. `write` tries again."""
        try:
            self._ensure_open()
            self.available = True
        except (OSError, DatabaseError, DamagedFile) as error:
            self._note_failure(error, 0)

    def write(self, group: Sequence[Pending]) -> int:
        """Make the hits of `group`, pixels first, durable; return the position of the first.

        Raises JournalUnavailable.
        """
        started = time.perf_counter()
        try:
            first = self._commit([hit.row for hit in group if not hit.is_act], [hit.row for hit in group if hit.is_act])
        except Exception as error:  # whatever it is: the thread goes on, and those who wait are told
            raise self._note_failure(error, len(group)) from error
        self._note_success(len(group), time.perf_counter() - started)
        return first

    def keep_to_limit(self) -> None:
        """Give up the oldest pixel hits while the file holds more than its limit; clicks and POSTs stay.

        A little at a time: hits wait meanwhile. Where more is to go, it goes after the next groups.
        """
        if self._connection is None or not (
            self.over_limit or self._unweighed >= min(self._limit_bytes // 64, _WEIGH_BYTES)
        ):
            return
        given_up = 0
        try:
            for _ in range(_ROUNDS):
                if self._used_bytes() <= self._limit_bytes:
                    self._unweighed, self.over_limit = 0, False
                    break
                dropped = self._drop_oldest_pixels()
                if not dropped:
                    self._note_over_limit()
                    break
                given_up += dropped
        except DatabaseError as error:
            self._disconnect()  # takes back what was begun
            _log.error("journal.limit_failed", path=self.place, error=str(error))
        if given_up:
            _log.error("journal.pixels_given_up", path=self.place, hits=given_up)
            if self._observer is not None:
                self._observer.given_up(given_up)

    def close(self) -> None:
        """Close the file and free the slot."""
        self._disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _commit(self, pixels: Sequence[Row], acts: Sequence[Row]) -> int:
        self._ensure_open()
        try:
            return self._insert(pixels, acts)
        except DatabaseError as error:
            if not is_damage(error):
                if not is_passing(error):
                    self._disconnect()
                raise
            self._set_damaged_aside(error)
            return self._insert(pixels, acts)

    def _insert(self, pixels: Sequence[Row], acts: Sequence[Row]) -> int:
        first = self._last + 1
        pixels_last = self._last + len(pixels)
        acts_last = pixels_last + len(acts)
        pixels_text = encode(pixels) if pixels else ""
        acts_text = encode(acts) if acts else ""
        self._connection.execute(_APPEND, (pixels_last, len(pixels), pixels_text, acts_last, len(acts), acts_text))
        self._last = acts_last
        self._unweighed += len(pixels_text) + len(acts_text)
        return first

    def _used_bytes(self) -> int:
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _drop_oldest_pixels(self) -> int:
        rows = self._connection.execute("SELECT last, count FROM pixels ORDER BY last LIMIT 64").fetchall()
        if not rows:
            return 0
        hits = sum(int(count) for _, count in rows)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("DELETE FROM pixels WHERE last <= ?", (rows[-1][0],))
        self._connection.execute("UPDATE journal SET given_up = given_up + ?", (hits,))
        self._connection.execute("COMMIT")
        return hits

    # ── Opening, and what may be wrong with a file ──────────────────────────────────────────────────────────────────

    def _ensure_open(self) -> None:
        if self._connection is not None and not self._moved():
            return
        self._disconnect()
        if self._path is None:
            self._lock, self._path = lock_free_slot(self._folder)
        try:
            self._connect(self._path)
        except DamagedFile as error:
            self._set_damaged_aside(error)

    def _connect(self, path: Path) -> None:
        connection = open_for_writing(path)
        self.id, self._last = connection.execute("SELECT id, last FROM journal").fetchone()
        self._inode = path.stat().st_ino
        self._connection = connection

    def _moved(self) -> bool:
        """Tell whether the file was taken away under us: writing on would store hits where nobody reads."""
        moment = time.monotonic()
        if moment - self._looked_at < _MOVED_SECONDS or self._path is None:
            return False
        self._looked_at = moment
        try:
            return self._path.stat().st_ino != self._inode
        except OSError:  # it is gone, or its folder is
            return True

    def _set_damaged_aside(self, error: Exception) -> None:
        self._disconnect()
        assert self._path is not None
        aside = set_aside(self._path, now())
        _log.critical(
            "journal.damaged",
            path=self.place,
            error=str(error),
            aside=str(aside),
            remedy="check the disk; hits in the file set aside that ingest had not read are not in the reports",
        )
        self._connect(self._path)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except DatabaseError as error:
                _log.warning("journal.close_failed", path=self.place, error=str(error))

    # ── Saying so ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _note_success(self, hits: int, seconds: float) -> None:
        if not self.available:
            self.available = True
            self._logged_at = 0.0
            _log.warning("journal.works_again", path=self.place, lost_hits=self._failed_since_log)
        if self._observer is not None:
            self._observer.appended(hits, seconds)

    def _note_over_limit(self) -> None:
        """Clicks and what people do are never given up: from here on it is the disk that ends. Said once each time."""
        if not self.over_limit:
            _log.error("journal.over_limit", path=self.place, remedy="see why ingest does not read the journal")
        self._unweighed, self.over_limit = 0, True

    def _note_failure(self, error: Exception, hits: int) -> JournalUnavailable:
        self.available = False
        self.trouble = str(error)
        self._failed_since_log += hits
        if time.monotonic() - self._logged_at > _LOG_SECONDS or self._logged_at == 0.0:
            self._logged_at = time.monotonic()
            _log.error(
                "journal.cannot_be_written",
                path=self.place,
                error=f"{type(error).__name__}: {error}",
                hits=self._failed_since_log,
                remedy="free space or make the folder writable; readers are still redirected meanwhile",
            )
            self._failed_since_log = 0
        if self._observer is not None and hits:
            self._observer.failed(hits)
        return JournalUnavailable(str(error), where=self.place, remedy="see the log")
