"""Tracking domains over REST: operators change them, everybody with a key sees them."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.api.test_blocking import clients

__all__ = ["clients"]


def test_a_domain_is_added_listed_checked_and_removed(clients: tuple[TestClient, TestClient, str]) -> None:
    """The whole life of one; what contradicts is 409, what is not there 404."""
    operator, somebody, _ = clients
    wanted = {"name": "Links.example.org", "senders": ["example.org"], "unchecked": True}
    added = operator.post("/api/v1/domains", json=wanted)
    assert (added.status_code, added.json()["name"], added.json()["in_use"]) == (201, "links.example.org", True)
    assert operator.post("/api/v1/domains", json=wanted).status_code == 409
    (listed,) = somebody.get("/api/v1/domains").json()["domains"]
    assert listed == added.json()
    checked = operator.post("/api/v1/domains/links.example.org/check")
    assert (checked.status_code, checked.json()["in_use"]) == (200, True)
    assert "could not be found out" in checked.json()["check_note"]
    assert operator.delete("/api/v1/domains/links.example.org").status_code == 204
    assert operator.delete("/api/v1/domains/links.example.org").status_code == 404
    assert somebody.get("/api/v1/domains").json() == {"domains": []}


def test_only_operators_change_domains(clients: tuple[TestClient, TestClient, str]) -> None:
    """Another account's key is refused every change."""
    _, somebody, _ = clients
    wanted = {"name": "links.example.org", "senders": ["example.org"]}
    assert somebody.post("/api/v1/domains", json=wanted).status_code == 403
    assert somebody.post("/api/v1/domains/links.example.org/check").status_code == 403
    assert somebody.delete("/api/v1/domains/links.example.org").status_code == 403


def test_a_senders_domain_is_looked_at_and_told_again(clients: tuple[TestClient, TestClient, str]) -> None:
    """Nobody has looked: 404. Whoever has a key may look, and everybody is told what was seen; no domain: 422."""
    operator, somebody, _ = clients
    assert operator.get("/api/v1/sender-domains/shop.example").status_code == 404
    seen = somebody.post("/api/v1/sender-domains/Shop.example/check")
    assert (seen.status_code, seen.json()["domain"]) == (200, "shop.example")
    assert [row["state"] for row in seen.json()["records"]] == ["unknown"]
    assert operator.get("/api/v1/sender-domains/shop.example").json() == seen.json()
    assert operator.post("/api/v1/sender-domains/nodots/check").status_code == 422
    assert operator.get("/api/v1/sender-domains/nodots").status_code == 422
