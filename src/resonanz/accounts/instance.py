"""What this instance has chosen for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from resonanz.model import TrackingMode
from resonanz.store import Tx
from resonanz.store import accounts as rows

_TRACKING = "tracking_without_choice"
_SITES = "own_sites"


def tracking_without_choice(tx: Tx) -> TrackingMode:
    """Return how mail to contacts without a recorded choice is tracked: as chosen at set-up, anonymous until then."""
    chosen = rows.get_choice(tx, _TRACKING)
    return TrackingMode.ANONYMOUS if chosen is None else TrackingMode(chosen)


def choose_tracking_without_choice(tx: Tx, mode: TrackingMode, now: datetime) -> None:
    """Remember the choice; it is in force from the next mail that is built."""
    rows.set_choice(tx, _TRACKING, mode.value, now)


def own_sites(tx: Tx) -> frozenset[str]:
    """Return the hosts of the sender's own sites, where visits after a click are recorded; none until named."""
    return frozenset(rows.get_choice(tx, _SITES) or ())


def choose_own_sites(tx: Tx, sites: Iterable[str], now: datetime) -> None:
    """Remember which sites are the sender's own (hosts as `mail.sites.read_sites` gives them)."""
    rows.set_choice(tx, _SITES, sorted(sites), now)
