"""Every code there is has a word, and what a machine did never reads like what a person did."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from resonanz.dashboard import rendering, words
from resonanz.model import Client, ClientKind, Event, EventKind, MessageState, Place, TrackingMode, Verdict
from tests.kit.accounts import NOON
from tests.kit.pages import Finding, Site

BERLIN = rendering.ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("state", MessageState)
def test_every_state_has_a_word(state: MessageState) -> None:
    """With a sentence on what it means."""
    word = words.state(state)
    assert word.label
    assert word.text.endswith(".")


@pytest.mark.parametrize(
    ("timezone", "there"),
    {
        "America/Phoenix": "05:00 there",
        "Asia/Tokyo": "21:00 there",
        "Pacific/Kiritimati": "02:00 there, the next day",
        "Europe/Paris": "",  # no other time than on the page
        "Europe/Atlantis": "",
        "": "",
    }.items(),
)
def test_the_time_there_is_told_where_it_is_another(timezone: str, there: str) -> None:
    """With the day where that is another too; nothing is made up where the zone is not known."""
    event = Event(EventKind.OPENED, NOON, NOON, "x", place=Place("XX", timezone=timezone))
    assert words.there(event, BERLIN) == there
    assert words.there(Event(EventKind.OPENED, NOON, NOON, "x"), BERLIN) == ""


@pytest.mark.parametrize("mode", TrackingMode)
def test_every_mode_has_a_word(mode: TrackingMode) -> None:
    """Likewise."""
    assert words.tracking(mode).label


@pytest.mark.parametrize("kind", EventKind)
def test_every_event_has_a_word_whoever_caused_it(kind: EventKind) -> None:
    """For no verdict and for every verdict; machines are quiet, doubt is calm."""
    assert words.happened(Event(kind, NOON, NOON, "test")).label
    for verdict in Verdict:
        assert words.happened(Event(kind, NOON, NOON, "test", verdict=verdict)).label
    seen = {words.happened(Event(EventKind.OPENED, NOON, NOON, "x", verdict=verdict)) for verdict in Verdict}
    assert {word.tone for word in seen} == {"good", "calm", "quiet"}


def test_programs_and_places() -> None:
    """As much as is known, nothing where it is not."""
    assert words.program(Client(ClientKind.MAIL_CLIENT, "Apple Mail", "iOS", "phone")) == "Apple Mail on iOS"
    assert words.program(Client(ClientKind.BROWSER, "Edge", "", "phone")) == "Edge on a phone"
    assert words.program(Client(ClientKind.MAIL_PROXY, "Gmail")) == "Gmail"
    assert words.program(Client(ClientKind.UNKNOWN, "something")) == words.program(None) == ""
    assert words.place(Place("DE", "", "Kiel")) == "Kiel, DE"
    assert words.place(None) == ""


@pytest.mark.parametrize(
    ("moment", "short"),
    [
        (datetime(2026, 11, 24, 23, 30, tzinfo=UTC), "00:30"),
        (datetime(2026, 11, 24, 22, 30, tzinfo=UTC), "24 Nov, 23:30"),
        (datetime(2025, 12, 31, 12, 0, tzinfo=UTC), "31 Dec 2025"),
    ],
)
def test_times_are_as_brief_as_can_be_understood(moment: datetime, short: str) -> None:
    """In the instance's zone: what is today there, not in UTC."""
    now = datetime(2026, 11, 24, 23, 45, tzinfo=UTC)
    assert rendering.short(moment, now, BERLIN) == short


def test_numbers_and_sizes() -> None:
    """Grouped by thousands, in the unit that is read best."""
    assert rendering.number(1_234_567) == "1\u202f234\u202f567"
    assert [rendering.size(value) for value in (999, 25_400, 25_000_000, 2 * 10**9)] == [
        "999 bytes",
        "25 kB",
        "25.0 MB",
        "2.0 GB",
    ]
    assert [rendering.rate(value) for value in (0.0, 0.24, 9.96, 1234.5)] == ["0.0", "0.2", "10.0", "1\u202f234"]
    assert [rendering.seconds(value) for value in (0.4, 90, 7200, 200_000)] == ["0 s", "2 min", "2.0 h", "2.3 days"]


def test_the_status_page_shows_findings_with_their_remedy(site: Site) -> None:
    """At once as an empty page, the checks as a fragment; without script by a link."""
    site.findings += [Finding("disk", "ok", "82 GB free"), Finding("edge", "broken", "no answer", "start <it>")]
    alice = site.alice()
    assert "82 GB free" not in alice.get("/status").text
    for answer in (alice.get("/status?part=findings", **{"hx-request": "true"}), alice.get("/status?run=yes")):
        assert "82 GB free" in answer.text
        assert "start &lt;it&gt;" in answer.text
        assert "broken" in answer.text
