"""Rows: tables, migrations, and one thin module per noun, on SQLite and PostgreSQL alike.

Functions take an open transaction (`Tx`) and plain values, and return plain values; who commits is decided above.
"""

from resonanz.store.engine import Database, Tx, open_database

__all__ = ["Database", "Tx", "open_database"]
