"""Site visits on their way to becoming facts."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from resonanz.accounts.instance import choose_own_sites
from resonanz.ingest import journals as taking
from resonanz.ingest import rebuild, take_journals
from resonanz.ingest.pipeline import DropReason
from resonanz.insight import message_page
from resonanz.model import Event, EventKind, Hit, HitKind, TrackingMode, Verdict, Who, new_id, to_microseconds
from resonanz.people import Choice, Purpose, record_choice
from resonanz.store import Database, events, rollup
from resonanz.store.messages import Message
from tests.kit.cast import BROWSER, NOON, Cast, hit
from tests.kit.journals import MemoryJournals

CLICKED = NOON + timedelta(hours=1)


def given(database: Database, **modes: TrackingMode) -> Message:
    """A mail by a sender whose own site is shop.example."""
    with database.write() as tx:
        choose_own_sites(tx, ["shop.example"], NOON)
        return Cast.enter(tx).mail(tx, **modes)


def beacon(message: Message, *, after: timedelta = timedelta(minutes=1), user_agent: str = BROWSER, **said: Any) -> Hit:
    """A report, some time after the click on the mail's first link."""
    report = {"act": "page", "at": "https://shop.example/prices", **said}
    return hit(
        message,
        HitKind.BEACON,
        at=CLICKED + after,
        link=0,
        destination=str(to_microseconds(CLICKED) // 1_000_000),
        method="POST",
        user_agent=user_agent,
        body=json.dumps(report),
    )


def taken(database: Database, *hits: Hit) -> list[Event]:
    """Take these hits over and return all facts of the edge."""
    take_journals(database, MemoryJournals(**{new_id().hex: hits}), now=lambda: datetime.now(NOON.tzinfo))
    with database.read() as tx:
        return [event for event in events.after(tx, 0, limit=100) if event.source == "edge"]


def test_a_page_is_a_visit_of_its_mail_and_link(database: Database) -> None:
    """Message, link, page and title are kept; of the query only what names the campaign, of a fragment nothing."""
    message = given(database)
    at = "https://u:p@SHOP.example:8443/prices/ü?id=7&utm_source=news&utm_x=a%20b&sid=secret#top"
    (event,) = taken(database, beacon(message, at=at, title="Prices\0", **{"from": "/start"}))
    assert (event.kind, event.message_id, event.link) == (EventKind.VISITED, message.id, 0)
    assert event.url == "https://shop.example:8443/prices/%C3%BC?utm_source=news&utm_x=a+b"
    assert {name: event.detail[name] for name in ("title", "from")} == {"title": "Prices", "from": "/start"}
    assert event.verdict is Verdict.HUMAN_LIKELY
    with database.read() as tx:
        assert (EventKind.VISITED, Who.HUMAN, 1) in [
            row[1:] for row in rollup.counts_between(tx, NOON, CLICKED + timedelta(days=1))
        ]


def test_time_and_reloads_belong_to_their_page(database: Database) -> None:
    """The longest time told counts, whenever it was told; what was clicked there is an entry of its own."""
    message = given(database)
    first = beacon(message, title="Prices")
    minutes = [timedelta(minutes=n) for n in range(2, 8)]
    more = [
        beacon(message, after=minutes[0], act="time", seconds=5),
        beacon(message, after=minutes[1], act="time", seconds=65),
        beacon(message, after=minutes[2]),  # reloaded
        beacon(message, after=minutes[3], act="element", element="order"),
        beacon(message, after=minutes[4], act="time", seconds=3),
        beacon(message, after=minutes[5], at="https://shop.example/order"),
    ]
    taken(database, first)
    taken(database, *more)
    page = message_page(database, message.id)
    assert page is not None
    visits = [entry for entry in page.timeline if entry.event.kind is EventKind.VISITED]
    assert [
        (entry.event.url.rpartition("/")[2], entry.event.detail.get("element"), entry.seconds) for entry in visits
    ] == [
        ("prices", None, 65),
        ("prices", "order", None),
        ("order", None, None),
    ]
    assert visits[0].repeats == 4
    assert rebuild(database).messages_changed == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"at": "https://other.example/"}, DropReason.FOREIGN_SITE),
        ({"at": "https://notshop.example/"}, DropReason.FOREIGN_SITE),
        ({"at": "javascript:alert(1)"}, DropReason.NO_VISIT),
        ({"at": "https://[broken/"}, DropReason.NO_VISIT),
        ({"at": "https://shop.example:port/"}, DropReason.NO_VISIT),
        ({"at": 7}, DropReason.NO_VISIT),
        ({"after": timedelta(hours=13)}, DropReason.VISIT_OVER),
        ({"after": -timedelta(hours=1)}, DropReason.VISIT_OVER),
    ],
)
def test_what_is_no_visit_of_ours_is_dropped(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], reason: DropReason
) -> None:
    """Pages of others, no pages, and reports long after their click: each with its reason."""
    message = given(sqlite_database)
    dropped: list[DropReason] = []
    monkeypatch.setattr(taking, "_count", lambda outcome, *_: dropped.extend(outcome.dropped))
    assert taken(sqlite_database, beacon(message, **changes)) == []
    assert dropped == [reason]


def test_visits_need_consent_to_clicks(database: Database) -> None:
    """Without a name, or after consent was withdrawn, nothing is recorded; consent to opens does not matter."""
    message = given(database, opens=TrackingMode.OFF)
    assert len(taken(database, beacon(message))) == 1
    assert message.contact_id is not None
    with database.write() as tx:
        record_choice(tx, message.contact_id, Purpose.CLICKS, Choice.WITHDRAWN, now=CLICKED, source="test")
    assert len(taken(database, beacon(message, at="https://shop.example/later"))) == 1


def test_machines_that_run_scripts_are_told_apart(database: Database) -> None:
    """A crawler's visit is kept, and is no person's."""
    message = given(database)
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    (event,) = taken(database, beacon(message, user_agent=agent))
    assert event.verdict is not None
    assert event.verdict.who is Who.MACHINE
