"""Which state of the tables a database is in, told without Alembic: every role asks, and only set-up migrates."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from resonanz.model import TemporaryFailure
from resonanz.store.engine import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def check_migrated(database: Database) -> None:
    """Raise TemporaryFailure unless the database is at the newest revision; roles call it before they serve."""
    newest = newest_revision()
    with database.read() as tx:
        found = current_revision(tx)
    if found != newest:
        raise TemporaryFailure(
            f"the database is at revision {found or 'none'}, this version needs {newest}",
            where="database",
            remedy="run `resonanz setup`",
        )


def newest_revision() -> str:
    """Return the newest revision there is: migrations are numbered, and their files begin with their number."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def current_revision(tx: Connection) -> str | None:
    """Return the revision the database is at, or None for an empty one."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    return tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
