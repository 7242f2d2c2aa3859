"""Which transports may carry a mail: those for the sender's address, else for their domain, else for everybody.

An account's own transports come before the instance's. Those of the first match that has any are tried in the order of
their priority; the next match is never fallen back to, because mail from a domain that has a transport of its own would
fail the checks of SPF and DMARC elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from resonanz.store.transports import EVERYBODY, StoredTransport


def routes_for(
    transports: Iterable[StoredTransport], sender: str, account_id: UUID | None
) -> tuple[StoredTransport, ...]:
    """Return the transports of the most specific match for mail from `sender` that this account handed in, those to be
    tried first in front. Empty when it is the default's. `transports` come in the order of their priority."""
    usable = [one for one in transports if one.account_id in (None, account_id)]
    address = sender.lower()
    owners = (account_id, None) if account_id is not None else (None,)
    for owner in owners:
        own = [one for one in usable if one.account_id == owner]
        for key in (address, address.rpartition("@")[2], EVERYBODY):
            if found := tuple(one for one in own if key in one.senders):
                return found
    return ()
