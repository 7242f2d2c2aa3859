"""Builds the tables of address ranges from what `ranges.sh` fetched: ASN_FOLDER COUNTRY_FOLDER [APPLES_LIST DATE]."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import maxminddb

from resonanz.ingest.judge.networks.catalogue import DATA as NETWORKS
from resonanz.ingest.judge.networks.catalogue import asns_of, read_rows
from resonanz.ingest.place.countries import FILE as COUNTRIES
from resonanz.ingest.ranges import Span, number_of, of_networks, of_spans, span_of, write_ranges

CC_BY = "CC BY 4.0"


def main(asn: Path, country: Path, apple: Path | None = None, apple_date: str = "") -> None:
    """Write each table and say how large it is."""
    wanted = {str(number) for number in asns_of(read_rows(NETWORKS / "catalogue.tsv"))}
    spans = [list(_systems(asn / f"asn-ipv{version}.csv", wanted)) for version in (4, 6)]
    systems = of_spans(*spans, source="RouteViews and DB-IP ASN Lite", as_of="2026-06-17", licence=CC_BY)
    write_ranges(NETWORKS / "asn.ranges", systems)

    by_family: tuple[list[Span], list[Span]] = ([], [])
    with maxminddb.open_database(country / "dbip-country.mmdb") as reader:
        for network, record in reader:
            family, span = span_of(network, record["country_code"])
            by_family[family].append(span)
    countries = of_spans(*by_family, source="DB-IP IP to Country Lite", as_of="2026-06-01", licence=CC_BY)
    write_ranges(COUNTRIES, countries)

    if apple is not None:
        blocks = ((ip_network(line.partition(",")[0].strip()), "apple") for line in apple.read_text().splitlines())
        table = of_networks(blocks, source="https://mask-api.icloud.com/egress-ip-ranges.csv", as_of=apple_date)
        write_ranges(NETWORKS / "apple.ranges", table)

    for path in (NETWORKS / "asn.ranges", COUNTRIES, NETWORKS / "apple.ranges"):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def _systems(path: Path, wanted: set[str]) -> Iterator[Span]:
    with path.open(encoding="utf-8", newline="") as file:
        for first, last, system, _ in csv.reader(file):
            if system in wanted:
                (_, start), (_, end) = number_of(first) or (0, 0), number_of(last) or (0, 0)
                yield start, end, f"asn:{system}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None, *sys.argv[4:5])
