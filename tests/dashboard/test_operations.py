"""The operations page and the banner: for whoever runs the instance, and loud to everybody when hits are lost."""

from __future__ import annotations

from dataclasses import replace

from resonanz.dashboard.operations import Alarm, JournalState, Operations, RoleState
from tests.dashboard.test_blocking import other_account
from tests.kit.accounts import NOON
from tests.kit.pages import Site

SEEN = Operations(
    at=NOON,
    roles=(
        RoleState("edge", "http://127.0.0.1:8610", reachable=True, well=True, note="<b>old</b> snapshot"),
        RoleState("worker", "http://127.0.0.1:8612", reachable=False),
        RoleState("app", "http://127.0.0.1:8611", reachable=True, well=False, note="no database"),
    ),
    journals=(JournalState("edge-00", "edge", 1234, 125.0, 5_000_000, 17),),
    limit_bytes=2_000_000_000,
    rates={"click": 2.5, "open": 40.2},
    history=(0.0, 20.0, 42.7),
    drops={"no_consent": 9, "set_aside": 1},
    silent=4,
    unrecorded=3,
    queue=12,
    snapshot_age=40.0,
)
ALARM = Alarm("the journal cannot be written: <disk> full", "edge: /data/journal/edge-00.sqlite", "Free space.")


def test_everything_that_was_seen_is_shown(site: Site) -> None:
    """Rates, journals, lag, drops by reason, losses, queue, snapshot and roles; foreign text is escaped."""
    alice = site.with_parts(operations=lambda: SEEN).alice()
    page = alice.get("/operations").text
    for text in (
        "click 2.5 · open 40",
        "1\u202f234",
        "2 min",
        "No consent to be recorded",
        "not reachable",
        "in trouble",
        "no database",
        "40 s old",
        "each may grow to 2.0 GB",
        "&lt;b&gt;old&lt;/b&gt;",
        "<polyline points=",
    ):
        assert text in page, text
    assert '<td class="number loss">17</td>' in page
    part = alice.get("/operations?part=all", **{"hx-request": "true"}).text
    assert "<html" not in part
    assert "Waiting in journals" in part


def test_what_cannot_be_known_is_said(site: Site) -> None:
    """Before the first look, without listeners, and with worker, database and snapshot away."""
    assert "The first look is under way" in site.alice().get("/operations").text
    nothing = replace(SEEN, drops=None, queue=None, snapshot_age=None, snapshot_note="No edge has one.", journals=())
    page = site.with_parts(operations=lambda: nothing).alice().get("/operations").text
    for text in ("the database does not answer", "no snapshot", "No edge has one.", "No journal lies in"):
        assert text in page, text
    off = site.with_parts(operations=lambda: Operations(watched=False)).alice()
    assert "RESONANZ_OPS_PORT" in off.get("/operations").text


def test_an_alarm_is_on_every_page(site: Site) -> None:
    """What, where and the remedy stand above each page for everybody signed in, come and go without a reload, and are
    nobody else's business."""
    loud = site.with_parts(operations=lambda: replace(SEEN, alarms=(ALARM,)))
    alice, bob = loud.alice(), other_account(loud)
    for visitor in (alice, bob):
        for path in ("/", "/messages", "/account", "/alarms"):
            page = visitor.get(path).text
            assert "Hits are being lost:" in page
            assert ">the journal cannot be written: &lt;disk&gt; full</bdi>" in page
            assert "edge: /data/journal/edge-00.sqlite" in page
            assert "Free space." in page
    assert 'hx-get="/alarms" hx-trigger="every' in alice.get("/").text
    assert "Hits are being lost" not in loud.visitor().get("/sign-in").text
    assert loud.visitor().get("/alarms").status_code == 303
    assert "Hits are being lost" not in site.alice().get("/").text


def test_the_page_is_for_operators(site: Site) -> None:
    """Others find no way to it, and are refused."""
    bob = other_account(site)
    assert "/operations" not in bob.get("/account").text
    assert bob.get("/operations").status_code == 403
    assert 'href="/operations"' in site.alice().get("/").text
