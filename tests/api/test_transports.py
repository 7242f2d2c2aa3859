"""Transports and the queue over REST: operators manage them, and no secret comes out."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.api.test_blocking import clients
from tests.kit.sinks import running_sink

__all__ = ["clients"]

WANTED = {"name": "acme", "host": "127.0.0.1", "security": "none", "authentication": "password", "username": "ada",
          "secret": "p@ss", "senders": ["acme.example"]}  # fmt: skip


def test_a_transports_life(clients: tuple[TestClient, TestClient, str]) -> None:
    """Added, listed, checked, changed, paused, resumed, removed; contradictions are 409, unknown ones 404."""
    operator, _, _ = clients
    with running_sink(login=("ada", "p@ss")) as sink:
        added = operator.post("/api/v1/transports", json={**WANTED, "port": sink.port})
        assert (added.status_code, added.json()["has_secret"]) == (201, True), added.text
        assert "p@ss" not in added.text
        assert operator.post("/api/v1/transports", json=WANTED).status_code == 409
        checked = operator.post("/api/v1/transports/acme/check")
        assert "logged in as ada" in checked.json()["found"]
        operator.patch("/api/v1/transports/acme", json={"secret": "wrong"})
        assert operator.post("/api/v1/transports/acme/check").status_code == 503
    changed = operator.patch("/api/v1/transports/acme", json={"connections": 3})
    assert (changed.json()["connections"], changed.json()["senders"]) == (3, ["acme.example"])
    assert operator.post("/api/v1/transports/acme/pause").json()["paused"] is True
    assert operator.post("/api/v1/transports/acme/resume").json()["paused"] is False
    assert [one["name"] for one in operator.get("/api/v1/transports").json()["transports"]] == ["acme"]
    assert operator.delete("/api/v1/transports/acme").status_code == 204
    assert operator.get("/api/v1/transports/acme").status_code == 404


def test_what_is_wrong_is_named(clients: tuple[TestClient, TestClient, str]) -> None:
    """Wrong values are named in the problem document."""
    operator, _, _ = clients
    refused = operator.post("/api/v1/transports", json={**WANTED, "name": "default", "host": "no host"})
    assert refused.status_code in (400, 422)
    assert "host" in refused.text
    assert "p@ss" not in refused.text


def test_the_queue(clients: tuple[TestClient, TestClient, str]) -> None:
    """The queue and recipient domains are held and let go; a provider's domains are one."""
    operator, _, _ = clients
    assert operator.put("/api/v1/queue", json={"paused": True}).json()["paused"] is True
    held = operator.patch("/api/v1/queue/domains/googlemail.com", json={"paused": True, "connections": 2})
    assert (held.json()["domain"], held.json()["paused"], held.json()["connections"]) == ("gmail.com", True, 2)
    queue = operator.get("/api/v1/queue").json()
    assert (queue["paused"], [one["domain"] for one in queue["domains"]]) == (True, ["gmail.com"])
    assert operator.patch("/api/v1/queue/domains/gmail.com", json={"paused": False}).json()["connections"] == 2
    assert operator.put("/api/v1/queue", json={"paused": False}).json()["paused"] is False


def test_only_operators(clients: tuple[TestClient, TestClient, str]) -> None:
    """Another account's key sees and changes nothing of it."""
    _, somebody, _ = clients
    assert somebody.get("/api/v1/transports").status_code == 403
    assert somebody.post("/api/v1/transports", json=WANTED).status_code == 403
    assert somebody.get("/api/v1/queue").status_code == 403
    assert somebody.put("/api/v1/queue", json={"paused": True}).status_code == 403
