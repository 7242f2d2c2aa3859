"""When a delivery is tried again, and when an endpoint is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from resonanz.store.webhook_endpoints import TROUBLED_AFTER

_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

# After the first failure, the second, …: eleven tries within three days, as Standard Webhooks recommends.
AGAIN_AFTER = (
    5 * _SECOND,
    30 * _SECOND,
    2 * _MINUTE,
    10 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    6 * _HOUR,
    12 * _HOUR,
    24 * _HOUR,
    24 * _HOUR,
)
JITTER = 0.1  # of each span, earlier or later: what failed together must not come back together

# An endpoint that failed so often in a row is asked by one delivery at a time, and rests in between.
FAILING_AFTER = TROUBLED_AFTER
_REST = (30 * _SECOND, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE)

# It is paused when it has failed so often in a row, the first time so long ago.
PAUSED_AFTER_FAILURES = 10
PAUSED_AFTER = timedelta(days=2)

LONGEST_WISH = timedelta(days=1)  # of a Retry-After


def next_try(tries: int, now: datetime, chance: float) -> datetime | None:
    """Return when to try again after so many failed tries, None to give up. `chance` is from 0 to 1."""
    if tries > len(AGAIN_AFTER):
        return None
    return now + AGAIN_AFTER[tries - 1] * (1 + JITTER * (2 * chance - 1))


def rest_after(failures: int, now: datetime) -> datetime | None:
    """Return until when an endpoint rests after so many failures in a row, None when it need not."""
    beyond = failures - FAILING_AFTER
    return None if beyond < 0 else now + _REST[min(beyond, len(_REST) - 1)]


def is_to_be_paused(failures: int, failing_since: datetime, now: datetime) -> bool:
    """Whether nobody should be asked any more who failed so often and for so long."""
    return failures >= PAUSED_AFTER_FAILURES and now - failing_since >= PAUSED_AFTER


def wished_pause(status: int, headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return until when a server wishes to be left alone (RFC 9110 section 10.2.3, with 429 or 503), None when it does
    not say so; a day at most."""
    text = headers.get("retry-after", "").strip()
    if status not in (429, 503) or not text:
        return None
    if text.isascii() and text.isdigit():
        span = timedelta(seconds=min(int(text[:9]), LONGEST_WISH.total_seconds()))
        return now + span
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until.astimezone(UTC)
    return min(until, now + LONGEST_WISH) if until > now else None
