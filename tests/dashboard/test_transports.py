"""The page of transports and the queue: added, changed, checked, held, and signed in with a provider."""

from __future__ import annotations

import re
import ssl
from html import unescape
from pathlib import Path

import pytest

from resonanz.outbound import Rules, oauth, post, web
from resonanz.sending.named_transports import secret_of
from resonanz.sending.queue_control import is_queue_paused
from resonanz.sending.transports.opening import Opener
from resonanz.store.transports import StoredTransport, list_transports
from tests.dashboard.test_blocking import other_account
from tests.kit.oauth_server import running_oauth_server
from tests.kit.openers import SEALER
from tests.kit.pages import HOME, Site
from tests.kit.sinks import running_sink

FIELDS = {"name": "acme", "host": "localhost", "security": "none", "authentication": "password", "username": "ada",
          "secret": "p@ss", "senders": "acme.example, ada@other.example", "port": "2525"}  # fmt: skip


def stored(site: Site) -> list[StoredTransport]:
    """Every transport."""
    with site.database.read() as tx:
        return list_transports(tx)


def test_a_transport_is_added_changed_checked_and_removed(site: Site) -> None:
    """It stands on the page without its secret, which stays when the form is saved without one."""
    alice = site.alice()
    with running_sink(login=("ada", "p@ss")) as sink:
        fields = {**FIELDS, "port": str(sink.port)}
        assert alice.submit("/transports", fields).headers["location"] == "/transports?done=added"
        page = alice.get("/transports").text
        assert "acme.example, ada@other.example" in page
        assert "p@ss" not in page + alice.get("/transports/acme").text
        changed = alice.submit("/transports/acme", {**fields, "secret": "", "rate_per_minute": "30"})
        assert changed.headers["location"] == "/transports?done=changed"
        assert (stored(site)[0].rate_per_minute, secret_of(stored(site)[0], SEALER)) == (30, "p@ss")
        assert "logged in as ada" in alice.submit("/transports/acme/check", {}, page="/transports").text
    assert "cannot be reached" in alice.submit("/transports/acme/check", {}, page="/transports").text
    alice.submit("/transports/acme/pause", {}, page="/transports")
    assert stored(site)[0].paused
    alice.submit("/transports/acme/resume", {}, page="/transports")
    alice.submit("/transports/acme/remove", {}, page="/transports")
    assert stored(site) == []


def test_what_is_wrong_stands_beside_its_field(site: Site) -> None:
    """What was typed stays but for the secret, and nothing is stored."""
    alice = site.alice()
    answer = alice.submit("/transports", {**FIELDS, "host": "http://<b>/", "priority": "x"})
    assert answer.status_code == 422
    answer = alice.submit("/transports", {**FIELDS, "host": "http://<b>/"})
    assert 'id="host-note" role="alert"' in answer.text
    assert "http://&lt;b&gt;/" in answer.text
    assert "p@ss" not in answer.text
    assert stored(site) == []


def test_the_queue_is_held(site: Site) -> None:
    """The whole queue and one domain are held, limited and let go."""
    alice = site.alice()
    alice.submit("/queue", {"action": "pause"}, page="/transports")
    with site.database.read() as tx:
        assert is_queue_paused(tx)
    assert "Go on sending" in alice.get("/transports").text
    alice.submit("/queue", {"action": "resume"}, page="/transports")
    fields = {"domain": "slow.example", "action": "limit", "connections": "2", "rate_per_minute": ""}
    assert alice.submit("/queue/domain", fields, page="/transports").status_code == 303
    alice.submit("/queue/domain", {"domain": "slow.example", "action": "pause"}, page="/transports")
    page = alice.get("/transports").text
    assert "2 at once" in page
    assert 'aria-label="Resume slow.example"' in page
    wrong = alice.submit("/queue/domain", {"domain": "no domain", "action": "pause"}, page="/transports")
    assert 'id="domain_domain-note" role="alert"' in wrong.text


