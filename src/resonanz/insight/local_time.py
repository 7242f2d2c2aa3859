"""What the clock showed where something was done."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from resonanz.model import Event


def local_time(event: Event) -> datetime | None:
    """Return when an event occurred by the clock of its place, or None where place or time zone are not known.

    A place is only ever put in for what a person did from an address of their own, so proxies, Apple's relay and
    scanners have none here.
    """
    zone = _zone(event.place.timezone) if event.place is not None and event.place.timezone else None
    return event.occurred_at.astimezone(zone) if zone is not None else None


@lru_cache(1000)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # written by a machine that knows more zones than this one
        return None
