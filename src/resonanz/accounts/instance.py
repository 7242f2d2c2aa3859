"""What this instance has chosen for everybody."""

from __future__ import annotations

from datetime import datetime

from resonanz.model import TrackingMode
from resonanz.store import Tx
from resonanz.store import accounts as rows

_TRACKING = "tracking_without_choice"


def tracking_without_choice(tx: Tx) -> TrackingMode:
    """Return how mail to contacts without a recorded choice is tracked: as chosen at set-up, anonymous until then."""
    chosen = rows.get_choice(tx, _TRACKING)
    return TrackingMode.ANONYMOUS if chosen is None else TrackingMode(chosen)


def choose_tracking_without_choice(tx: Tx, mode: TrackingMode, now: datetime) -> None:
    """Remember the choice; it is in force from the next mail that is built."""
    rows.set_choice(tx, _TRACKING, mode.value, now)
