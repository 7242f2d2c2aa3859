"""Which transports may carry a mail: those for the sender's address, else for their domain, else for everybody.

An account's own transports come before the instance's. Those of the first match that has any are tried in the order of
their priority; the next match is never fallen back to, because mail from a domain that has a transport of its own would
fail the checks of SPF and DMARC elsewhere. Only an account itself may say that the instance's stand in for its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from resonanz.store.transports import EVERYBODY, StoredTransport


def routes_for(
    transports: Iterable[StoredTransport], sender: str, account_id: UUID | None
) -> tuple[StoredTransport, ...]:
    """Return the transports of the most specific match for mail from `sender` that this account handed in, those to be
    tried first in front. Empty when it is the default's. `transports` come in the order of their priority."""
    usable = [one for one in transports if one.account_id in (None, account_id)]
    own = _most_specific([one for one in usable if one.account_id is not None], sender)
    if own and not _falls_back(own):
        return own
    return own + _most_specific([one for one in usable if one.account_id is None], sender)


def may_end_at_default(chosen: Sequence[StoredTransport]) -> bool:
    """Whether the default transport stands behind these: where nothing else was chosen, or everybody's."""
    instances = [one for one in chosen if one.account_id is None]
    if instances:
        return EVERYBODY in instances[0].senders
    return _falls_back(chosen)


def _falls_back(own: Sequence[StoredTransport]) -> bool:
    return all(one.fall_back for one in own)


def _most_specific(transports: Sequence[StoredTransport], sender: str) -> tuple[StoredTransport, ...]:
    address = sender.lower()
    for key in (address, address.rpartition("@")[2], EVERYBODY):
        if found := tuple(one for one in transports if key in one.senders):
            return found
    return ()
