"""The browser's address is believed as far as trusted proxies wrote it."""

from ipaddress import ip_network

import pytest
from starlette.requests import HTTPConnection

from resonanz.dashboard.peers import peer_of
from resonanz.proxies import Proxies

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("::1/128")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        ("::1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["10.0.0.3"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
    ],
)
def test_the_browsers_address(peer: str, forwarded: list[str], expected: str) -> None:
    """From the right, the first address that is no proxy of ours."""
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    assert (
        peer_of(HTTPConnection({"type": "http", "client": (peer, 1), "headers": headers}), Proxies(TRUSTED)) == expected
    )
