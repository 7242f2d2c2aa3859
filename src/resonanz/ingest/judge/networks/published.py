"""The lists that companies publish of their networks: where each is, how it is read, and fetching them all anew."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from resonanz.ingest.ranges import of_networks, write_ranges
from resonanz.model import InvalidInput, ResonanzError

_Network = IPv4Network | IPv6Network

# No list of one company covers so much of the Internet; a row that does is a mistake that would judge everybody.
_WIDEST = {4: 7, 6: 16}


@dataclass(frozen=True, slots=True)
class Published:
    """One list: its name in the catalogue, its address, how its ranges are read, and how few it never has."""

    name: str
    url: str
    read: Callable[[bytes], Iterable[str]]
    at_least: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one list. `failure` is empty when it was fetched."""

    name: str
    url: str
    ranges: int
    failure: str = ""


# ── How they are read ───────────────────────────────────────────────────────────────────────────────────────────────


def _csv(body: bytes) -> Iterator[str]:
    """Apple's and DigitalOcean's: rows that begin with a block; what is behind it does not matter."""
    for row in csv.reader(body.decode("utf-8").splitlines()):
        if row and row[0].strip() and not row[0].startswith("#"):
            yield row[0]


def _google(body: bytes) -> Iterator[str]:
    for entry in json.loads(body)["prefixes"]:
        yield entry.get("ipv4Prefix") or entry["ipv6Prefix"]


def _amazon(body: bytes) -> Iterator[str]:
    """EC2 alone is rented machines; the rest is Amazon's own."""
    content = json.loads(body)
    for key, column in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        yield from (entry[column] for entry in content[key] if entry["service"] == "EC2")


def _oracle(body: bytes) -> Iterator[str]:
    for region in json.loads(body)["regions"]:
        yield from (entry["cidr"] for entry in region["cidrs"])


_PROTECTION = frozenset({9, 10})  # the endpoint sets of Exchange Online Protection


def _microsoft(body: bytes) -> Iterator[str]:
    """Sets 9 and 10 are mail protection; the others of Exchange are mailboxes, and with them image proxies."""
    sets: list[Mapping[str, Any]] = json.loads(body)
    for entry in sets:
        if entry["id"] in _PROTECTION and entry["serviceArea"] == "Exchange":
            yield from entry.get("ips", ())


PUBLISHED: tuple[Published, ...] = (
    Published("apple", "https://mask-api.icloud.com/egress-ip-ranges.csv", _csv, 1000),
    Published(
        "microsoft-365",
        # The id only tells callers apart in Microsoft's statistics; every Resonanz is the same caller.
        "https://endpoints.office.com/endpoints/worldwide?clientrequestid=b10c5ed1-bad1-445f-b386-b919946339a7",
        _microsoft,
        4,
    ),
    Published("google", "https://www.gstatic.com/ipranges/goog.json", _google, 20),
    Published("google-cloud", "https://www.gstatic.com/ipranges/cloud.json", _google, 100),
    Published("aws", "https://ip-ranges.amazonaws.com/ip-ranges.json", _amazon, 500),
    Published("oracle", "https://docs.oracle.com/iaas/tools/public_ip_ranges.json", _oracle, 50),
    Published("digitalocean", "https://digitalocean.com/geo/google.csv", _csv, 50),
)


# ── Fetching ────────────────────────────────────────────────────────────────────────────────────────────────────────


def update(
    folder: Path, *, fetch: Callable[[str], bytes], today: date, lists: Iterable[Published] = PUBLISHED
) -> list[Outcome]:
    """Fetch the published lists into a folder, each put in place at once; one that fails leaves its old one in force.

    `fetch` returns the body behind an address, and raises ResonanzError. Raises InvalidInput when the folder cannot be
    written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return [_update_one(folder, published, fetch, today) for published in lists]
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror or error}", where=str(folder)) from error


def _update_one(folder: Path, published: Published, fetch: Callable[[str], bytes], today: date) -> Outcome:
    try:
        networks = _networks(published, fetch(published.url))
    except ResonanzError as error:
        return Outcome(published.name, published.url, 0, error.what)
    pairs = ((network, published.name) for network in networks)
    write_ranges(folder / f"{published.name}.ranges", of_networks(pairs, source=published.url, as_of=today.isoformat()))
    return Outcome(published.name, published.url, len(networks))


def _networks(published: Published, body: bytes) -> list[_Network]:
    """Read a list. Raises InvalidInput for what is not the list it should be."""
    try:
        networks = [ip_network(text.strip(), strict=False) for text in published.read(body)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise InvalidInput(f"is not in the form it should be: {type(error).__name__}", where=published.url) from error
    if len(networks) < published.at_least:
        raise InvalidInput(f"has {len(networks)} ranges, fewer than it ever had", where=published.url)
    for network in networks:
        if network.prefixlen < _WIDEST[network.version] or not network.is_global:
            raise InvalidInput(f"claims {network}, which cannot be", where=published.url)
    return networks
