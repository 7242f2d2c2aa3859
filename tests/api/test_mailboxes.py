"""Mailboxes over REST, on their page and on the command line: one row behind all three, its password in none."""

from __future__ import annotations

import json

from resonanz.sealing import Sealer
from resonanz.store import Database, mailboxes
from tests.api.test_hooks import Door, door
from tests.dashboard.test_blocking import other_account
from tests.kit.commands import Run
from tests.kit.pages import Site, empty_site, site
from tests.kit.workers import KEYS

__all__ = ["door", "empty_site", "site"]

WANTED = {"protocol": "imap", "host": "imap.example.org", "username": "reports", "password": "hunter2-hunter2"}


def stored(database: Database) -> list[mailboxes.MailboxRow]:
    """Every mailbox."""
    with database.read() as tx:
        return mailboxes.list_mailboxes(tx)


def test_over_rest(door: Door) -> None:
    """Added with the protocol's own port, listed without its password, removed; what cannot be is 422."""
    added = door.operator.post("/api/v1/mailboxes", json=WANTED | {"security": "starttls"})
    assert (added.status_code, added.json()["port"], added.json()["then"]) == (201, 143, "seen")
    assert "hunter2" not in door.operator.get("/api/v1/mailboxes").text
    assert b"hunter2" not in stored(door.database)[0].secret
    id = door.operator.post("/api/v1/mailboxes", json=WANTED | {"host": "localhost", "port": 1}).json()["id"]
    checked = door.operator.post(f"/api/v1/mailboxes/{id}/check")
    assert (checked.status_code, "cannot be read" in checked.text) == (503, True)
    path = f"/api/v1/mailboxes/{id}/password"
    assert door.operator.put(path, json={"password": "hunter3"}).status_code == 503  # nobody there to try it with
    assert door.operator.put(path, json={"password": ""}).status_code == 422
    tokens = {"authentication": "xoauth2", "password": "", "provider": "microsoft", "client_id": "app"}
    assert door.operator.post("/api/v1/mailboxes", json=WANTED | tokens).json()["provider"] == "microsoft"
    signed_in = f"/api/v1/mailboxes/{stored(door.database)[-1].id}/password"
    refused = door.operator.put(signed_in, json={"password": "hunter3"})
    assert (refused.status_code, "sign in again" in refused.text) == (422, True)
    wrong = door.operator.post("/api/v1/mailboxes", json=WANTED | {"host": " ", "protocol": "pop3", "then": "move"})
    assert (wrong.status_code, {one["where"] for one in wrong.json()["errors"]}) == (422, {"host", "move_to"})
    assert door.operator.delete(f"/api/v1/mailboxes/{added.json()['id']}").status_code == 204
    assert door.operator.delete(f"/api/v1/mailboxes/{added.json()['id']}").status_code == 404


def test_on_its_page(site: Site) -> None:
    """What is wrong stands beside its field and what was typed stays; why a look failed is shown, escaped."""
    alice = site.with_parts(sealer=lambda: Sealer(KEYS)).alice()
    fields = {
        **WANTED,
        "security": "tls",
        "folder": "INBOX",
        "then": "delete",
        "move_to": "",
        "port": "x",
        "authentication": "password",
    }
    wrong = alice.submit("/mailboxes", fields)
    assert (wrong.status_code, 'id="port-note" role="alert"' in wrong.text) == (422, True)
    assert 'value="imap.example.org"' in wrong.text
    assert "hunter2" not in wrong.text
    assert alice.submit("/mailboxes", fields | {"port": ""}).headers["location"] == "/mailboxes?done=added"
    (row,) = stored(site.database)
    with site.database.write() as tx:
        mailboxes.note_check(tx, row.id, now=site.clock(), failure="<no such server>")
    page = alice.get("/mailboxes").text
    assert "&lt;no such server&gt;" in page
    assert 'aria-label="Check reports"' in page
    checked = alice.submit("/mailboxes/check", {"id": str(row.id)}, page="/mailboxes")
    assert "imap.example.org" in checked.text
    assert 'class="note warn"' in checked.text
    assert alice.submit("/mailboxes/remove", {"id": str(row.id)}, page="/mailboxes").status_code == 303
    assert alice.submit("/mailboxes/remove", {"id": "x"}, page="/mailboxes").status_code == 404
    assert other_account(site).get("/mailboxes").status_code == 403


def test_on_the_command_line(run: Run) -> None:
    """Added, listed, checked in vain, removed."""
    assert run("setup").returncode == 0
    asked = ("mailbox", "add", "pop3", "localhost", "--user", "reports", "--port", "1", "--password-file", "-")
    assert run(*asked, stdin=b"hunter2\n").returncode == 0
    (row,) = json.loads(run("mailbox", "list", "--json").stdout)
    assert (row["protocol"], row["username"], row["failure"]) == ("pop3", "reports", "")
    checked = run("mailbox", "check", row["id"])
    assert (checked.returncode, "cannot be read" in checked.stderr) == (1, True)
    changed = run("mailbox", "password", row["id"], "--password-file", "-", stdin=b"hunter3\n")
    assert (changed.returncode, "hunter3" in changed.stdout + changed.stderr) == (1, False)
    assert "not looked at yet" in run("mailbox", "list").stdout
    assert run("mailbox", "remove", row["id"]).returncode == 0
    assert run("mailbox", "remove", row["id"]).returncode == 1
