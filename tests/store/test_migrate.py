"""Migrations bring both databases to exactly the declared tables."""

import pytest

from resonanz.model import TemporaryFailure
from resonanz.store import Database, open_database
from resonanz.store.migrate import differences, migrate
from resonanz.store.revision import check_migrated, newest_revision


def test_migrated_database_has_the_declared_tables(database: Database) -> None:
    """What the migrations made is what `tables.py` declares, column by column."""
    with database.read() as tx:
        assert differences(tx) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    """Every start migrates; a database that is up to date stays as it is."""
    assert migrate(database) == migrate(database)
    check_migrated(database)


def test_an_empty_database_is_refused_with_the_remedy(tmp_path) -> None:
    """A role that finds no tables says what to run, instead of failing somewhere inside."""
    database = open_database(f"sqlite:///{tmp_path}/empty.sqlite")
    with pytest.raises(TemporaryFailure, match="resonanz setup"):
        check_migrated(database)
    database.close()


def test_the_newest_revision_is_known_without_alembic(database: Database) -> None:
    """Roles tell by the files' numbers what the newest revision is; it is where migrating leads."""
    assert newest_revision() == migrate(database)
