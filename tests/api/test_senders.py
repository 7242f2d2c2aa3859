"""Senders over REST: operators change them, each account sees its own, and a forbidden one is 403."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.api.test_blocking import clients

__all__ = ["clients"]

OTHER = "other@resonanz.example"
MAIL = {"from": "sales@shop.example", "to": ["a@rcpt.example"], "subject": "Hi", "text": "Hello"}


def test_a_sender_is_allowed_used_and_removed(clients: tuple[TestClient, TestClient, str]) -> None:
    """403 names the sender until an operator allows it."""
    operator, somebody, _ = clients
    refused = somebody.post("/api/v1/messages", json=MAIL)
    assert (refused.status_code, refused.json()["where"]) == (403, "from")
    assert "sales@shop.example" in refused.json()["detail"]
    raw = b"From: sales@shop.example\r\nTo: a@rcpt.example\r\n\r\nHi\r\n"
    mime = {"Content-Type": "message/rfc822"}
    assert somebody.post("/api/v1/messages", content=raw, headers=mime).status_code == 403
    wanted = {"account": OTHER, "sender": "shop.example"}
    assert somebody.post("/api/v1/senders", json=wanted).status_code == 403
    added = operator.post("/api/v1/senders", json=wanted)
    assert (added.status_code, added.json()["sender"]) == (201, "@shop.example")
    assert operator.post("/api/v1/senders", json=wanted).status_code == 409
    assert somebody.post("/api/v1/messages", json=MAIL).status_code == 202
    assert somebody.post("/api/v1/messages", content=raw, headers=mime).status_code == 202
    (listed,) = somebody.get("/api/v1/senders").json()["senders"]
    assert (listed["account"], listed["created_by"]) == (OTHER, "owner@resonanz.example")
    path = f"/api/v1/senders/{OTHER}/@shop.example"
    assert somebody.delete(path).status_code == 403
    assert operator.delete(path).status_code == 204
    assert operator.delete(path).status_code == 404
    assert somebody.post("/api/v1/messages", json=MAIL).status_code == 403


def test_a_claim(clients: tuple[TestClient, TestClient, str]) -> None:
    """An account claims an address, sees that it waits, and takes it back; a second mail within minutes is 429."""
    operator, somebody, _ = clients
    made = somebody.post("/api/v1/senders/claims", json={"sender": "Sales@shop.example"})
    assert (made.status_code, made.json()["sender"], made.json()["account"]) == (202, "sales@shop.example", OTHER)
    assert somebody.get("/api/v1/senders").json()["claims"] == [made.json()]
    assert operator.get("/api/v1/senders").json()["claims"] == [made.json()]
    again = somebody.post("/api/v1/senders/claims", json={"sender": "sales@shop.example"})
    assert (again.status_code, "retry-after" in again.headers) == (429, True)
    assert operator.post("/api/v1/senders/claims", json={"sender": "sales@shop.example"}).status_code == 409
    assert somebody.post("/api/v1/senders/claims", json={"sender": "@shop.example"}).status_code == 422
    assert operator.delete("/api/v1/senders/claims/sales@shop.example").status_code == 404
    assert somebody.delete("/api/v1/senders/claims/sales@shop.example").status_code == 204
    assert somebody.get("/api/v1/senders").json()["claims"] == []
    operator.post("/api/v1/suppressions", json={"address": "off@shop.example"})
    assert somebody.post("/api/v1/senders/claims", json={"sender": "off@shop.example"}).status_code == 409


def test_others_senders_are_not_told(clients: tuple[TestClient, TestClient, str]) -> None:
    """Who does not run the instance sees only what concerns its own account."""
    operator, somebody, _ = clients
    operator.post("/api/v1/senders", json={"account": "owner@resonanz.example", "sender": "x.example"})
    assert len(operator.get("/api/v1/senders").json()["senders"]) == 1
    assert somebody.get("/api/v1/senders").json() == {"senders": [], "claims": []}


def test_a_mail_password(clients: tuple[TestClient, TestClient, str]) -> None:
    """Made and shown once, listed without itself, seen and revoked by its own account alone; it opens no API."""
    operator, somebody, _ = clients
    made = somebody.post("/api/v1/mail-passwords", json={"name": "Thunderbird"})
    assert made.status_code == 201
    secret, path = made.json()["password"], f"/api/v1/mail-passwords/{made.json()['id']}"
    listed = somebody.get("/api/v1/mail-passwords")
    assert secret not in listed.text
    assert [one["name"] for one in listed.json()["passwords"]] == ["Thunderbird"]
    assert operator.get("/api/v1/mail-passwords").json() == {"passwords": []}
    headers = {"Authorization": f"Bearer {secret}"}
    assert somebody.get("/api/v1/mail-passwords", headers=headers).status_code == 401
    assert operator.delete(path).status_code == 404
    assert somebody.delete(path).status_code == 204
    assert somebody.delete(path).status_code == 404
    assert somebody.post("/api/v1/mail-passwords", json={"name": " "}).status_code == 422


def test_rules(clients: tuple[TestClient, TestClient, str]) -> None:
    """Each account sets, sees and forgets its own; what is wrong is named."""
    operator, somebody, _ = clients
    wanted = {
        "domain": "shop.example",
        "track": "marked",
        "never": ["ceo@corp.example"],
        "internal": ["shop.example"],
        "replies": True,
    }
    answer = somebody.put("/api/v1/rules", json=wanted)
    assert (answer.status_code, answer.json()["internal"], answer.json()["replies"]) == (200, ["@shop.example"], True)
    assert [one["domain"] for one in somebody.get("/api/v1/rules").json()["rules"]] == ["", "shop.example"]
    assert [one["domain"] for one in operator.get("/api/v1/rules").json()["rules"]] == [""]
    assert somebody.put("/api/v1/rules", json={"never": ["a b"]}).json()["where"] == "never"
    assert somebody.delete("/api/v1/rules?domain=shop.example").status_code == 204
    assert somebody.delete("/api/v1/rules?domain=shop.example").status_code == 404


def test_copies(clients: tuple[TestClient, TestClient, str]) -> None:
    """Own or shared copies: each account's rules say it, or the instance, which its operator sets; a mail without a
    group says so."""
    operator, somebody, submission = clients
    assert somebody.get("/api/v1/rules").json()["copies"] == "own"
    assert somebody.put("/api/v1/rules/copies", json={"copies": "shared"}).status_code == 403
    assert operator.put("/api/v1/rules/copies", json={"copies": "shared"}).json() == {"copies": "shared"}
    assert operator.put("/api/v1/rules/copies", json={"copies": "instance"}).status_code == 422
    book = somebody.get("/api/v1/rules").json()
    assert (book["copies"], book["rules"][0]["copies"]) == ("shared", "instance")
    assert somebody.put("/api/v1/rules", json={"copies": "own"}).json()["copies"] == "own"
    assert operator.get(f"/api/v1/submissions/{submission}").json()["group"] is None
