"""Which country an address is in, by the table in the box (DB-IP's IP to Country Lite, CC BY 4.0)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from resonanz.ingest.ranges import Ranges, read_ranges

FILE = Path(__file__).parent / "data" / "countries.ranges"


@cache
def countries() -> Ranges:
    """Return the table from addresses to ISO 3166-1 alpha-2 codes: read once, at the first question; some 8 MB."""
    return read_ranges(FILE)
