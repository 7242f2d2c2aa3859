"""Builds the table of countries with one clock from the time zone database of this machine (tzdata, public domain).

A country is in it when all its zones have shown the same time in every hour since 2010, as Germany's two have: the zone
that stands first in `zone.tab`, its most populous, then speaks for the country.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from resonanz.ingest.place.zones import FILE

FROM, UNTIL = datetime(2010, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


def main(folder: Path, as_of: str) -> None:
    """Write the table and say how large it is."""
    zones: defaultdict[str, list[str]] = defaultdict(list)
    for line in (folder / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            zones[country].append(zone)
    rows = [f"{country}\t{names[0]}" for country, names in sorted(zones.items()) if len({*map(_shown, names)}) == 1]
    head = f"# Countries with one clock, and its zone. Source: tzdata's zone.tab, as of {as_of}, public domain."
    FILE.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    print(f"{FILE.name}: {len(rows)} of {len(zones)} countries")


def _shown(name: str) -> tuple[timedelta | None, ...]:
    zone = ZoneInfo(name)
    days = (UNTIL - FROM).days
    return tuple(
        (FROM + timedelta(days=day, hours=hour)).astimezone(zone).utcoffset() for day in range(days) for hour in (0, 12)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
