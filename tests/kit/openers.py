"""What makes stored transports in tests of doors: secrets sealed with a key of the tests."""

from __future__ import annotations

from resonanz.sealing import Sealer
from resonanz.sending.transports.opening import Opener
from resonanz.store import Database
from resonanz.tokens import Key, Keys

SEALER = Sealer(Keys([Key(1, bytes(range(32)))]))


def opener_on(database: Database) -> Opener:
    """Open the transports of this database."""
    return Opener(database, lambda: SEALER)
