"""Contacts, lists, suppression and imports over REST."""

from __future__ import annotations

import json
from uuid import UUID

from starlette.testclient import TestClient

from resonanz.model import Coverage, new_id
from resonanz.people import imports
from resonanz.store import Database
from resonanz.store.histories import messages_of
from resonanz.store.imports import ids_in_state
from tests.api.test_blocking import clients
from tests.kit.cast import ALMA, NOON
from tests.kit.rows import update_message

__all__ = ["clients"]

Clients = tuple[TestClient, TestClient, str]


def test_the_whole_life_of_a_contact(clients: Clients) -> None:
    """Add onto a list, find, change, let them choose, export, erase."""
    client = clients[0]
    assert client.post("/api/v1/attributes", json={"name": "born", "kind": "date"}).status_code == 201
    news = client.post("/api/v1/lists", json={"name": "News"}).json()
    wanted = {"address": "Neu@Example.org", "name": "Neu", "attributes": {"born": "31.12.1999"}, "lists": [news["id"]]}
    added = client.post("/api/v1/contacts", json=wanted)
    assert (added.status_code, added.json()["attributes"]) == (201, {"born": "1999-12-31"})
    assert client.post("/api/v1/contacts", json=wanted).status_code == 409
    path = f"/api/v1/contacts/{added.json()['id']}"
    assert client.get("/api/v1/contacts", params={"list": news["id"]}).json()["contacts"] == [added.json()]
    assert client.get("/api/v1/contacts", params={"search": "neu@"}).json()["contacts"] == [added.json()]
    changed = client.patch(path, json={"language": "de_de", "attributes": {"born": None}}).json()
    assert (changed["language"], changed["attributes"], changed["name"]) == ("de-DE", {}, "Neu")
    assert client.patch(path, json={"address": ALMA}).status_code == 409
    wrong = client.patch(path, json={"address": "nobody", "attributes": {"born": "x", "shoes": 3}})
    assert (wrong.status_code, [one["where"] for one in wrong.json()["errors"]]) == (422, ["address", "born", "shoes"])
    said = {"purpose": "mailing", "state": "unconfirmed", "source": "form", "occurred_at": "2026-01-02T03:04:05Z"}
    assert client.post(f"{path}/consents", json=said).json()["in_force"] == {
        "mailing": "unconfirmed",
        "opens": None,
        "clicks": None,
    }
    for refused in ({"purpose": "opens"}, {"source": " "}, {"occurred_at": "2126-01-02T03:04:05Z"}):
        assert client.post(f"{path}/consents", json=said | refused).status_code == 422
    everything = json.loads(client.get(f"{path}/export").text)
    assert everything["contact"]["address"] == "neu@example.org"
    assert everything["choices"][0]["entered_by"] == "owner@resonanz.example"
    assert everything["lists"][0]["name"] == "News"
    assert client.delete(path, params={"suppress": True}).status_code == 204
    for gone in (client.get(path), client.get(f"{path}/export"), client.get(f"{path}/consents"), client.delete(path)):
        assert gone.status_code == 404
    assert client.get("/api/v1/suppressions/neu@example.org").json()["suppression"]["reason"] == "manual"


def test_everything_known_includes_their_mail(clients: Clients) -> None:
    """The export has each message with its events, and is JSON however many there are."""
    client = clients[0]
    (contact,) = client.get("/api/v1/contacts", params={"search": "reader0@"}).json()["contacts"]
    everything = json.loads(client.get(f"/api/v1/contacts/{contact['id']}/export").text)
    (message,) = everything["messages"]
    assert (message["recipient"], message["state"]) == ("reader0@example.org", "sent")
    assert [one["kind"] for one in message["events"]] == ["queued", "sent"]


def test_what_came_of_their_mail(database: Database, clients: Clients) -> None:
    """Counts, who stands before them, and of how many mails something cannot be known, with the reason."""
    client = clients[0]
    (contact,) = client.get("/api/v1/contacts", params={"search": "reader0@"}).json()["contacts"]
    assert contact["gateway"] is None
    with database.write() as tx:
        (message,) = messages_of(tx, UUID(contact["id"]), limit=5)
        update_message(tx, message.id, {"gateway": "Proton", "coverage": Coverage.STRIPPING_DOMAIN})
    path = f"/api/v1/contacts/{contact['id']}"
    assert client.get(path).json()["gateway"] == "Proton"
    said = client.get(f"{path}/mail").json()
    assert (said["messages"], said["arrived"], said["opened"], said["gateway"]) == (1, 1, 0, "Proton")
    assert [(each["reason"], each["messages"]) for each in said["unmeasured"]] == [("stripping_domain", 1)]
    assert client.get(f"/api/v1/contacts/{new_id()}/mail").status_code == 404


