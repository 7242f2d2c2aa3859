"""The reading side: what ingest, another process, sees of the journals in one folder."""

from __future__ import annotations

from pathlib import Path

import structlog

from resonanz.journal.codec import decode
from resonanz.journal.file import PATTERN, Connection, DatabaseError, connect, know_runs
from resonanz.journal.pending import JournalUnavailable
from resonanz.model import JournalEntry, NotFound

# One trim deletes at most so many rows at a time: the edge's writer waits for the lock that long and no longer.
_TRIM_ROWS = 100

# Rows of the two tables cover disjoint runs of positions, so rows in order give hits in order. Each side is walked by
# its key and the two are merged as they are read; nothing is sorted.
_READ = """
SELECT last, count, hits FROM pixels WHERE {within} UNION ALL SELECT last, count, hits FROM acts WHERE {within}
ORDER BY last
"""
# Whose hits they are is asked in the statement that reads them: between two, another writer may open the file, and its
# hits would be read under the id of the one before.
_WITHIN = """
last > max(:after, (SELECT after FROM runs WHERE id = :journal)) AND last <= (SELECT upto FROM runs WHERE id = :journal)
"""

_log = structlog.get_logger("resonanz.journal")


class JournalReader:
    """Reads and trims the journals of all edge processes on this machine. Not to be shared between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, tuple[int, Connection]] = {}

    def journals(self) -> list[str]:
        """Return the ids of the journals there are now; edges may add to them at any time. Those of earlier writers of
        a file come before the present one's, while hits of theirs wait."""
        found = []
        for path in sorted(self._folder.glob(PATTERN)):
            try:
                found += self._ids(path)
            except (FileNotFoundError, JournalUnavailable) as error:
                _log.warning("journal.not_readable", path=str(path), error=str(error))
        return found

    def read(self, journal: str, after: int, limit: int) -> list[JournalEntry]:
        """Return at most `limit` entries with positions above `after`, in the order of their positions.

        Raises NotFound for an id no file has (any more), JournalUnavailable when the file cannot be read. Entries
        before a damaged row are returned first; nothing is skipped, that is for a person to decide.
        """
        entries: list[JournalEntry] = []
        cursor = self._execute(journal, _READ.format(within=_WITHIN), {"after": after})
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
                f"(SELECT last FROM {table} WHERE {_WITHIN} AND last <= :trimmed ORDER BY last LIMIT {_TRIM_ROWS})"
            )
            while self._execute(journal, statement, {"after": 0, "trimmed": upto}).rowcount == _TRIM_ROWS:
                pass

    def depth(self, journal: str) -> int:
        """Return how many hits wait in the journal (those of a commit trimmed in part are counted until it is gone)."""
        statement = (
            f"SELECT (SELECT total(count) FROM pixels WHERE {_WITHIN}) + "  # noqa: S608  # a literal
            f"(SELECT total(count) FROM acts WHERE {_WITHIN})"
        )
        return int(self._execute(journal, statement, {"after": 0}).fetchone()[0])

    def given_up(self, journal: str) -> int:
        """Return how many pixel hits this journal's file has dropped at its limit since it was begun; 0 for the id of
        an earlier writer."""
        statement = "SELECT total(given_up) FROM journal WHERE id = :journal"
        return int(self._execute(journal, statement, {}).fetchone()[0])

    def close(self) -> None:
        """Close all files."""
        for _, connection in self._open.values():
            connection.close()
        self._open.clear()

    def _execute(self, journal: str, statement: str, values: dict[str, object]) -> Connection:
        try:
            return self._find(journal).execute(statement, {"journal": journal, **values})
        except DatabaseError as error:
            raise JournalUnavailable(str(error), where=f"journal {journal}") from error

    def _find(self, journal: str) -> Connection:
        for path in sorted(self._folder.glob(PATTERN)):
            try:
                if journal in self._ids(path):
                    return self._connect(path)
            except (FileNotFoundError, JournalUnavailable):
                continue
        raise NotFound(f"no journal {journal}", where=str(self._folder))

    def _ids(self, path: Path) -> list[str]:
        """Return under which ids hits stand in a file, the present writer's last."""
        try:
            return [id for (id,) in self._connect(path).execute("SELECT id FROM runs ORDER BY upto")]
        except DatabaseError as error:
            raise JournalUnavailable(str(error), where=str(path)) from error

    def _connect(self, path: Path) -> Connection:
        """Return the connection to a file, opening it when it is new or another file under the old name."""
        inode = path.stat().st_ino
        known = self._open.get(path)
        if known is not None:
            if known[0] == inode:
                return known[1]
            known[1].close()
            del self._open[path]
        try:
            connection = connect(path)
            connection.execute("PRAGMA synchronous = NORMAL")  # a trim lost in a power cut is done again
            connection.execute("SELECT id FROM journal")  # before anything is added to what may be no journal yet
            know_runs(connection)
        except DatabaseError as error:
            raise JournalUnavailable(str(error), where=str(path)) from error
        self._open[path] = (inode, connection)
        return connection
