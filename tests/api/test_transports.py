"""Transports and the queue over REST: operators manage them, and no secret comes out."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from resonanz.outbound import web
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


def test_ones_own(clients: tuple[TestClient, TestClient, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Another account's key adds, tests and removes a transport for that account's mail, and knows of no other."""
    monkeypatch.setattr(web, "is_public", lambda address: True)  # the test's own server is on this machine
    operator, somebody, _ = clients
    operator.post("/api/v1/transports", json=WANTED)
    with running_sink(login=("ada", "p@ss")) as sink:
        wanted = {**WANTED, "name": "mine", "senders": ["*"], "port": sink.port, "fall_back": True}
        added = somebody.post("/api/v1/transports", json=wanted)
        assert (added.status_code, added.json()["fall_back"]) == (201, True), added.text
        assert added.json()["account_id"] is not None
        tested = somebody.post("/api/v1/transports/mine/test").json()
        assert (tested["to"], tested["reply"]) == ("other@resonanz.example", "250 2.0.0 taken as 1")
        sink.answers["RCPT"] = "550 5.1.1 nobody"
        assert somebody.post("/api/v1/transports/mine/test").status_code == 502
    assert [one["name"] for one in somebody.get("/api/v1/transports").json()["transports"]] == ["mine"]
    assert len(operator.get("/api/v1/transports").json()["transports"]) == 2
    for method, path in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/check"), ("POST", "/test"),
                         ("POST", "/pause"), ("POST", "/resume")]:  # fmt: skip
        given = {"json": {}} if method == "PATCH" else {}
        assert somebody.request(method, f"/api/v1/transports/acme{path}", **given).status_code == 404
    assert operator.post("/api/v1/transports", json={**WANTED, "name": "x", "fall_back": True}).status_code == 422
    for number in range(9):
        assert somebody.post("/api/v1/transports", json={**WANTED, "name": f"n{number}"}).status_code == 201
    assert somebody.post("/api/v1/transports", json={**WANTED, "name": "eleventh"}).status_code == 409
    assert somebody.delete("/api/v1/transports/mine").status_code == 204


def test_only_operators(clients: tuple[TestClient, TestClient, str]) -> None:
    """Another account's key sees and changes nothing of the queue."""
    _, somebody, _ = clients
    assert somebody.get("/api/v1/queue").status_code == 403
    assert somebody.put("/api/v1/queue", json={"paused": True}).status_code == 403
