"""Where an address is, by databases of every layout and by the table in the box."""

from __future__ import annotations

from pathlib import Path

import pytest

from resonanz.ingest.place import Places
from resonanz.model import InvalidInput, Place
from tests.kit.mmdb import write_mmdb

MAXMIND = {
    "country": {"iso_code": "DE", "names": {"en": "Germany"}},
    "subdivisions": [{"iso_code": "BE", "names": {"de": "Land Berlin", "en": "State of Berlin"}}],
    "city": {"names": {"en": "Berlin"}},
    "registered_country": {"iso_code": "US"},
    "location": {"time_zone": "Europe/Berlin"},
}
LAYOUTS = {
    "MaxMind, DB-IP": (MAXMIND, Place("DE", "State of Berlin", "Berlin", "Europe/Berlin")),
    "MaxMind, country only": ({"country": {"iso_code": "FR"}}, Place("FR", timezone="Europe/Paris")),
    "IPinfo": (
        {"country": "US", "region": "Arizona", "city": "Yuma", "timezone": "America/Phoenix"},
        Place("US", "Arizona", "Yuma", "America/Phoenix"),
    ),
    "IPinfo Lite": ({"country": "Austria", "country_code": "AT", "asn": "AS1"}, Place("AT", timezone="Europe/Vienna")),
    "ip-location-db": (
        {"country_code": "CH", "state1": "Zurich", "city": "Zürich", "timezone": "Europe/Zurich"},
        Place("CH", "Zurich", "Zürich", "Europe/Zurich"),
    ),
    "many clocks": ({"country_code": "US"}, Place("US")),
    "no such zone": ({"country_code": "US", "timezone": "../../etc/passwd"}, Place("US")),
    "small letters": ({"country_code": "ch"}, Place("CH", timezone="Europe/Zurich")),
}


@pytest.mark.parametrize(("record", "place"), LAYOUTS.values(), ids=LAYOUTS)
def test_every_makers_layout_is_read(tmp_path: Path, record: object, place: Place) -> None:
    """Country, region, city and time zone come out the same way whoever made the database."""
    places = Places([write_mmdb(tmp_path / "places.mmdb", {"198.51.100.0/24": record, "2001:db8::/32": record})])
    assert places.place_of("198.51.100.7") == place
    assert places.place_of("2001:db8::7") == place


@pytest.mark.parametrize(
    "record",
    [{}, {"country": "Atlantis"}, {"registered_country": {"iso_code": "US"}}, {"country": {"iso_code": 7}}, "DE"],
)
def test_a_record_without_a_country_is_no_place(tmp_path: Path, record: object) -> None:
    """Where a network is registered is not where it is; the table in the box answers instead, if it can."""
    places = Places([write_mmdb(tmp_path / "places.mmdb", {"198.51.100.0/24": record, "193.0.6.0/24": record})])
    assert places.place_of("198.51.100.7") is None
    assert places.place_of("193.0.6.139") == Place("NL", timezone="Europe/Amsterdam")


def test_foreign_names_fit_into_a_row(tmp_path: Path) -> None:
    """A database is a file from somewhere: its names are cut and hold no zero bytes."""
    record = {"country_code": "DE", "city": "x\0" * 90, "region": 7}
    place = Places([write_mmdb(tmp_path / "places.mmdb", {"198.51.100.0/24": record})]).place_of("198.51.100.1")
    assert place is not None
    assert "\0" not in place.city
    assert len(place.city) <= 100
    assert place.region == ""


def test_countries_are_in_the_box() -> None:
    """Without any database the country is known, in both families, and nothing of what is no public address."""
    places = Places()
    assert places.place_of("193.0.6.139") == Place("NL", timezone="Europe/Amsterdam")
    assert places.place_of("2a00:1450:4001:82a::200e") is not None
    for nowhere in ("192.168.1.1", "fd00::1", "", "nonsense", "1.2.3.4.5"):
        assert places.place_of(nowhere) is None


def test_databases_are_asked_in_their_order(tmp_path: Path) -> None:
    """The first that knows the country decides; one for IPv4 alone says nothing of IPv6."""
    first = write_mmdb(tmp_path / "4.mmdb", {"198.51.100.0/25": {"country_code": "DE", "city": "Bonn"}}, version=4)
    second = write_mmdb(
        tmp_path / "all.mmdb", {"198.51.100.0/24": {"country_code": "FR"}, "2001:db8::/32": {"country_code": "IT"}}
    )
    places = Places([first, second])
    found = [places.place_of(address) for address in ("198.51.100.7", "198.51.100.200", "2001:db8::1")]
    assert found == [
        Place("DE", "", "Bonn", "Europe/Berlin"),
        Place("FR", timezone="Europe/Paris"),
        Place("IT", timezone="Europe/Rome"),
    ]


def test_a_replaced_database_is_taken_up(tmp_path: Path) -> None:
    """Without a restart; a file that is no database leaves the old one in use and says so."""
    path = write_mmdb(tmp_path / "places.mmdb", {"198.51.100.0/24": {"country_code": "DE"}})
    places = Places([path])
    assert not places.refresh()
    write_mmdb(tmp_path / "new.mmdb", {"198.51.100.0/24": {"country_code": "FR", "city": "Paris"}}).replace(path)
    assert places.refresh()
    assert places.place_of("198.51.100.7") == Place("FR", "", "Paris", "Europe/Paris")
    (tmp_path / "bad").write_bytes(b"<html>")
    (tmp_path / "bad").replace(path)
    with pytest.raises(InvalidInput, match=r"not a database of places"):
        places.refresh()
    assert places.place_of("198.51.100.7") == Place("FR", "", "Paris", "Europe/Paris")
