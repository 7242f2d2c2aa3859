"""The tests' own PostgreSQL databases go from test to test: nothing may go with them."""

from __future__ import annotations

from sqlalchemy import text

from resonanz.store import open_database
from tests.kit.cast import Cast
from tests.kit.databases import Databases


def test_a_lent_database_is_as_new(postgresql_databases: Databases) -> None:
    """What was filled is empty again and counts from one; what was left connected is cut off; what was altered goes."""
    first = postgresql_databases.lend()
    left = open_database(first)
    with left.write() as tx:
        Cast.enter(tx).mail(tx)
        assert tx.execute(text("SELECT count(*) FROM events WHERE id = 1")).scalar_one() == 1
    postgresql_databases.take_back(first)
    assert postgresql_databases.lend() == first
    left.close()
    database = open_database(first)
    with database.write() as tx:
        for table in ("accounts", "contacts", "messages", "events"):
            assert tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
        Cast.enter(tx).mail(tx)
        assert tx.execute(text("SELECT count(*) FROM events WHERE id = 1")).scalar_one() == 1
        tx.execute(text("ALTER TABLE lists ADD COLUMN colour TEXT"))
    database.close()
    postgresql_databases.take_back(first)
    second = postgresql_databases.lend()
    assert second != first
    postgresql_databases.take_back(second)
