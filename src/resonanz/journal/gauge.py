"""How full the journals are, for whoever looks after an instance; read beside edges and ingest, disturbing neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from resonanz.journal.codec import decode
from resonanz.journal.file import PATTERN, DatabaseError, connect
from resonanz.model import from_microseconds

_WITHIN = "last > :after AND last <= :upto"
_WAITING = f"SELECT (SELECT total(count) FROM pixels WHERE {_WITHIN}) + (SELECT total(count) FROM acts WHERE {_WITHIN})"  # noqa: S608
_OLDEST = f"""
SELECT last, count, hits FROM pixels WHERE {_WITHIN} UNION ALL SELECT last, count, hits FROM acts WHERE {_WITHIN}
ORDER BY last LIMIT 1
"""  # noqa: S608  # literals


@dataclass(frozen=True, slots=True)
class Gauge:
    """One journal file as it stands. `waiting` hits are not taken over yet, the `oldest` of them is from then;
    `given_up` pixel hits were dropped at its limit since it was begun. With `trouble` nothing could be read."""

    place: Path
    journal: str = ""
    waiting: int = 0
    oldest: datetime | None = None
    size_bytes: int = 0
    given_up: int = 0
    trouble: str = ""


def gauges(folder: Path, taken: Mapping[str, int]) -> list[Gauge]:
    """Read every journal in `folder`. `taken` says up to which position each was taken over, by the journal's id."""
    return [_gauge(path, taken) for path in sorted(folder.glob(PATTERN))]


def _gauge(path: Path, taken: Mapping[str, int]) -> Gauge:
    try:
        connection = connect(path)
        try:
            journal, given_up = connection.execute("SELECT id, given_up FROM journal").fetchone()
            runs = [
                {"after": max(after, taken.get(id, 0)), "upto": upto}
                for id, after, upto in connection.execute("SELECT id, after, upto FROM runs ORDER BY upto").fetchall()
            ]
            waiting = sum(int(connection.execute(_WAITING, run).fetchone()[0]) for run in runs)
            found = ((run["after"], connection.execute(_OLDEST, run).fetchone()) for run in runs)
            after, row = next(((after, row) for after, row in found if row is not None), (0, None))
        finally:
            connection.close()
        size = sum(part.stat().st_size for part in (path, path.with_name(f"{path.name}-wal")) if part.exists())
        oldest = None
        if row is not None:
            last, count, text = row
            hits = decode(text)[max(0, after - last + count) :]  # a group may be taken over in part
            oldest = from_microseconds(min(hit.occurred_us for hit in hits)) if hits else None
    except (DatabaseError, OSError, TypeError, ValueError) as error:
        return Gauge(path, trouble=str(error))
    return Gauge(path, journal, waiting, oldest, size, given_up)
