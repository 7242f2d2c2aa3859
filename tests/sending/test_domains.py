"""Custom tracking domains: used once they lead here, by the nearest sender domain, and taken out when they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from resonanz.model import Conflict, InvalidInput, NotFound
from resonanz.outbound import Resolver
from resonanz.sending.domain_check import dns_check
from resonanz.sending.domains import Checked, TrackingHosts, add_domain, check_domain, host_name, remove_domain
from resonanz.sending.transports.outbox import Outbox, OutboxTransport
from resonanz.store import Database, domains
from tests.kit.mails import NOW, draft, hand_in
from tests.kit.nameserver import nameserver
from tests.kit.workers import EDGE, is_empty, run_until, worker_on

HERE, AWAY, UNKNOWN = Checked(True, "here"), Checked(False, "elsewhere"), Checked(None, "nobody answers")


def add(database: Database, name: str, *senders: str, seen: Checked = HERE) -> domains.Domain:
    """Add a domain that a check sees like this."""
    return add_domain(database, name, senders, edge_url=EDGE, actor="test", now=NOW, check=lambda _name: seen)


def host_for(database: Database, sender: str) -> str:
    """Where links in a mail from this address lead."""
    with database.read() as tx:
        return TrackingHosts.load(tx, EDGE).for_sender(sender)


def test_mails_carry_their_senders_domain(database: Database, tmp_path: Path) -> None:
    """Pixel and links of mail from a sender with a domain carry it; in one mailing as in single mails."""
    add(database, "links.sender.example", "sender.example")
    receipts = [hand_in(database, draft(recipients=[f"g{n}@rcpt.example" for n in range(count)])) for count in (1, 5)]
    run_until(worker_on(database, OutboxTransport(tmp_path)), is_empty(database))
    for receipt in receipts:
        written = Outbox(tmp_path).get(receipt.messages[0][0])
        assert written is not None
        assert b"https://links.sender.example/o/" in written
        assert b"https://links.sender.example/c/" in written
        assert EDGE.encode() not in written


def test_the_nearest_domain_above_the_sender_counts(database: Database) -> None:
    """Exact before above, letters of any case, and everybody else has the edge's own address."""
    add(database, "links.example.org", "example.org", "Example.COM")
    add(database, "go.example.org", "@news.example.org")
    assert host_for(database, "a@example.org") == "https://links.example.org"
    assert host_for(database, "a@EXAMPLE.com") == "https://links.example.org"
    assert host_for(database, "a@mail.example.org") == "https://links.example.org"
    assert host_for(database, "a@x.news.example.org") == "https://go.example.org"
    assert host_for(database, "a@badexample.org") == EDGE
    assert host_for(database, "") == EDGE


def test_a_domain_is_used_while_it_leads_here(database: Database) -> None:
    """Not before; not when it leads elsewhere; a DNS that does not answer changes nothing. Once confirmed it stays
    ours, for the mails that are out."""
    steps = [(AWAY, False), (UNKNOWN, False), (HERE, True), (UNKNOWN, True), (AWAY, False), (HERE, True)]
    added = add(database, "links.example.org", "example.org", seen=UNKNOWN)
    assert (added.in_use, added.confirmed_at) == (False, None)
    for seen, in_use in steps:
        checked = check_domain(database, "links.example.org", now=NOW, check=lambda _name, seen=seen: seen)  # type: ignore[misc]
        assert (checked.in_use, checked.check_note) == (in_use, seen.note)
        assert (host_for(database, "a@example.org") != EDGE) is in_use
    with database.read() as tx:
        (stored,) = domains.list_domains(tx)
    assert stored.confirmed_at == NOW
    remove_domain(database, "links.example.org")
    assert host_for(database, "a@example.org") == EDGE
    with pytest.raises(NotFound):
        remove_domain(database, "links.example.org")
    with pytest.raises(NotFound):
        check_domain(database, "links.example.org", now=NOW, check=lambda _name: HERE)


def test_what_contradicts_is_refused_whole(database: Database) -> None:
    """A domain twice, a sender with two, none at all, the edge's own host: named, and nothing is stored."""
    add(database, "links.example.org", "example.org")
    with pytest.raises(Conflict) as twice:
        add(database, "LINKS.example.org.", "example.net")
    assert twice.value.where == "name"
    with pytest.raises(Conflict) as taken:
        add(database, "go.example.org", "example.net", "example.org")
    assert taken.value.where == "senders"
    for name, senders, where in (("t.sender.example", ["example.net"], "name"), ("go.example.net", [], "senders")):
        with pytest.raises(InvalidInput) as refused:
            add(database, name, *senders)
        assert refused.value.where == where
    with database.read() as tx:
        assert [(one.name, one.senders) for one in domains.list_domains(tx)] == [
            ("links.example.org", ("example.org",))
        ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "https://a.example",
        "a.example/x",
        "a b.example",
        "-a.example",
        "192.0.2.1",
        "a..b",
        "x" * 64 + ".example",
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    """Schemes, paths, spaces, addresses and overlong labels are no host names."""
    with pytest.raises(InvalidInput):
        host_name(text, "name")


def test_hosts_are_kept_as_dns_knows_them() -> None:
    """Case and a final dot do not matter, and other scripts become A-labels (RFC 5890)."""
    assert host_name(" Links.Example.ORG. ", "name") == "links.example.org"
    assert host_name("Bücher.example", "name") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("name", "leads_here", "said"),
    [
        ("alias.example.org", True, "CNAME edge.example.org"),
        ("same.example.org", True, "leads to 192.0.2.1, as edge.example.org does"),
        ("part.example.org", False, "publish: part.example.org. CNAME edge.example.org."),
        ("empty.example.org", False, "has no address; publish: empty.example.org. CNAME edge.example.org."),
        ("broken.example.org", None, "could not be found out: DNS does not answer"),
    ],
)
def test_dns_tells_whether_it_leads_here(name: str, leads_here: bool | None, said: str) -> None:
    """An alias or the same addresses do; other ones do not, and the record to publish is named."""
    zone = {
        ("edge.example.org", "A"): ["192.0.2.1"],
        ("edge.example.org", "AAAA"): ["2001:db8::1"],
        ("alias.example.org", "CNAME"): ["edge.example.org."],
        ("same.example.org", "A"): ["192.0.2.1"],
        ("part.example.org", "A"): ["192.0.2.1", "192.0.2.2"],
    }
    with nameserver(zone, failing=["broken.example.org"]) as server:
        seen = dns_check(Resolver([server], seconds=5.0), "https://edge.example.org")(name)
    assert seen.leads_here is leads_here
    assert said in seen.note


def test_an_edge_without_a_name_is_compared_by_its_address() -> None:
    """An address in the setting is compared as it is; one whose name says nothing cannot be compared with."""
    with nameserver({("links.example.org", "A"): ["192.0.2.1"]}) as server:
        resolver = Resolver([server], seconds=5.0)
        assert dns_check(resolver, "http://192.0.2.1:8601")("links.example.org").leads_here is True
        assert dns_check(resolver, "http://localhost:8601")("links.example.org").leads_here is None
