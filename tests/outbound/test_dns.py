"""What DNS says, asked of a real server on this machine."""

from __future__ import annotations

import socket

import pytest

from resonanz.model import InvalidInput, TemporaryFailure
from resonanz.outbound import Resolver
from tests.kit.nameserver import nameserver

ZONE = {
    ("example.org", "TXT"): ['"v=spf1 mx" " -all"', '"other"'],
    ("example.org", "MX"): ["20 b.example.org.", "10 A.example.org."],
    ("quiet.example", "MX"): ["0 ."],
    ("t.example.org", "CNAME"): ["edge.example.net."],
    ("edge.example.net", "A"): ["192.0.2.7"],
    ("edge.example.net", "AAAA"): ["2001:db8::7"],
}


def test_records_are_read() -> None:
    """Strings of a TXT record are joined, mail hosts come in order of preference, a null MX names no host, and
    addresses follow an alias."""
    with nameserver(ZONE) as server:
        resolver = Resolver([server])
        assert sorted(resolver.texts("example.org.")) == ["other", "v=spf1 mx -all"]
        assert resolver.mail_hosts("example.org") == [(10, "a.example.org"), (20, "b.example.org")]
        assert resolver.mail_hosts("quiet.example") == [(0, "")]
        assert resolver.alias("t.example.org") == "edge.example.net"
        assert resolver.addresses("t.example.org") == ["192.0.2.7", "2001:db8::7"]


def test_nothing_there_is_an_answer() -> None:
    """A name that does not exist and one without such a record are empty answers, not failures."""
    with nameserver(ZONE) as server:
        resolver = Resolver([server])
        assert resolver.texts("nowhere.example") == []
        assert resolver.mail_hosts("edge.example.net") == []
        assert resolver.alias("example.org") == ""


def test_a_failure_is_no_answer() -> None:
    """A server that fails, or is not there, is a temporary failure with a remedy: nobody takes it for "no record"."""
    with nameserver(ZONE, failing=["broken.example"]) as server, pytest.raises(TemporaryFailure) as failed:
        Resolver([server], seconds=0.5).texts("broken.example")
    assert failed.value.where == "TXT broken.example"
    assert "RESONANZ_DNS_SERVERS" in failed.value.remedy
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(TemporaryFailure):
            Resolver([f"127.0.0.1:{silent.getsockname()[1]}"], seconds=0.5).alias("example.org")


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "two..dots", "x" * 300])
def test_no_name(name: str) -> None:
    """What DNS cannot hold is refused before anybody is asked."""
    with pytest.raises(InvalidInput):
        Resolver(["127.0.0.1:1"]).texts(name)
