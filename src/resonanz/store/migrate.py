"""Bringing a database to the present state of the tables, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from resonanz.model import TemporaryFailure
from resonanz.store.engine import Database
from resonanz.store.tables import metadata

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x5265736F6E616E7A  # "Resonanz": roles starting together on PostgreSQL must not migrate at the same time


def migrate(database: Database) -> str:
    """Apply what is missing, in one transaction, and return the revision now in force."""
    with database.write() as tx:
        if not database.is_sqlite:
            tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config = _config()
        config.attributes["connection"] = tx
        command.upgrade(config, "head")
        return current_revision(tx) or ""


def check_migrated(database: Database) -> None:
    """Raise TemporaryFailure unless the database is at the newest revision; roles call it before they serve."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    with database.read() as tx:
        found = current_revision(tx)
    if found != newest:
        raise TemporaryFailure(
            f"the database is at revision {found or 'none'}, this version needs {newest}",
            where="database",
            remedy="run `resonanz setup`",
        )


def current_revision(tx: Connection) -> str | None:
    """Return the revision the database is at, or None for an empty one."""
    return MigrationContext.configure(tx).get_current_revision()


def differences(tx: Connection) -> list[object]:
    """Return where a migrated database and `tables.py` disagree; empty when the migrations are complete."""
    return list(compare_metadata(MigrationContext.configure(tx, opts={"compare_type": False}), metadata))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
