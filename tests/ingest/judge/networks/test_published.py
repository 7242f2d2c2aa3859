"""Fetching the lists that companies publish."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from resonanz.ingest.judge.networks import PUBLISHED, Networks, update
from resonanz.ingest.ranges import read_ranges
from resonanz.model import TemporaryFailure

TODAY = date(2026, 11, 24)
BLOCKS = [f"{first}.{second}.0.0/16" for first in (21, 22, 23, 25) for second in range(256)]
BODIES = {
    "apple": "".join(f"{block},GB,GB-EN,London,\n" for block in BLOCKS),
    "microsoft-365": json.dumps(
        [
            {"id": 1, "serviceArea": "Exchange", "ips": ["13.107.6.152/31"]},
            {"id": 9, "serviceArea": "Exchange", "ips": ["40.92.0.0/15", "40.107.0.0/16", "2a01:111:f400::/48"]},
            {"id": 10, "serviceArea": "Exchange", "ips": ["52.100.0.0/14"]},
            {"id": 31, "serviceArea": "SharePoint", "urls": ["*.example.com"]},
        ]
    ),
    "google": json.dumps({"prefixes": [{"ipv4Prefix": block} for block in BLOCKS[:20]]}),
    "google-cloud": json.dumps({"prefixes": [*({"ipv4Prefix": b} for b in BLOCKS), {"ipv6Prefix": "2600:1900::/35"}]}),
    "aws": json.dumps(
        {
            "prefixes": [
                *({"ip_prefix": block, "service": "EC2"} for block in BLOCKS),
                {"ip_prefix": "52.94.0.0/16", "service": "AMAZON"},
            ],
            "ipv6_prefixes": [{"ipv6_prefix": "2a05:d018::/36", "service": "EC2"}],
        }
    ),
    "oracle": json.dumps({"regions": [{"region": "x", "cidrs": [{"cidr": block} for block in BLOCKS]}]}),
    "digitalocean": "".join(f"{block},NL,NL-NH,Amsterdam,1098 XH\n" for block in BLOCKS),
}
NAMES = {published.url: published.name for published in PUBLISHED}


def fetch_good(url: str) -> bytes:
    return BODIES[NAMES[url]].encode()


def test_every_list_is_read_in_its_form(tmp_path: Path) -> None:
    """Each company's form is understood, and what is not meant stays out of it."""
    outcomes = update(tmp_path, fetch=fetch_good, today=TODAY)
    assert {outcome.name: outcome.ranges for outcome in outcomes} == {
        "apple": 1024,
        "microsoft-365": 4,
        "google": 20,
        "google-cloud": 1025,
        "aws": 1025,
        "oracle": 1024,
        "digitalocean": 1024,
    }
    assert not any(outcome.failure for outcome in outcomes)
    assert read_ranges(tmp_path / "apple.ranges").as_of == "2026-11-24"
    networks = Networks(tmp_path)
    found = networks.row_of("2a05:d018::1")
    assert found is not None
    assert (found.range, found.owner) == ("list:aws", "Amazon")
    found = networks.row_of("13.107.6.152")  # a mailbox of Exchange Online, not its protection
    assert found is None or found.range != "list:microsoft-365"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in</html>",
        b"\xff\xfe",
        b'{"prefixes": 7}',
        b"[" * 100_000,
        b"0.0.0.0/0\n" * 2000,
        b"10.0.0.0/8\n" * 2000,
        BODIES["apple"].encode()[:400],
    ],
)
def test_what_is_not_the_list_leaves_the_old_one_in_force(tmp_path: Path, body: bytes) -> None:
    """A sign-in page, half a list or a list of the whole Internet changes nothing, and the others are fetched."""
    update(tmp_path, fetch=fetch_good, today=TODAY)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fetch(url: str) -> bytes:
        if NAMES[url] == "oracle":
            raise TemporaryFailure("could not be fetched: it is dark there", where=url)
        return body

    outcomes = update(tmp_path, fetch=fetch, today=date(2026, 12, 24))
    assert all(outcome.failure for outcome in outcomes)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
