"""The account's own browsers: remembered by a keyed digest, to tell what they open and follow from what readers do.

The edge sets no cookie and asks no database. Instead, the dashboard notes for each signed-in browser a digest of the
address that it comes from and the name that it gives itself, and ingest compares. Without the key the digest tells
neither; after a day without a visit it counts no more.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from resonanz.model import TemporaryFailure
from resonanz.store import Database, Tx
from resonanz.store import accounts as rows

OWN_FOR = timedelta(days=1)
NOTE_EVERY = timedelta(hours=1)
MAX_CHARACTERS = 400
_REMEMBERED = 10_000
_PERSON = b"resonanz.own"


def own_digest(key: bytes, address: str, user_agent: str) -> bytes:
    """Return 16 bytes that stand for who asked. `key` has at most 64 bytes."""
    said = f"{address}\n{user_agent[:MAX_CHARACTERS]}".encode("utf-8", "surrogatepass")
    return blake2b(said, digest_size=16, key=key, person=_PERSON).digest()


class OwnBrowsers:
    """Notes the browsers that are signed in, each at most once an hour."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key
        self._noted: dict[tuple[UUID, bytes], datetime] = {}

    def note(self, account_id: UUID, address: str, user_agent: str, now: datetime) -> None:
        """Note that this account's browser came from this address. A database that cannot be written is let be."""
        if not address or not user_agent:
            return
        source = account_id, own_digest(self._key, address, user_agent)
        noted = self._noted.get(source)
        if noted is not None and now - noted < NOTE_EVERY:
            return
        if len(self._noted) >= _REMEMBERED:
            self._noted.clear()
        with suppress(TemporaryFailure), self._database.write() as tx:
            rows.note_own_source(tx, *source, now)
            rows.forget_own_sources(tx, now - OWN_FOR)
        self._noted[source] = now


def own_sources(tx: Tx, now: datetime) -> dict[bytes, frozenset[UUID]]:
    """Return by digest the accounts whose browsers were there within a day."""
    return rows.list_own_sources(tx, now - OWN_FOR)
