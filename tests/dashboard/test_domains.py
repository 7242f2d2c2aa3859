"""Tracking domains on their page: added, checked, removed, and what is wrong beside its field."""

from __future__ import annotations

from resonanz.sending.domains import Checked
from resonanz.store import domains
from tests.dashboard.test_blocking import other_account
from tests.kit.pages import Site


def stored(site: Site) -> list[tuple[str, bool]]:
    """Every domain, and whether it is used."""
    with site.database.read() as tx:
        return [(one.name, one.in_use) for one in domains.list_domains(tx)]


def test_a_domain_is_added_checked_and_removed(site: Site) -> None:
    """The list says what the check saw; a second check uses it; removed, it is gone."""
    seen = Checked(False, "has no address; <publish>")
    site = site.with_parts(check_domain=lambda _name: seen)
    alice = site.alice()
    sent = {"name": "links.example.org", "senders": "example.org, example.com"}
    assert alice.submit("/domains", sent).headers["location"] == "/domains?done=added"
    page = alice.get("/domains").text
    assert "has no address; &lt;publish&gt;" in page
    assert "example.com, example.org" in page
    assert stored(site) == [("links.example.org", False)]
    seen = Checked(True, "CNAME edge")
    one = {"name": "links.example.org"}
    assert alice.submit("/domains/check", one, page="/domains").headers["location"] == "/domains?done=used"
    assert stored(site) == [("links.example.org", True)]
    assert alice.submit("/domains/remove", one, page="/domains").status_code == 303
    assert stored(site) == []
    assert alice.submit("/domains/check", one, page="/domains").status_code == 404


def test_a_domain_is_taken_at_the_operators_word(site: Site) -> None:
    """Where DNS cannot be asked, the box uses it all the same, and the list says whose word that was."""
    alice = site.alice()
    alice.submit("/domains", {"name": "a.example.org", "senders": "example.org"})
    alice.submit("/domains", {"name": "b.example.org", "senders": "example.net", "unchecked": "yes"})
    assert stored(site) == [("a.example.org", False), ("b.example.org", True)]
    assert "taken at the word of alice@example.org" in alice.get("/domains").text


def test_what_is_wrong_stands_beside_its_field(site: Site) -> None:
    """What was typed stays, and nothing is stored."""
    alice = site.alice()
    answer = alice.submit("/domains", {"name": "https://a.example/", "senders": "example.org"})
    assert answer.status_code == 422
    assert 'id="name-note" role="alert"' in answer.text
    assert 'value="https://a.example/"' in answer.text
    answer = alice.submit("/domains", {"name": "a.example.org", "senders": " "})
    assert 'id="senders-note" role="alert"' in answer.text
    assert stored(site) == []


def test_others_may_look(site: Site) -> None:
    """Somebody who does not run the instance sees the list, and changes nothing."""
    site.alice().submit("/domains", {"name": "a.example.org", "senders": "example.org", "unchecked": "yes"})
    bob = other_account(site)
    page = bob.get("/domains").text
    assert "a.example.org" in page
    assert "Add a domain" not in page
    for path in ("/domains", "/domains/check", "/domains/remove"):
        answer = bob.submit(path, {"name": "a.example.org", "senders": "example.net"}, page="/account")
        assert answer.status_code == 403
    assert stored(site) == [("a.example.org", True)]
