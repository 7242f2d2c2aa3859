"""The instance as a command sees it: its settings and its database, open as long as the command runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resonanz.app.settings import Settings
    from resonanz.store import Database

ACTOR = "command line"


@contextmanager
def opened_instance() -> Iterator[tuple[Settings, Database]]:
    """Read the settings, set up the logs, and open the database for one command."""
    from resonanz.app.logs import configure_logs
    from resonanz.app.settings import load_settings
    from resonanz.app.wiring import database_of

    settings = load_settings()
    configure_logs("operator", form=settings.log_format, level=settings.log_level)
    database = database_of(settings)
    try:
        yield settings, database
    finally:
        database.close()


@contextmanager
def opened() -> Iterator[Database]:
    """Open the instance's database for one command that needs no setting."""
    with opened_instance() as (_, database):
        yield database