def test_lists_and_their_members(clients: Clients) -> None:
    """Create, change, put on and take off, page, delete; a list's contacts outlive it."""
    client = clients[0]
    made = client.post("/api/v1/lists", json={"name": "News", "is_marketing": False})
    assert (made.status_code, made.json()["members"]) == (201, 0)
    assert client.post("/api/v1/lists", json={"name": "nEWS"}).status_code == 409
    path = f"/api/v1/lists/{made.json()['id']}"
    everybody = [one["id"] for one in client.get("/api/v1/contacts").json()["contacts"]]
    assert client.post(f"{path}/contacts", json={"contacts": everybody}).json() == {"added": 5}
    assert client.post(f"{path}/contacts", json={"contacts": everybody}).json() == {"added": 0}
    unknown = {"contacts": ["01920000-0000-7000-8000-000000000000"]}
    assert client.post(f"{path}/contacts", json=unknown).status_code == 404
    page = client.get("/api/v1/contacts", params={"list": made.json()["id"], "limit": 3}).json()
    rest = client.get("/api/v1/contacts", params={"list": made.json()["id"], "before": page["next"]}).json()
    assert [one["id"] for one in page["contacts"] + rest["contacts"]] == everybody
    assert rest["next"] is None
    assert client.delete(f"{path}/contacts/{everybody[0]}").status_code == 204
    assert client.delete(f"{path}/contacts/{everybody[0]}").status_code == 404
    assert client.patch(path, json={"name": "Orders"}).json()["members"] == 4
    assert [one["name"] for one in client.get("/api/v1/lists").json()["lists"]] == ["Orders"]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert len(client.get("/api/v1/contacts").json()["contacts"]) == 5


def test_the_suppression_list(clients: Clients) -> None:
    """Added once, found, paged, lifted only with a reason; all of it stays on record."""
    client = clients[0]
    for name in "abc":
        wanted = {"address": f"{name.upper()}@example.org", "note": "asked by phone"}
        assert client.post("/api/v1/suppressions", json=wanted).status_code == 201
    assert client.post("/api/v1/suppressions", json=wanted).status_code == 409
    page = client.get("/api/v1/suppressions", params={"limit": 2, "reason": "manual"}).json()
    assert ([one["address"] for one in page["suppressions"]], page["next"]) == (
        ["a@example.org", "b@example.org"],
        "b@example.org",
    )
    rest = client.get("/api/v1/suppressions", params={"after": page["next"]}).json()
    assert [one["address"] for one in rest["suppressions"]] == ["c@example.org"]
    assert client.delete("/api/v1/suppressions/a@example.org").status_code == 422
    assert client.delete("/api/v1/suppressions/a@example.org", params={"note": "asked again"}).status_code == 204
    assert client.delete("/api/v1/suppressions/a@example.org", params={"note": "asked again"}).status_code == 404
    seen = client.get("/api/v1/suppressions/a@example.org").json()
    assert seen["suppression"] is None
    assert [(one["change"], one["note"], one["actor"]) for one in seen["history"]] == [
        ("added", "asked by phone", "owner@resonanz.example"),
        ("removed", "asked again", "owner@resonanz.example"),
    ]


def test_a_file_is_handed_in_looked_at_and_started(database: Database, clients: Clients) -> None:
    """What a worker then takes in is told by the import; the refused rows come as CSV that no spreadsheet runs."""
    client = clients[0]
    file = 'E-Mail;Name\n"new@example.org";"Neü"\n=cmd();Evil\n'.encode("windows-1252")
    path = "/api/v1/imports?file_name=people.csv"
    handed = client.post(path, content=file, headers={"content-type": "text/csv"})
    assert handed.status_code == 201, handed.text
    assert handed.json()["form"] == {"encoding": "windows-1252", "delimiter": ";", "has_header": True}
    one = f"/api/v1/imports/{handed.json()['id']}"
    seen = client.get(f"{one}/preview").json()
    assert (seen["good"], seen["refused"], seen["heading"]) == (1, 1, ["E-Mail", "Name"])
    bad = {"consent": {"purposes": ["mailing"], "source": "", "given_at": "2026-01-02T00:00:00Z"}}
    assert client.post(f"{one}/start", json=bad).status_code == 422
    assert client.post(f"{one}/start", json={"columns": ["name", "name"]}).status_code == 422
    assert client.post(f"{one}/start", json={}).json()["state"] == "running"
    assert client.post(f"{one}/start", json={}).status_code == 409
    while imports.take_some(database, NOON):
        pass
    with database.read() as tx:
        assert ids_in_state(tx, "running") == []
    told = client.get(one).json()
    assert (told["state"], told["added"], told["refused"]) == ("finished", 1, 1)
    refused = client.get(f"{one}/errors")
    assert refused.headers["content-type"].startswith("text/csv")
    assert ",'=cmd(),Evil" in refused.text
    assert refused.text.splitlines()[0] == "\ufeffline,reason,E-Mail,Name"
    assert client.post(f"{one}/cancel").status_code == 409
    assert client.get("/api/v1/imports").json()["imports"] == [told]
    assert client.post(path, content=b"", headers={"content-type": "text/csv"}).status_code == 422
    assert client.post(path, content=file, headers={"content-type": "text/html"}).status_code == 422
    again = client.post("/api/v1/imports?file_name=mended.csv", content=refused.text.replace("'=cmd()", "a@x.example"))
    assert again.json()["columns"] == ["", "", "address", "name"]  # mended, it is read as it was