def test_a_server_of_ones_own(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who does not run the instance adds a server for their own mail, sends themselves a test mail by it and
    reads the server's answer. They see neither the instance's transports nor the queue, and can change neither."""
    monkeypatch.setattr(web, "is_public", lambda address: True)  # the test's own server is on this machine
    alice = site.alice()
    alice.submit("/transports", {**FIELDS, "name": "theirs"})
    bob = other_account(site)
    page = bob.get("/transports").text
    assert "Outgoing servers" in page
    assert "theirs" not in page
    assert "Pause everything" not in page
    with running_sink(login=("ada", "p@ss")) as sink:
        fields = {**FIELDS, "name": "mine", "senders": "*", "port": str(sink.port), "fall_back": "yes"}
        assert bob.submit("/transports", fields).headers["location"] == "/transports?done=added"
        (mine,) = [one for one in stored(site) if one.name == "mine"]
        assert (mine.created_by, mine.account_id is not None, mine.fall_back) == ("bob@example.org", True, True)
        tested = bob.submit("/transports/mine/test", {}, page="/transports").text
        assert "a test mail to bob@example.org was taken: 250 2.0.0 taken as 1" in tested
        assert b"Auto-Submitted: auto-generated" in sink.taken[0].message
        bob.submit("/transports/mine", {**fields, "fall_back": "", "secret": ""})
        assert not next(one for one in stored(site) if one.name == "mine").fall_back
        sink.answers["RCPT"] = "550 5.1.1 <b>nobody</b>"
        assert "&lt;b&gt;nobody" in bob.submit("/transports/mine/test", {}, page="/transports").text
    assert "own of" in alice.get("/transports").text
    for what in ("", "/check", "/test", "/pause", "/resume", "/remove", "/sign-in"):
        assert bob.submit(f"/transports/theirs{what}", FIELDS, page="/transports").status_code == 404
    assert bob.get("/transports/theirs").status_code == 404
    assert bob.submit("/queue", {"action": "pause"}, page="/transports").status_code == 403
    assert bob.submit("/transports/mine/remove", {}, page="/transports").status_code == 303
    assert [one.name for one in stored(site)] == ["theirs"]


def test_signing_in(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out to the provider with a challenge, back with a code; looking changes nothing, the form keeps the token sealed.
    Another session's state, an old one and a changed one are refused."""
    with running_oauth_server(tmp_path) as server:
        monkeypatch.setitem(oauth.PROVIDERS, "google", server.provider())
        rules = Rules(allowed=lambda _: True, trusted=ssl.create_default_context(cafile=str(server.certificate)))
        opener = Opener(site.database, lambda: SEALER, ask=lambda url, form: post(url, form, rules))
        site = site.with_parts(opener=opener)
        alice = site.alice()
        fields = {**FIELDS, "authentication": "xoauth2", "secret": "", "provider": "google", "client_id": "our-app",
                  "client_secret": "our-secret"}  # fmt: skip
        assert alice.submit("/transports", fields).status_code == 303
        way = alice.submit("/transports/acme/sign-in", {}, page="/transports").text
        url = unescape(re.findall(r'href="(https://localhost[^"]+)"', way)[0])
        assert f"{HOME}/transports/signed-in" in way
        code, state = server.allow(url)
        back = {"code": code, "state": state}
        landed = alice.client.get("/transports/signed-in", params=back)
        assert "Finish signing in" in landed.text
        assert stored(site)[0].secret is None, "a GET changed something"
        there = "/transports"
        assert site.alice().submit("/transports/signed-in", back, page=there).status_code == 403
        changed = {"code": code, "state": state.replace("acme", "acmf")}
        assert alice.submit("/transports/signed-in", changed, page=there).status_code == 403
        assert alice.submit("/transports/signed-in", back, page=there).headers["location"] == (
            "/transports?done=signed-in"
        )
        assert secret_of(stored(site)[0], SEALER) in server.refresh_tokens
        site.clock.move(minutes=16)
        assert alice.submit("/transports/signed-in", back, page=there).status_code == 403
    refused = alice.get("/transports/signed-in?error=access_denied&error_description=<i>no")
    assert "&lt;i&gt;no" in refused.text
