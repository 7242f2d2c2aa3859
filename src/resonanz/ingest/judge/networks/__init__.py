"""Which network a hit came from: mail providers, Apple's relay, security gateways, previews, rented machines.

classify("209.222.82.5")                 # → Network(kind=scanner, owner="Barracuda"), by what the package brings
networks = Networks(folder)              # with the operators' rows and the lists fetched since
networks.classify("209.222.82.5")
"""

from __future__ import annotations

from functools import cache

from resonanz.ingest.judge.network import Network
from resonanz.ingest.judge.networks.catalogue import (
    KINDS,
    OWN_FILE,
    PEOPLE,
    Networks,
    Row,
    RowState,
    changed,
    normalised_range,
    read_rows,
    without,
    write_rows,
)
from resonanz.ingest.judge.networks.published import PUBLISHED, Outcome, update

__all__ = [
    "KINDS",
    "OWN_FILE",
    "PEOPLE",
    "PUBLISHED",
    "Networks",
    "Outcome",
    "Row",
    "RowState",
    "changed",
    "classify",
    "normalised_range",
    "read_rows",
    "update",
    "without",
    "write_rows",
]

_in_the_box = cache(Networks)


def classify(address: str = "", asn: int | None = None) -> Network | None:
    """Return the network of an address or autonomous system by what the package brings, without any folder."""
    return _in_the_box().classify(address, asn)
