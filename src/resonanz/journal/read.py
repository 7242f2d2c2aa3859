"""The reading side: what ingest, another process, sees of the journals in one folder."""

from __future__ import annotations

from pathlib import Path

import structlog

from resonanz.journal.codec import decode
from resonanz.journal.file import PATTERN, Connection, DatabaseError, connect
from resonanz.journal.pending import JournalUnavailable
from resonanz.model import JournalEntry, NotFound

# One trim deletes at most so many rows at a time: the edge's writer waits for the lock that long and no longer.
_TRIM_ROWS = 100

# Rows of the two tables cover disjoint runs of positions, so rows in order give hits in order. Each side is walked by
# its key and the two are merged as they are read; nothing is sorted.
_READ = """
SELECT last, count, hits FROM pixels WHERE last > ? UNION ALL SELECT last, count, hits FROM acts WHERE last > ?
ORDER BY last
"""

_log = structlog.get_logger("resonanz.journal")


class JournalReader:
    """Reads and trims the journals of all edge processes on this machine. Not to be shared between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, tuple[int, str, Connection]] = {}

    def journals(self) -> list[str]:
        """Return the ids of the journals there are now; edges may add files at any time."""
        found = []
        for path in sorted(self._folder.glob(PATTERN)):
            try:
                found.append(self._connect(path)[0])
            except (FileNotFoundError, JournalUnavailable) as error:
                _log.warning("journal.not_readable", path=str(path), error=str(error))
        return found

    def read(self, journal: str, after: int, limit: int) -> list[JournalEntry]:
        """Return at most `limit` entries with positions above `after`, in the order of their positions.

        Raises NotFound for an id no file has (any more), JournalUnavailable when the file cannot be read. Entries
        before a damaged row are returned first; nothing is skipped, that is for a person to decide.
        """
        entries: list[JournalEntry] = []
        cursor = self._execute(journal, _READ, (after, after))
        try:
            for last, count, text in cursor:
                for position, hit in enumerate(decode(text), last - count + 1):
                    if position > after:
                        entries.append(JournalEntry(journal, position, hit))
                if len(entries) >= limit:
                    break
        except (DatabaseError, ValueError) as error:
            if not entries:
                raise JournalUnavailable(
                    str(error),
                    where=f"journal {journal} behind position {after}",
                    remedy="look at `resonanz journal dump`",
                ) from error
        finally:
            cursor.close()
        return entries[:limit]

    def trim(self, journal: str, upto: int) -> None:
        """Delete the entries up to position `upto`, which must be stored safely elsewhere.

        Entries of one commit are deleted together, once the last of them may go. Raises as `read` does.
        """
        for table in ("pixels", "acts"):
            statement = (
                f"DELETE FROM {table} WHERE last IN "  # noqa: S608  # one of two literals
                f"(SELECT last FROM {table} WHERE last <= ? ORDER BY last LIMIT {_TRIM_ROWS})"
            )
            while self._execute(journal, statement, (upto,)).rowcount == _TRIM_ROWS:
                pass

    def depth(self, journal: str) -> int:
        """Return how many hits wait in the journal (those of a commit trimmed in part are counted until it is gone)."""
        statement = "SELECT (SELECT total(count) FROM pixels) + (SELECT total(count) FROM acts)"
        return int(self._execute(journal, statement, ()).fetchone()[0])

    def given_up(self, journal: str) -> int:
        """Return how many pixel hits this journal has dropped at its limit since it was begun."""
        return int(self._execute(journal, "SELECT given_up FROM journal", ()).fetchone()[0])

    def close(self) -> None:
        """Close all files."""
        for _, _, connection in self._open.values():
            connection.close()
        self._open.clear()

    def _execute(self, journal: str, statement: str, values: tuple[object, ...]) -> Connection:
        try:
            return self._find(journal).execute(statement, values)
        except DatabaseError as error:
            raise JournalUnavailable(str(error), where=f"journal {journal}") from error

    def _find(self, journal: str) -> Connection:
        for path in sorted(self._folder.glob(PATTERN)):
            try:
                found, connection = self._connect(path)
            except (FileNotFoundError, JournalUnavailable):
                continue
            if found == journal:
                return connection
        raise NotFound(f"no journal {journal}", where=str(self._folder))

    def _connect(self, path: Path) -> tuple[str, Connection]:
        """Return id and connection of a file, opening it when it is new or another file under the old name."""
        inode = path.stat().st_ino
        known = self._open.get(path)
        if known is not None:
            if known[0] == inode:
                return known[1], known[2]
            known[2].close()
            del self._open[path]
        try:
            connection = connect(path)
            connection.execute("PRAGMA synchronous = NORMAL")  # a trim lost in a power cut is done again
            (journal,) = connection.execute("SELECT id FROM journal").fetchone()
        except (DatabaseError, TypeError) as error:
            raise JournalUnavailable(str(error), where=str(path)) from error
        self._open[path] = (inode, journal, connection)
        return journal, connection
