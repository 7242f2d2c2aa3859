"""Which network an address is in: our rows, the operators', and lists."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from resonanz.ingest.judge.network import Network, NetworkKind
from resonanz.ingest.judge.networks import OWN_FILE, PEOPLE, Networks, Row, RowState, classify, write_rows
from resonanz.ingest.ranges import of_networks, write_ranges
from resonanz.model import InvalidInput

OFFICE = Row("52.16.0.0/24", "us", "Our office", PEOPLE)


@pytest.mark.parametrize(
    ("address", "owner", "kind"),
    [
        # A gateway in a cloud is a gateway: the autonomous system alone would say Amazon.
        ("209.222.82.5", "Barracuda", NetworkKind.SCANNER),
        ("40.92.1.1", "Microsoft", NetworkKind.SCANNER),
        ("2a01:111:f400:fe0c::209", "Microsoft", NetworkKind.SCANNER),
        # Image proxies live in Microsoft's and Google's other networks.
        ("20.190.128.1", "Microsoft", NetworkKind.PROVIDER),
        ("66.249.84.10", "Google", NetworkKind.PROVIDER),
        ("66.102.8.5", "Google", NetworkKind.PROVIDER),
        ("67.231.152.10", "Proofpoint", NetworkKind.SECURITY),
        ("205.139.110.10", "Mimecast", NetworkKind.SECURITY),
        # Apple's relay runs on others' networks.
        ("146.75.160.5", "Apple", NetworkKind.APPLE_EGRESS),
        ("104.28.28.3", "Apple", NetworkKind.APPLE_EGRESS),
        ("52.16.0.9", "Amazon", NetworkKind.HOSTING),
        ("34.64.0.1", "GCP", NetworkKind.HOSTING),
        ("31.13.66.1", "Meta", NetworkKind.PREVIEW),
    ],
)
def test_networks_we_know(address: str, owner: str, kind: NetworkKind) -> None:
    """The catalogue in the box says who runs a network and what it is."""
    assert classify(address) == Network(kind, owner)


def test_readers_networks_are_not_known() -> None:
    """Telecoms, private and invented addresses, and what is no address, are in no row."""
    for address in ("91.12.34.56", "192.168.1.1", "203.0.113.9", "2001:db8::1", "", "nonsense"):
        assert classify(address) is None


def test_an_autonomous_system_given_stands_for_the_table() -> None:
    """What a trace says of the system counts where the address alone says nothing; a block says more than it."""
    assert classify("203.0.113.9", 22843) == Network(NetworkKind.SECURITY, "Proofpoint")
    assert classify("209.222.82.5", 16509) == Network(NetworkKind.SCANNER, "Barracuda")
    assert classify("52.16.0.9", 64496) is None


def test_every_row_has_its_source_and_date() -> None:
    """Whoever doubts a verdict can look where its network comes from."""
    rows = Networks().rows
    assert all(row.source and row.as_of and row.owner and row.name for row in rows)
    assert len({row.range for row in rows}) == len(rows) > 100


def test_operators_rows_take_the_place_of_ours(tmp_path: Path) -> None:
    """Also while running: a change is taken up at the next look. A shadow row shows and does not decide."""
    networks = Networks(tmp_path)
    assert not networks.refresh()
    write_rows(tmp_path / OWN_FILE, [OFFICE, replace(OFFICE, range="asn:16276", state=RowState.OFF)])
    assert networks.refresh()
    assert networks.classify("52.16.0.9") is None
    assert networks.row_of("52.16.0.9") == OFFICE
    assert networks.classify("52.16.1.9") == Network(NetworkKind.HOSTING, "Amazon")
    assert networks.classify("51.38.0.1") is None  # OVHcloud, switched off
    write_rows(tmp_path / OWN_FILE, [replace(OFFICE, kind="scanner", state=RowState.SHADOW)])
    assert networks.refresh()
    assert networks.classify("52.16.0.9") == Network(NetworkKind.HOSTING, "Amazon")
    assert networks.classify("52.16.0.9", shadow=True) == Network(NetworkKind.SCANNER, "us", shadow=True)


def test_a_fetched_list_takes_the_place_of_the_one_in_the_box(tmp_path: Path) -> None:
    """Apple's list as fetched last decides, and what is no longer on it is no longer Apple's."""
    write_ranges(tmp_path / "apple.ranges", of_networks([(ip_network("203.0.113.0/24"), "apple")]))
    networks = Networks(tmp_path)
    assert networks.classify("203.0.113.9") == Network(NetworkKind.APPLE_EGRESS, "Apple")
    left = networks.classify("146.75.160.5")
    assert left is None or left.kind is not NetworkKind.APPLE_EGRESS


def test_a_bad_row_names_its_line(tmp_path: Path) -> None:
    """A file edited by hand is refused with the line that is wrong; the rows in force stay."""
    write_rows(tmp_path / OWN_FILE, [OFFICE])
    networks = Networks(tmp_path)
    good = (tmp_path / OWN_FILE).read_text()
    for bad in ("10.0.0.0/8\tus\n", good.replace("people", "robots"), good.replace("52.16.0.0/24", "52.16.0.0/99")):
        (tmp_path / OWN_FILE).write_text(bad)
        with pytest.raises(InvalidInput, match=r"own\.tsv, line"):
            networks.refresh()
        assert networks.row_of("52.16.0.9") == OFFICE
