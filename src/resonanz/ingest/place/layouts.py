"""What the records of different makers' databases say of a place. All are MaxMind DB files, each filled another way.

- MaxMind (GeoIP2, GeoLite2) and DB-IP: `country.iso_code`, `subdivisions[0].names.en`, `city.names.en`,
  `location.time_zone`
- IPinfo: `country_code` or `country` (a code), `region`, `city`, `timezone`
- ip-location-db: `country_code`, `state1`, `city`, `timezone`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resonanz.ingest.place.zones import known_zone
from resonanz.model import Place
from resonanz.store.text import storable

_LONGEST = 100  # characters of a name; nothing on the map is longer


def read_place(record: object) -> Place | None:
    """Return the place a record tells of, or None when it names no country. Whatever else is in it is left alone."""
    if not isinstance(record, Mapping):
        return None
    country = _country(record)
    if not country:
        return None
    return Place(country, _region(record), _name(record.get("city")), _timezone(record))


def _country(record: Mapping[str, Any]) -> str:
    nested = record.get("country")
    # The country where a network is registered (`registered_country`) is not where it is.
    code = nested.get("iso_code") if isinstance(nested, Mapping) else record.get("country_code") or nested
    text = code.upper() if isinstance(code, str) else ""
    return text if len(text) == 2 and text.isascii() and text.isalpha() else ""


def _region(record: Mapping[str, Any]) -> str:
    subdivisions = record.get("subdivisions")
    if isinstance(subdivisions, (list, tuple)):
        return _name(subdivisions[0]) if subdivisions else ""
    return _name(record.get("region") or record.get("state1"))


def _timezone(record: Mapping[str, Any]) -> str:
    location = record.get("location")
    name = location.get("time_zone") if isinstance(location, Mapping) else record.get("timezone")
    return known_zone(name) if isinstance(name, str) else ""


def _name(value: object) -> str:
    """Return a name, given as it is or in several languages."""
    if isinstance(value, Mapping):
        names = value.get("names")
        value = names.get("en") if isinstance(names, Mapping) else value.get("name")
    return storable(value)[:_LONGEST].strip() if isinstance(value, str) else ""
