"""Which time zone a place is in, where no database says: a country's own, if one clock is right in all of it."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

FILE = Path(__file__).parent / "data" / "zones.tsv"


def zone_of_country(country: str) -> str:
    """Return the time zone of a country (ISO 3166-1 alpha-2), empty where it has several, or none that we know."""
    return _zones().get(country, "")


@lru_cache(1000)
def known_zone(name: str) -> str:
    """Return a time zone's name as it is, or an empty text for what names no zone this machine knows."""
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # a path out of the folder, no such zone, a folder of zones
        return ""
    return name


@cache
def _zones() -> dict[str, str]:
    lines = FILE.read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))
