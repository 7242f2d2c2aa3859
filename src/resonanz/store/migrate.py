"""Bringing a database to the present state of the tables, with Alembic."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from resonanz.store.engine import Database
from resonanz.store.revision import MIGRATIONS, current_revision
from resonanz.store.tables import metadata

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


def differences(tx: Connection) -> list[object]:
    """Return where a migrated database and `tables.py` disagree; empty when the migrations are complete."""
    return list(compare_metadata(MigrationContext.configure(tx, opts={"compare_type": False}), metadata))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
