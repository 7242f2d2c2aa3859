"""Tables of address ranges."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.ingest.ranges import Origin, of_networks, of_spans, read_origin, read_ranges, write_ranges
from resonanz.model import InvalidInput

_networks = st.builds(
    lambda number, length: IPv4Network((number >> 32 - length << 32 - length, length)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 32),
)
_pairs = st.lists(st.tuples(_networks, st.sampled_from(["a", "b", "c"])), max_size=12, unique_by=lambda pair: pair[0])


@given(_pairs, st.integers(0, 2**32 - 1))
def test_the_narrowest_network_decides(pairs: list[tuple[IPv4Network, str]], number: int) -> None:
    """A table says of every address what going through all networks says."""
    table = of_networks(pairs)
    probes = [number]
    for network, _ in pairs:
        first, last = int(network.network_address), int(network.broadcast_address)
        probes += [probe for probe in (first - 1, first, last, last + 1) if 0 <= probe < 2**32]
    for probe in probes:
        address = ip_address(probe)
        around = [(network.prefixlen, word) for network, word in pairs if address in network]
        assert table.find(str(address)) == (max(around)[1] if around else "")


def test_both_families_and_what_is_no_address() -> None:
    """IPv6 is told apart by its /64s, IPv4 in IPv6 clothes is IPv4, and nonsense is nowhere."""
    table = of_networks([(ip_network("192.0.2.0/24"), "four"), (ip_network("2001:db8:0:1::/64"), "six")])
    assert table.find("192.0.2.7") == table.find("::ffff:192.0.2.7") == "four"
    assert table.find("2001:db8:0:1:ffff::1") == table.find("2001:db8:0:1::%eth0") == "six"
    for nowhere in ("192.0.3.0", "2001:db8:0:2::", "", "x", "1.2.3", "192.0.2.7\0", "１.２.３.４", ":::"):
        assert table.find(nowhere) == ""
    assert len(table) == 2


def test_spans_that_overlap_end_where_they_end() -> None:
    """Ranges need not be networks; the one that begins later counts while it lasts."""
    table = of_spans([(10, 20, "a"), (15, 30, "b"), (2**32 - 1, 2**32 - 1, "end")], [])
    found = {number: table.find(str(ip_address(number))) for number in (9, 10, 14, 15, 20, 30, 31, 2**32 - 1)}
    assert found == {9: "", 10: "a", 14: "a", 15: "b", 20: "b", 30: "b", 31: "", 2**32 - 1: "end"}


@given(_pairs)
def test_a_table_comes_back_from_its_file(tmp_path_factory: pytest.TempPathFactory, pairs: list) -> None:
    """Written and read, it is the same table with the same source."""
    path = tmp_path_factory.mktemp("ranges") / "some.ranges"
    table = of_networks([*pairs, (ip_network("2001:db8::/32"), "six")], source="a test", as_of="2026-11-24")
    write_ranges(path, table)
    assert read_ranges(path) == table
    assert read_origin(path) == Origin("a test", "2026-11-24")
    assert [file.name for file in path.parent.iterdir()] == ["some.ranges"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """Cut short, mixed up or something else altogether: an error that names the file, never a wrong answer."""
    path = tmp_path / "some.ranges"
    write_ranges(path, of_networks([(ip_network("192.0.2.0/24"), "four")]))
    whole = path.read_bytes()
    for damaged in (b"", b"{}\n", whole[:-20], whole.replace(b'"four"', b""), b"PK\x03\x04 something else"):
        path.write_bytes(damaged)
        with pytest.raises(InvalidInput, match=r"some\.ranges"):
            read_ranges(path)
