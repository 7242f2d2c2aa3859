"""Webhooks over REST, on their pages and on the command line: one endpoint behind all three, its secret shown once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from resonanz import model
from resonanz.app.webhooks import WebhookRunner
from resonanz.model import EventKind, Who, new_id
from resonanz.notify.webhooks import endpoints
from resonanz.notify.webhooks.types import TYPES
from resonanz.sealing import Sealer, open_sealer
from resonanz.store import Database, open_database
from resonanz.store import webhook_deliveries as deliveries
from resonanz.store.webhook_deliveries import DeliveryRow, DeliveryState, Result
from resonanz.store.webhook_endpoints import EndpointRow, change_endpoint, list_endpoints
from tests.api.test_hooks import Door, door
from tests.dashboard.test_blocking import other_account
from tests.kit.accounts import cheap_passwords, make_account
from tests.kit.commands import Run, command_settings, run
from tests.kit.listeners import Listener, listener
from tests.kit.pages import Site, empty_site, site
from tests.kit.waiting import wait_for
from tests.kit.workers import KEYS

__all__ = ["command_settings", "door", "empty_site", "listener", "run", "site"]

URL = "https://crm.example.org/resonanz"
WANTED = {"url": URL, "types": ["message.opened", "message.bounced", "event.corrected"]}


def stored(database: Database) -> list[EndpointRow]:
    """Every endpoint."""
    with database.read() as tx:
        return list_endpoints(tx)


def failed(database: Database, endpoint: UUID, response: str = "") -> DeliveryRow:
    """A delivery that was given up."""
    now = model.now()
    row = DeliveryRow(new_id(), endpoint, 1, 1, "message.opened", created_at=now, due_at=now)
    with database.write() as tx:
        deliveries.add_deliveries(tx, [row])
        result = Result(DeliveryState.FAILED, None, now, 500, response, 1234, "answered 500")
        deliveries.note_result(tx, row.id, result)
    return row


# ── REST ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_endpoints_life_over_rest(door: Door) -> None:
    """Added with its secret, changed, paused, resumed, given a new secret, removed; the secret is never told again."""
    api = door.operator
    added = api.post("/api/v1/webhooks", json=WANTED)
    assert added.status_code == 201, added.text
    secret, path = added.json()["secret"], f"/api/v1/webhooks/{added.json()['id']}"
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert added.json()["who"] == ["human"]
    changed = api.patch(path, json={"who": ["human", "machine"], "description": "CRM"})
    assert (changed.status_code, changed.json()["who"], changed.json()["url"]) == (200, ["human", "machine"], URL)
    assert api.post(f"{path}/pause").json()["state"] == "paused"
    assert api.post(f"{path}/resume", json={"from_now": True}).json()["state"] == "on"
    fresh = api.post(f"{path}/secret").json()["secret"]
    assert fresh != secret
    for one in (api.get(path), api.get("/api/v1/webhooks")):
        assert (one.status_code, "secret" in one.text) == (200, False)
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_the_types_are_a_closed_list_with_schemas(door: Door) -> None:
    """Every type is there with the schema of its payload; each kind of fact has one."""
    listed = door.operator.get("/api/v1/webhooks/types").json()["types"]
    assert [one["name"] for one in listed] == list(TYPES)
    assert {TYPES[one["name"]].kind for one in listed} == set(EventKind)
    assert all(one["payload"]["properties"]["type"] == {"const": one["name"]} for one in listed)


def test_what_is_wrong_is_told_in_one_answer(door: Door) -> None:
    """The address, the types, the text; a correction alone tells nobody anything."""
    wrong = {"url": "http://crm.example.org/", "types": ["message.opened", "message.eaten"], "description": "x" * 201}
    answer = door.operator.post("/api/v1/webhooks", json=wrong)
    assert (answer.status_code, {one["where"] for one in answer.json()["errors"]}) == (
        422,
        {"url", "types", "description"},
    )
    for body in ({**WANTED, "types": ["event.corrected"]}, {**WANTED, "url": "https://10.0.0.1/"}):
        assert door.operator.post("/api/v1/webhooks", json=body).status_code == 422
    for _ in range(endpoints.MOST_ENDPOINTS):
        assert door.operator.post("/api/v1/webhooks", json=WANTED).status_code == 201
    assert door.operator.post("/api/v1/webhooks", json=WANTED).status_code == 409


def test_deliveries_and_once_more_over_rest(door: Door) -> None:
    """A page of them with the beginning of the answer; one or all that failed are posted once more."""
    id = door.operator.post("/api/v1/webhooks", json=WANTED).json()["id"]
    path = f"/api/v1/webhooks/{id}"
    test = door.operator.post(f"{path}/test")
    assert (test.status_code, test.json()["type"], test.json()["state"]) == (202, "webhook.test", "waiting")
    row = failed(door.database, UUID(id), "<h1>no</h1>")
    page = door.operator.get(f"{path}/deliveries", params={"state": "failed"}).json()["deliveries"]
    assert [(one["status"], one["response"], one["milliseconds"]) for one in page] == [(500, "<h1>no</h1>", 1234)]
    first = door.operator.get(f"{path}/deliveries", params={"limit": 1}).json()
    rest = door.operator.get(f"{path}/deliveries", params={"limit": 1, "before": first["next"]}).json()
    assert [one["id"] for one in first["deliveries"] + rest["deliveries"]] == [str(row.id), test.json()["id"]]
    since = {"since": (model.now() - timedelta(hours=1)).isoformat()}
    assert door.operator.post(f"{path}/again", json=since).json() == {"deliveries": 1}
    assert door.operator.post(f"{path}/again", json=since).json() == {"deliveries": 0}
    again = door.operator.post(f"{path}/deliveries/{row.id}/again")
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    assert door.operator.post(f"{path}/deliveries/{new_id()}/again").status_code == 404


# ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def fields(*types: str, **more: str) -> dict[str, str]:
    """The form, with these types ticked."""
    return {"url": URL, "description": "CRM & shop", "who": "people", **dict.fromkeys(types, "yes"), **more}


def test_on_its_pages(site: Site) -> None:
    """What is wrong stands beside its field and what was typed stays; the secret stands on the page that made it, and
    on no other; every button does what it says."""
    alice = site.with_parts(sealer=lambda: Sealer(KEYS)).alice()
    wrong = alice.submit("/webhooks", fields("message.clicked", url="http://crm.example.org/"))
    assert (wrong.status_code, 'id="url-note" role="alert"' in wrong.text) == (422, True)
    assert 'name="message.clicked" value="yes" checked' in wrong.text
    assert 'id="types-note" role="alert"' in alice.submit("/webhooks", fields()).text
    made = alice.submit("/webhooks", fields("message.clicked", all_mail="yes"))
    (row,) = stored(site.database)
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", made.text)
    assert found
    assert (row.types, row.who, row.all_mail) == (frozenset({"message.clicked"}), frozenset({Who.HUMAN}), True)
    page = f"/webhooks/{row.id}"
    assert "whsec_" not in alice.get(page).text
    assert "CRM &amp; shop" in alice.get("/webhooks").text
    assert alice.submit(page, fields("message.opened", who="everything")).headers["location"] == f"{page}?done=changed"
    assert stored(site.database)[0].who == frozenset(Who)

    def press(action: str, **more: str) -> str:
        return alice.submit(f"{page}/act", {"action": action, **more}, page=page).headers.get("location", "")

    assert press("pause").endswith("done=paused")
    assert "Paused since" in alice.get(page).text
    assert press("resume").endswith("done=resumed")
    assert press("test").endswith("done=test")
    one = failed(site.database, row.id, "<script>alert(1)</script>")
    shown = alice.get(f"{page}?state=failed").text
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown
    assert "1\u202f234 ms" in shown
    assert press("again", since="day").endswith("again=1")
    assert press("again", delivery=str(one.id)).endswith("done=again")
    assert press("skip").endswith("done=skipped")
    assert "whsec_" in alice.submit(f"{page}/act", {"action": "secret"}, page=page).text
    assert alice.submit(f"{page}/act", {"action": "dance"}, page=page).status_code == 400
    assert alice.get(f"{page}?state=odd").status_code == 400
    assert press("remove") == "/webhooks?done=removed"
    assert alice.get(page).status_code == 404


def test_trouble_is_told_to_its_owner(site: Site) -> None:
    """On the first page that they see, and on its own; what somebody paused on purpose is no trouble."""
    alice = site.with_parts(sealer=lambda: Sealer(KEYS)).alice()
    alice.submit("/webhooks", fields("message.clicked"))
    (row,) = stored(site.database)
    alice.submit(f"/webhooks/{row.id}/act", {"action": "pause"}, page=f"/webhooks/{row.id}")
    assert "The webhook" not in alice.get("/").text
    with site.database.write() as tx:
        change_endpoint(tx, row.id, failures=12, failing_since=site.clock(), note="it failed <12> times in a row")
    assert "it failed &lt;12&gt; times in a row" in alice.get("/").text


def test_others_see_nothing_of_it(site: Site) -> None:
    """Another account has webhooks of its own, of its own mail alone; whoever runs the instance sees all."""
    with_sealer = site.with_parts(sealer=lambda: Sealer(KEYS))
    alice = with_sealer.alice()
    alice.submit("/webhooks", fields("message.clicked", all_mail="yes"))
    (row,) = stored(site.database)
    bob = other_account(with_sealer)
    assert bob.get(f"/webhooks/{row.id}").status_code == 404
    assert "None yet" in bob.get("/webhooks").text
    assert bob.submit("/webhooks", fields("message.clicked", all_mail="yes")).status_code == 403
    bob.submit("/webhooks", fields("message.clicked", url="https://bob.example/"))
    page = alice.get("/webhooks").text
    assert "https://bob.example/" in page
    assert "of <bdi>bob@example.org</bdi>" in page


# ── Command line ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_on_the_command_line(run: Run, listener: Listener, tmp_path: Path) -> None:
    """The whole life of one: added, tested for real, listed, paused, changed, sent again, removed."""
    assert run("setup").returncode == 0
    more = {"RESONANZ_WEBHOOK_PRIVATE_HOSTS": listener.host}
    asked = ("webhooks", "add", listener.url, "--type", "message.opened", "--json")
    refused = run(*asked, **more)
    assert (refused.returncode, "no such account" in refused.stderr) == (1, True)
    database = open_database(f"sqlite:///{tmp_path}/data/resonanz.sqlite")
    make_account(database, cheap_passwords())
    assert "RESONANZ_WEBHOOK_PRIVATE_HOSTS" in run(*asked).stderr
    added = json.loads(run(*asked, **more).stdout)
    id = added["id"]
    assert (added["secret"][:6], added["all_mail"], added["who"]) == ("whsec_", True, ["human"])
    assert run("webhooks", "test", id).returncode == 0
    runner = WebhookRunner(database, lambda: open_sealer(tmp_path / "data" / "sealing.json"), [listener.host])
    runner.turn()
    wait_for(lambda: listener.told, "the test")
    assert listener.told[0].is_signed_by(added["secret"])

    def delivered() -> bool:
        (row,) = json.loads(run("webhooks", "deliveries", id, "--json").stdout)
        return bool(row["status"] == 200 and row["state"] == "delivered")

    wait_for(delivered, "the test's result")
    assert "answered 200" in run("webhooks", "deliveries", id).stdout
    row = failed(database, UUID(id))
    database.close()
    assert run("webhooks", "again", id, "--since", "2026-01-01").stdout == "1 posted once more.\n"
    assert run("webhooks", "again", id, "--delivery", str(row.id)).returncode == 0
    assert run("webhooks", "again", id).returncode == 1
    changed = run(
        "webhooks", "change", id, "--type", "message.clicked", "--who", "machine", "--description", "x", **more
    )
    assert changed.returncode == 0, changed.stderr
    assert "ok webhooks 1 in all, none in trouble" in " ".join(run("doctor").stdout.split())
    assert run("webhooks", "pause", id).returncode == 0
    (shown,) = json.loads(run("webhooks", "list", "--json").stdout)
    assert (shown["types"], shown["who"], shown["note"]) == (
        ["message.clicked"],
        ["machine"],
        "paused from the command line",
    )
    assert "paused" in run("webhooks", "list").stdout
    assert run("webhooks", "resume", id, "--from-now").returncode == 0
    assert run("webhooks", "secret", id, "--json").returncode == 0
    assert "message.opened" in run("webhooks", "types").stdout
    assert [one["name"] for one in json.loads(run("webhooks", "types", "--json").stdout)] == list(TYPES)
    assert run("webhooks", "remove", id).returncode == 0
    assert run("webhooks", "remove", id).returncode == 1
    assert run("webhooks", "deliveries", id).returncode == 1


def test_nothing_is_loaded_before_there_is_an_endpoint(tmp_path: Path) -> None:
    """A worker without webhooks carries neither what tells of them nor an HTTP client."""
    code = (
        "import sys; from resonanz.app.webhooks import WebhookRunner; from resonanz.store import open_database;"
        "from resonanz.store.migrate import migrate; database = open_database(sys.argv[1]); migrate(database);"
        "WebhookRunner(database, lambda: None, ()).turn();"
        "print([name for name in sys.modules if name.startswith(('resonanz.notify', 'resonanz.outbound', 'httpx2'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"sqlite:///{tmp_path}/x.sqlite"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
