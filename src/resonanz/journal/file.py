"""One journal file: its schema, how it is opened, and how a damaged one is set aside.

SQLite in WAL mode with `synchronous=FULL`: a commit returns when its bytes are on disk. Every row holds the hits of one
commit as text; pixel fetches and everything else stand in two tables, so that giving up the oldest pixels frees whole
pages. Both share one run of positions, which `journal.last` carries past trimming and restarts: none is used twice.

A position counts under a journal's id, and a file may be copied: a data folder cloned or put back from a backup would
use positions again that another has used. So an id is a writer's, not a file's: who opens a file for writing goes on
under a fresh one. Hits that still wait stay known by the id that they were written under (the view `runs`).
"""

from __future__ import annotations

import fcntl
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

# pysqlite3 has no type stubs; the two names below keep `Any` from spreading.
Connection = Any
DatabaseError: type[Exception] = sqlite3.DatabaseError

PATTERN = "edge-[0-9][0-9].sqlite"
SLOTS = 100

# How long a writer waits for ingest to finish a trim. Trims are short; anything longer is somebody else's lock.
BUSY_MILLISECONDS = 500

# Files up to this size are checked whole when opened; larger ones would delay the start of an edge too long.
_FULLY_CHECKED_BYTES = 64 * 1024 * 1024

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE journal (id TEXT NOT NULL, last INTEGER NOT NULL, given_up INTEGER NOT NULL);
CREATE TABLE pixels (last INTEGER PRIMARY KEY, count INTEGER NOT NULL, hits TEXT NOT NULL);
CREATE TABLE acts (last INTEGER PRIMARY KEY, count INTEGER NOT NULL, hits TEXT NOT NULL);

-- One statement appends a whole commit: every further one would cost the writer thread another round for the
-- interpreter lock, which under load is what takes longest.
CREATE VIEW append AS SELECT
    0 AS pixels_last, 0 AS pixels_count, '' AS pixels, 0 AS acts_last, 0 AS acts_count, '' AS acts;
CREATE TRIGGER append INSTEAD OF INSERT ON append BEGIN
    INSERT INTO pixels SELECT NEW.pixels_last, NEW.pixels_count, NEW.pixels WHERE NEW.pixels_count > 0;
    INSERT INTO acts SELECT NEW.acts_last, NEW.acts_count, NEW.acts WHERE NEW.acts_count > 0;
    UPDATE journal SET last = max(NEW.pixels_last, NEW.acts_last);
END;
INSERT INTO journal VALUES (lower(hex(randomblob(8))), 0, 0);
PRAGMA user_version = 1;
COMMIT;
"""

# Up to which position earlier writers of a file have written, and what waits of whom: an id has the positions above
# `after`, up to `upto`. Files of earlier versions get these when they are next opened, by whomever.
_RUNS = """
CREATE TABLE IF NOT EXISTS earlier (last INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE VIEW IF NOT EXISTS runs AS
    SELECT id, (SELECT coalesce(max(last), 0) FROM earlier) AS after, 9223372036854775807 AS upto FROM journal
    UNION ALL
    SELECT id, after, upto FROM (
        SELECT id, (SELECT coalesce(max(last), 0) FROM earlier AS before WHERE before.last < earlier.last) AS after,
            last AS upto FROM earlier)
    WHERE EXISTS (SELECT 1 FROM pixels WHERE last > after AND last <= upto)
        OR EXISTS (SELECT 1 FROM acts WHERE last > after AND last <= upto);
"""

_BEGIN_RUN = """
BEGIN IMMEDIATE;
DELETE FROM earlier WHERE id NOT IN (SELECT id FROM runs);
INSERT INTO earlier SELECT last, id FROM journal WHERE last > (SELECT coalesce(max(last), 0) FROM earlier);
UPDATE journal SET id = lower(hex(randomblob(8)));
COMMIT;
"""


class DamagedFile(Exception):
    """What stands in a journal file is not a journal, or no longer."""


def lock_free_slot(folder: Path) -> tuple[int, Path]:
    """Take the first slot no living process holds. Returns the lock's descriptor (close it to let go) and the file.

    The lock is an flock on a file of its own: SQLite's locks on the journal would be dropped by any stray close.
    Raises OSError when the folder cannot be used or all slots are taken.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(SLOTS):
        path = folder / f"edge-{number:02}.sqlite"
        descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return descriptor, path
    raise OSError(f"all {SLOTS} journal slots in {folder} are taken")


def open_for_writing(path: Path) -> Connection:
    """Open the journal at `path` under a fresh id, creating it when absent. Raises DamagedFile, or DatabaseError for
    what may pass."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        is_new = connection.execute("PRAGMA user_version").fetchone()[0] == 0
        if is_new:
            connection.executescript(_SCHEMA)
        _check(connection, path)
        know_runs(connection)
        if not is_new:
            connection.executescript(_BEGIN_RUN)
    except DatabaseError as error:
        connection.close()
        if is_damage(error):
            raise DamagedFile(str(error)) from error
        raise
    except DamagedFile:
        connection.close()
        raise
    return connection


def connect(path: Path) -> Connection:
    """Open an existing SQLite file, autocommitting, usable from whichever thread holds it."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    return connection


def know_runs(connection: Connection) -> None:
    """See to it that a file, maybe of an earlier version, has the view `runs`; where it has, nothing is written."""
    connection.executescript(_RUNS)


def is_damage(error: BaseException) -> bool:
    """Tell damage, which no waiting cures, from trouble such as a full disk or another's lock."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_passing(error: BaseException) -> bool:
    """Tell trouble that leaves the connection fit for use: a full disk, another's lock."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL)


def set_aside(path: Path, now: datetime) -> Path:
    """Move a damaged file and its WAL out of the way under a name nothing reads, and return that name."""
    aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _check(connection: Connection, path: Path) -> None:
    if path.stat().st_size <= _FULLY_CHECKED_BYTES:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise DamagedFile(found)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if version != 1 or not {"journal", "pixels", "acts", "append"} <= tables:
        raise DamagedFile("not a journal of this version")
    if connection.execute("SELECT count(*) FROM journal").fetchone()[0] != 1:
        raise DamagedFile("the journal has lost its id")
