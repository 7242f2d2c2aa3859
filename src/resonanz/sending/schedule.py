"""When a mail that could not be carried out is tried again."""

from __future__ import annotations

import secrets
from datetime import timedelta

# After the n-th attempt, wait this long; after the last one, give up. Short at first, for greylisting and restarts, and
# four days in all (RFC 5321 section 4.5.4.1 asks for at least four to five before a mail is given up).
DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=24),
    timedelta(hours=24),
)
JITTER = 0.2  # up to a fifth longer, so that mails that failed together do not come back together


def delay_after(attempts: int) -> timedelta | None:
    """Return how long to wait after this many attempts, or None when it is time to give up."""
    if attempts > len(DELAYS):
        return None
    return DELAYS[attempts - 1] * (1 + JITTER * secrets.randbelow(1001) / 1000)
