"""Addresses behind proxies cannot be forged."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.proxies import Proxies

TRUSTED = [ip_network(text) for text in ("10.0.0.0/8", "127.0.0.1/32", "2001:db8:1::/48")]


def behind(peer: str, *values: str, header: str = "x-forwarded-for") -> str:
    return Proxies(TRUSTED, header).client(peer, [(header.encode(), value.encode("latin-1")) for value in values])


@pytest.mark.parametrize(
    ("peer", "values", "expected"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # a stranger's header says nothing
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),  # what stands left was written by a stranger
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1, 10.2.3.4"], "198.51.100.1"),  # several lines are one list
        ("10.0.0.1", ["unknown, 10.2.3.4"], "10.2.3.4"),
        ("10.0.0.1", ["198.51.100.1:8080"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("10.0.0.1", ["2001:DB8:0::7"], "2001:db8::7"),
        ("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("2001:db8:1::5", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.2,10.0.0.3"], "10.0.0.2"),
        ("10.0.0.1", [", ,"], "10.0.0.1"),
        ("10.0.0.1", ["<script>"], "10.0.0.1"),
        ("10.0.0.1", ["9.9.9.9, 198.51.100.1, 10.9.9.9, 10.2.3.4"], "198.51.100.1"),  # three proxies of ours in a row
        ("10.0.0.1", ["127.0.0.1, 198.51.100.1"], "198.51.100.1"),  # who claims to be our own proxy
        ("10.0.0.1", ["198.51.100.1, _SEVKISEK, 10.2.3.4"], "10.2.3.4"),
        ("10.0.0.1", ["198.51.100.1, 300.1.1.1"], "10.0.0.1"),
        ("10.0.0.1", ["fe80::1%eth0"], "fe80::1"),
        ("10.0.0.1", ["[2001:db8::7"], "2001:db8::7"),
        ("2001:db8:1::5", ["2001:db8::7, [2001:db8:1::9]:8443"], "2001:db8::7"),
    ],
)
def test_forwarded_for_is_read_from_the_right(peer: str, values: list[str], expected: str) -> None:
    """The client is the right-most address that is no trusted proxy's, and only trusted peers are asked."""
    assert behind(peer, *values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["for=198.51.100.1"], "198.51.100.1"),
        (['For="[2001:db8::7]:4711";proto=https'], "2001:db8::7"),
        (["for=1.2.3.4, for=198.51.100.1;by=10.0.0.9, for=10.1.1.1"], "198.51.100.1"),
        (["for=_hidden, for=10.1.1.1"], "10.1.1.1"),
        (['for="1.2.3.4, for=5.6.7.8"'], "10.0.0.1"),
        (["proto=https;for=198.51.100.1"], "198.51.100.1"),
        (["proto=https"], "10.0.0.1"),
        ([';;,=,"'], "10.0.0.1"),
        (["for=198.51.100.1:47011, for=10.1.1.1"], "198.51.100.1"),
        (['for="198.51.100.1:_port"'], "198.51.100.1"),
        (["for=unknown"], "10.0.0.1"),
        (["for=198.51.100.1", 'for="[2001:db8:1::9]:80"'], "198.51.100.1"),
        (['host="a;for=6.6.6.6";for=198.51.100.1'], "198.51.100.1"),  # a proxy passes the Host on that it was sent
        (['host="a, for=6.6.6.6, b";for=198.51.100.1'], "198.51.100.1"),
        (['host="a\\", for=6.6.6.6, \\"b";for=198.51.100.1'], "198.51.100.1"),
        (['for=6.6.6.6\\", for=198.51.100.1'], "198.51.100.1"),
        (['for="198.51.100.1" ; proto=https'], "198.51.100.1"),
    ],
)
def test_the_standard_header_is_read_alike(values: list[str], expected: str) -> None:
    """RFC 7239: quoted and bracketed addresses, other parameters, obfuscated names."""
    assert behind("10.0.0.1", *values, header="forwarded") == expected


@given(st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=40))
def test_what_a_proxy_quotes_says_nothing(host: str) -> None:
    """A Host that a stranger made up and a proxy wrote down in quotes, escaped, is nobody's address."""
    quoted = host.replace("\\", "\\\\").replace('"', '\\"')
    for written in (f'host="{quoted}";for=198.51.100.1', f'for=198.51.100.1;host="{quoted}"'):
        assert behind("10.0.0.1", "for=9.9.9.9", written, header="forwarded") == "198.51.100.1"


@given(st.lists(st.text(st.characters(max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=40), max_size=4))
def test_no_header_can_crash_or_choose_freely(values: list[str]) -> None:
    """Whatever a stranger writes, the last hop that a trusted proxy saw is what counts."""
    for header in ("x-forwarded-for", "forwarded"):
        last = "198.51.100.1" if header == "x-forwarded-for" else "for=198.51.100.1"
        assert behind("10.0.0.1", *values, last, header=header) == "198.51.100.1"
        assert isinstance(behind("10.0.0.1", *values, header=header), str)
