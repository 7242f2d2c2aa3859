"""Campaigns over REST: written, checked, tried, sent, and held back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from resonanz.sending import expansion
from resonanz.store import Database
from tests.api.test_blocking import clients
from tests.insight.test_ranking import add_sent
from tests.kit.campaigns import add_list, add_people
from tests.kit.cast import Cast
from tests.kit.mails import NOW

__all__ = ["clients"]

WANTED: dict[str, Any] = {
    "name": "May offers",
    "from": "Shop <news@sender.example>",
    "subject": "For {{ contact.name|default('you') }}",
    "html": '<p>Hello {{ contact.number }} <a href="{{ unsubscribe_url }}">Leave</a></p>',
}


def test_a_campaigns_life(database: Database, clients: tuple[TestClient, TestClient, str]) -> None:
    """From draft to cancelled, and what is not possible in between is 409."""
    client = clients[0]
    list_id = add_list(database, "readers")
    add_people(database, [list_id], ["ada@rcpt.example", "bob@rcpt.example"], number=7)
    add_people(database, [list_id], ["no@rcpt.example"], consent="refused")
    made = client.post("/api/v1/campaigns", json={**WANTED, "lists": [str(list_id)], "per_minute": 60})
    assert made.status_code == 201, made.text
    path = f"/api/v1/campaigns/{made.json()['id']}"
    assert (made.json()["state"], made.json()["from"], made.json()["lists"]) == (
        "draft", WANTED["from"], [str(list_id)],
    )  # fmt: skip
    assert client.get(f"{path}/check").json() == []
    assert client.get(f"{path}/audience").json() == {"willing": 2, "suppressed": 0, "unwilling": 1}
    seen = client.get(f"{path}/preview", params={"contact": "bob@rcpt.example"}).json()
    assert (seen["contact"], seen["subject"]) == ("bob@rcpt.example", "For you")
    assert "Hello 7" in seen["html"]
    assert "Hello 7" in seen["text"]
    assert client.post(f"{path}/pause").status_code == 409
    assert client.get(f"{path}/report").status_code == 404
    sent = client.post(f"{path}/send", json={})
    assert (sent.status_code, sent.json()["state"]) == (202, "scheduled")
    assert client.put(path, json={**WANTED, "lists": []}).status_code == 409
    while expansion.advance(database, expansion.model.now()):
        pass
    shown = client.get(path).json()
    assert shown["state"] == "sending"
    assert shown["progress"] == {"messages": 2, "suppressed": 0, "without_consent": 1, "everybody": True}
    assert client.get(f"/api/v1/submissions/{shown['submission']}").json()["recipients"] == 2
    report = client.get(f"{path}/report").json()
    assert (report["recipients"], report["states"], report["links"]) == (2, {"queued": 2}, [])
    assert client.get(f"{path}/recipients.csv").text.count("@rcpt.example,queued,") == 2
    for act, state in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
        assert client.post(f"{path}/{act}").json()["state"] == state
    assert [one["id"] for one in client.get("/api/v1/campaigns").json()["campaigns"]] == [shown["id"]]
    assert client.delete(path).status_code == 409


def test_a_test_mail(database: Database, clients: tuple[TestClient, TestClient, str]) -> None:
    """A test is marked, filled for the contact, and no part of the campaign."""
    client = clients[0]
    list_id = add_list(database, "readers")
    add_people(database, [list_id], ["ada@rcpt.example"], number=7)
    made = client.post("/api/v1/campaigns", json={**WANTED, "lists": [str(list_id)]}).json()
    tried = client.post(f"/api/v1/campaigns/{made['id']}/test", json={"to": ["me@rcpt.example"]})
    assert tried.status_code == 202, tried.text
    message = client.get(f"/api/v1/messages/{tried.json()['messages'][0]['id']}").json()
    assert (message["recipient"], message["subject"]) == ("me@rcpt.example", "[Test] For you")
    assert message["tracking"] == {"opens": "off", "clicks": "off"}
    assert client.get(f"/api/v1/campaigns/{made['id']}").json()["submission"] is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"subject": "{{ contact.nmae }}"}, "subject"), ({"from": "x"}, "sender"), ({"html": ""}, "html")],
)
def test_what_is_wrong_is_told(
    database: Database, clients: tuple[TestClient, TestClient, str], changes: dict[str, str], field: str
) -> None:
    """A draft may be unfinished; its check names the field, and sending it is 422."""
    client = clients[0]
    list_id = add_list(database, "readers")
    made = client.post("/api/v1/campaigns", json={**WANTED, "lists": [str(list_id)], **changes})
    path = f"/api/v1/campaigns/{made.json()['id']}"
    assert [one["field"] for one in client.get(f"{path}/check").json() if one["blocks"]] == [field]
    assert client.post(f"{path}/send", json={}).status_code == 422
    assert client.get(path).json()["state"] == "draft"
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_what_to_mind(database: Database, clients: tuple[TestClient, TestClient, str]) -> None:
    """No way out in the mail, a link to nowhere and a mail that is too long are told, and forbid nothing."""
    client = clients[0]
    list_id = add_list(database, "readers")
    html = '<p><a href="example.org/x">x</a></p>' + "y" * 110_000
    made = client.post("/api/v1/campaigns", json={**WANTED, "lists": [str(list_id)], "html": html}).json()
    found = client.get(f"/api/v1/campaigns/{made['id']}/check").json()
    assert [one["blocks"] for one in found] == [False] * 3
    assert client.post(f"/api/v1/campaigns/{made['id']}/send", json={}).status_code == 202


@pytest.mark.parametrize(
    "changes",
    [{"name": " "}, {"per_minute": 0}, {"html": "x" * 2_000_001}, {"colour": "red"}, {"lists": ["x"]}],
)
def test_what_no_campaign_can_be(clients: tuple[TestClient, TestClient, str], changes: dict[str, Any]) -> None:
    """What could never be sent is not stored."""
    assert clients[0].post("/api/v1/campaigns", json={**WANTED, **changes}).status_code == 422


def test_times_have_a_zone(clients: tuple[TestClient, TestClient, str]) -> None:
    """A time that says nothing of its zone is refused, and what is not there is 404."""
    made = clients[0].post("/api/v1/campaigns", json=WANTED).json()
    at = NOW.replace(tzinfo=None).isoformat()
    assert clients[0].post(f"/api/v1/campaigns/{made['id']}/send", json={"at": at}).status_code == 422
    assert clients[0].post(f"/api/v1/campaigns/{uuid4()}/pause").status_code == 404


def test_ranked_by_rate(database: Database, clients: tuple[TestClient, TestClient, str]) -> None:
    """The best first, each with its own rates and what it is ranked by."""
    with database.write() as tx:
        for name, copies, opened in (("good", 30, 20), ("fair", 30, 10), ("poor", 30, 5), ("tiny", 2, 2)):
            add_sent(tx, Cast(None, {}), name, copies, opened)  # type: ignore[arg-type]  # by no account
    found = clients[0].get("/api/v1/campaigns/ranking", params={"by": "opened"}).json()
    rows = found["campaigns"]
    assert (found["by"], found["unmeasured"], [row["name"] for row in rows][-1]) == ("opened", 0, "poor")
    tiny = next(row for row in rows if row["name"] == "tiny")
    assert (tiny["opened"]["part"], tiny["opened"]["whole"], tiny["clicked"]["part"]) == (2, 2, 0)
    prior = tiny["prior"]
    assert tiny["score"] == pytest.approx((2 + prior["mean"] * prior["weight"]) / (2 + prior["weight"]))
    assert clients[0].get("/api/v1/campaigns/ranking", params={"by": "luck"}).status_code == 422
