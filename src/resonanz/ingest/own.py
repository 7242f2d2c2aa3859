"""Which hits are the sender's own: mail to an address of the sending account, and its browsers that are signed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from resonanz.accounts.own import own_digest, own_sources
from resonanz.ingest.judging import told_address
from resonanz.model import Hit
from resonanz.store import Tx
from resonanz.store.accounts import addresses
from resonanz.store.messages import senders_of
from resonanz.store.standings import Standing

Source = tuple[UUID, str, str]  # message, address, user agent


@dataclass(frozen=True, slots=True)
class Own:
    """What in one batch is the sender's own."""

    messages: frozenset[UUID] = frozenset()
    sources: frozenset[Source] = frozenset()

    def __contains__(self, hit: Hit) -> bool:
        if not self.messages and not self.sources:  # nearly always, and the hash of an id is dear
            return False
        return hit.id in self.messages or (hit.id, hit.address, hit.user_agent) in self.sources


NOTHING = Own()


def find_own(tx: Tx, hits: Iterable[Hit], standings: Mapping[UUID, Standing], key: bytes, now: datetime) -> Own:
    """Return which of these hits on known messages are the sender's own; two statements, a third if any might be."""
    theirs, browsers = addresses(tx), own_sources(tx, now)
    to_account = {
        id: accounts
        for id, standing in standings.items()
        if (accounts := theirs.get(standing.recipient.lower())) is not None
    }
    from_browser: dict[Source, frozenset[UUID]] = {}
    for hit in hits if browsers else ():
        if hit.anonymous or hit.id not in standings or not told_address(hit.address):
            continue
        accounts = browsers.get(own_digest(key, hit.address, hit.user_agent))
        if accounts is not None:
            from_browser[hit.id, hit.address, hit.user_agent] = accounts
    messages = {*to_account, *(message for message, _, _ in from_browser)}
    if not messages:
        return NOTHING
    senders = senders_of(tx, {standings[id].submission_id for id in messages})

    def sender(message: UUID) -> UUID | None:
        return senders.get(standings[message].submission_id)

    return Own(
        frozenset(id for id, accounts in to_account.items() if sender(id) in accounts),
        frozenset(source for source, accounts in from_browser.items() if sender(source[0]) in accounts),
    )
