"""Asking where an address is. Only ever asked about a person's own address: a proxy's place is nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import maxminddb

from resonanz.ingest.place.countries import FILE as COUNTRIES
from resonanz.ingest.place.countries import countries
from resonanz.ingest.place.layouts import read_place
from resonanz.ingest.place.zones import zone_of_country
from resonanz.ingest.ranges import read_origin
from resonanz.model import InvalidInput, Place, from_microseconds

CACHED_ADDRESSES = 20_000


class Places:
    """The databases of one instance, asked in their order, and the table of countries in the box behind them.

    Region and city are of the first database that knows the country; a time zone that it leaves out is the country's,
    if that has one clock. `refresh` opens files anew that were replaced.
    """

    def __init__(self, databases: Sequence[Path] = ()) -> None:
        """Open the databases (MaxMind DB files). Raises InvalidInput for a file that is none."""
        self._paths = tuple(databases)
        self._readers: tuple[maxminddb.Reader, ...] = ()
        self._seen: tuple[tuple[int, int], ...] = ()
        self._find = lru_cache(CACHED_ADDRESSES)(self._look)
        self._open(self._signature())

    def place_of(self, address: str) -> Place | None:
        """Return where an address is, or None when nothing is known or it is no address."""
        return self._find(address)

    def refresh(self) -> bool:
        """Open the databases again if a file was replaced. Returns whether it was; one that is none leaves the old."""
        signature = self._signature()
        if signature == self._seen:
            return False
        self._open(signature)
        return True

    def _look(self, address: str) -> Place | None:
        for reader in self._readers:
            try:
                place = read_place(reader.get(address))
            except (ValueError, maxminddb.InvalidDatabaseError):  # no address, IPv6 asked of an IPv4 file, damage
                continue
            if place is not None:
                return place if place.timezone else replace(place, timezone=zone_of_country(place.country))
        country = countries().find(address)
        return Place(country, timezone=zone_of_country(country)) if country else None

    def _signature(self) -> tuple[tuple[int, int], ...]:
        try:
            stats = [path.stat() for path in self._paths]
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", where=str(error.filename)) from error
        return tuple((stat.st_mtime_ns, stat.st_size) for stat in stats)

    def _open(self, signature: tuple[tuple[int, int], ...]) -> None:
        readers = []
        for path in self._paths:
            try:
                readers.append(maxminddb.open_database(path))
            except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
                raise InvalidInput(
                    f"not a database of places: {error}", where=str(path), remedy="use a MaxMind DB file (.mmdb)"
                ) from error
        self._readers, self._seen = tuple(readers), signature
        self._find.cache_clear()

    def describe(self) -> list[str]:
        """Return what each database calls itself, and the table in the box, with their dates."""
        told = []
        for path, reader in zip(self._paths, self._readers, strict=True):
            metadata = reader.metadata()
            told.append(f"{metadata.database_type or path.name} ({_date(metadata.build_epoch)})")
        box = read_origin(COUNTRIES)  # the table itself is for those who ask where somebody is
        return [*told, f"{box.source} ({box.as_of})"]


def _date(epoch: int) -> str:
    return from_microseconds(epoch * 1_000_000).date().isoformat()
