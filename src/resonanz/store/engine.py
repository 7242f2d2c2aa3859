"""Opening the database: one face over SQLite (in WAL mode, fsync on commit) and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from resonanz.model import InvalidInput, TemporaryFailure

Tx = Connection

BUSY_TIMEOUT_MS = 15_000
CONNECT_SECONDS = 5
# As many connections as a web process has threads to use them. Values never stand in an error's text: they are people's
# addresses and subjects, and errors are logged.
_POOL: dict[str, Any] = {"pool_size": 5, "max_overflow": 40, "pool_timeout": 10, "hide_parameters": True}

# 3.7.0 to 3.51.2 can corrupt a WAL database when two connections write and checkpoint together.
MINIMUM_SQLITE = (3, 51, 3)


# Pages in the write-ahead log before they go to their places in the file (4 KB each; the default is 1,000). A batch of
# hits touches some 4,000 pages, and the same ones again and again: written home once for several commits, not at each.
_CHECKPOINT = "wal_autocheckpoint=16000"


# The driver looks for somebody who knows how to store what is no plain number or text: three look-ups that fail, 1.4 µs
# for each NULL, blob and truth value that is bound. Told that they stay what they are, it is done in a fifth of that.
_UNCHANGED: dict[type, Any] = {type(None): {}.get, bytes: bytes.__bytes__, bool: bool.__index__}


class LastAct(Protocol):
    """Something that is gathered while a transaction goes on, and written at its end."""

    def run(self, tx: Tx) -> None: ...


_Act = TypeVar("_Act", bound=LastAct)
_LAST_ACTS = "resonanz.last_acts"


def last_act(tx: Tx, kind: type[_Act]) -> _Act:
    """Return the one act of this kind that this transaction runs just before its commit; made when first asked for.

    For rows that every transaction writes: they are held for as short as can be, once each, and after all others, so
    that nobody who holds them waits for anything else. What is rolled back to a savepoint must not have gathered.
    """
    acts = tx.info.setdefault(_LAST_ACTS, {})
    if kind not in acts:
        acts[kind] = kind()
    act: _Act = acts[kind]
    return act


class Database:
    """One database, and the two ways into it: `read` and `write`, each one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for migrations and bulk paths."""
        return self._engine

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite rather than PostgreSQL."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a transaction for reading; it sees one state of the database. Raises TemporaryFailure."""
        with self._transaction("BEGIN") as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """Open a transaction for writing, committed when the block ends well. Raises TemporaryFailure.

        SQLite takes its write lock at once (BEGIN IMMEDIATE): a deferred transaction that reads first and writes later
        fails with SQLITE_BUSY as soon as another process wrote in between, and no busy timeout helps there.
        """
        with self._transaction("BEGIN IMMEDIATE") as tx:
            yield tx

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Tx]:
        try:
            with self._engine.connect() as connection:
                if self.is_sqlite:
                    connection.exec_driver_sql(begin)
                connection.info.pop(_LAST_ACTS, None)
                try:
                    yield connection
                    for act in connection.info.pop(_LAST_ACTS, {}).values():
                        act.run(connection)
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
        except PoolTimeout as error:
            raise TemporaryFailure("all connections to the database are in use", where=self._where) from error
        except DBAPIError as error:
            if not _is_outage(error):
                raise
            raise TemporaryFailure(
                "the database cannot be used right now",
                where=self._where,
                remedy=str(error.orig).strip().splitlines()[0],
            ) from error

    @property
    def _where(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)


# SQLSTATE classes that speak about the server or the moment, not about what was asked of it (PostgreSQL, appendix A):
# connection, rollback (deadlock), resources, object not in its state (lock not available), operator, system error.
_PASSING_CLASSES = {"08", "40", "53", "55", "57", "58"}
# SQLite's primary result codes of the same sort: busy, locked, out of memory, read-only, interrupted, I/O error, full,
# cannot open, locking protocol.
_PASSING_CODES = {5, 6, 7, 8, 9, 10, 13, 14, 15}


def _is_outage(error: DBAPIError) -> bool:
    """Whether trying the same again later may help. What a database refuses for its content it refuses for ever."""
    if error.connection_invalidated:
        return True
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _PASSING_CODES
    state = getattr(error.orig, "sqlstate", None)  # None: the server was not reached at all
    return state is None or state[:2] in _PASSING_CLASSES


def open_database(url: str, *, create: bool = True) -> Database:
    """Open `sqlite:///…` or `postgresql://…`. Creates no tables; without `create`, no SQLite file either.

    Raises InvalidInput for any other address, and for a file that is not there.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidInput("not a database address", where="RESONANZ_DATABASE_URL") from None
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(parsed, create=create))
    if parsed.get_backend_name() == "postgresql":
        engine = sqlalchemy.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
            **_POOL,
        )
        return Database(engine)
    raise InvalidInput(
        f"no support for {parsed.get_backend_name()}",
        where="RESONANZ_DATABASE_URL",
        remedy="use sqlite:///… or postgresql://…",
    )


def _sqlite(url: sqlalchemy.URL, *, create: bool) -> Engine:
    import pysqlite3.dbapi2 as sqlite  # bundles a SQLite newer than the system's

    if sqlite.sqlite_version_info < MINIMUM_SQLITE:
        raise InvalidInput(
            f"SQLite {sqlite.sqlite_version} can corrupt databases in WAL mode",
            where="pysqlite3",
            remedy="install pysqlite3 0.6 or newer",
        )
    for kind, unchanged in _UNCHANGED.items():
        sqlite.register_adapter(kind, unchanged)
    if url.database and url.database != ":memory:":
        if not create and not Path(url.database).exists():
            raise InvalidInput(
                "there is no database",
                where=url.database,
                remedy="set RESONANZ_DATA_DIR to your instance's folder, or run `resonanz setup` to make a new one",
            )
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # isolation_level=None: the driver begins nothing by itself, so that BEGIN IMMEDIATE above is what really happens.
    engine = sqlalchemy.create_engine(
        url,
        module=sqlite,
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
        **_POOL,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000", _CHECKPOINT):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
