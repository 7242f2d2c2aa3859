"""A report: what a mailing set in motion in a few sentences, and whom of its recipients it shows."""

from __future__ import annotations

import re

import pytest

from resonanz.ingest import record_all
from resonanz.model import EventKind, TrackingMode, Verdict
from resonanz.store.messages import Message, Submission
from tests.dashboard.test_messages import cast_of, words_of
from tests.insight.test_ranking import add_sent
from tests.kit.cast import NOON, Cast, event
from tests.kit.pages import Site


def mailing(site: Site, recipients: int) -> tuple[Submission, list[Message]]:
    """A mailing of which one bounced, three opened, two of these clicked, one is behind Apple, and one left."""
    with site.database.write() as tx:
        submission, rows = cast_of(site).mailing(tx, recipients, now=NOON)
        events = [event(rows[0], EventKind.BOUNCED, detail={"bounce": "hard", "reason": "no_such_user"})]
        events += [event(row, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT) for row in rows[1:4]]
        events += [event(row, EventKind.CLICKED, link=1, verdict=Verdict.HUMAN_LIKELY) for row in rows[2:4]]
        events += [event(rows[4], EventKind.OPENED, verdict=Verdict.PRIVACY_PREFETCH)]
        events += [event(rows[5], EventKind.UNSUBSCRIBED), event(rows[1], EventKind.REPLIED)]
        record_all(tx, events)
    return submission, rows


def shown(page: str) -> list[str]:
    """The recipients that a page lists, in its order."""
    return re.findall(r'id="message-[^"]+" href="[^"]+"><bdi>([^<]+)</bdi>', page)


def test_what_it_set_in_motion_stands_on_top_in_words(site: Site) -> None:
    """Who was reached, opened (with those whom privacy protection hides as a range), clicked, answered and left; then
    the links, what came back, and the recipients."""
    submission, rows = mailing(site, 20)
    site = site.with_parts(outbox=None)
    text = words_of(site.alice().get(f"/submissions/{submission.id}").text)
    assert "It went to 19 of 20 people and has not come back; that it arrived is proven for 5. " in text
    assert "3 to 4 people opened it, 2 followed a link. " in text
    assert "One person wrote back, one person unsubscribed. " in text
    assert "called it spam" not in text
    order = ["What it set in motion", "It went to 19", "Help2", "No such user", "How many opened", "Recipients"]
    places = [text.index(said) for said in order]
    assert places == sorted(places)
    with site.database.write() as tx:
        record_all(tx, [event(row, EventKind.DELIVERED) for row in rows[1:]])
    assert "It reached 19 of 20 people." in words_of(site.alice().get(f"/submissions/{submission.id}").text)


def test_the_words_say_what_is_not_known_or_not_yet(site: Site) -> None:
    """Mail that waits, mail in the outbox, counts without names, and nobody who left: each in its own words."""
    with site.database.write() as tx:
        cast = Cast.enter(tx)
        unseen = add_sent(tx, cast, "unseen", 3, 0)
        nameless = add_sent(tx, cast, "nameless", 30, 0, TrackingMode.ANONYMOUS)
    alice = site.alice()
    text = words_of(alice.get(f"/campaigns/{unseen}").text)
    assert "All 3 copies lie in the outbox. Nobody was seen to open it, nobody was seen to follow a link." in text
    assert "Nobody unsubscribed or called it spam." in text
    text = words_of(alice.get(f"/campaigns/{nameless}").text)
    assert "Without names it was opened 0 times and clicked 0 times." in text
    assert "followed a link" not in text


@pytest.mark.parametrize(
    ("who", "expected"),
    [("clicked", [2, 3]), ("opened", [1, 2, 3]), ("lost", [0]), ("silent", [5, 6, 7, 8, 9]), ("nonsense", range(10))],
)
def test_recipients_are_chosen_by_what_they_did(site: Site, who: str, expected: list[int]) -> None:
    """Each choice lists exactly those, as many as its tab says; what is no choice lists everybody; a live update shows
    the same again."""
    submission, rows = mailing(site, 10)
    page = site.alice().get(f"/submissions/{submission.id}?who={who}").text
    assert shown(page) == [rows[index].recipient for index in expected]
    assert re.search(rf'aria-current="page">[^<]+<span class="small soft">{len(expected)}</span>', page)
    if who != "nonsense":
        assert f"?part=submission&amp;who={who}" in page


def test_every_recipient_can_be_reached_page_by_page(site: Site) -> None:
    """The pages meet without gap or overlap, and lead back to the first."""
    with site.database.write() as tx:
        submission, rows = cast_of(site).mailing(tx, 120, now=NOON)
    alice = site.alice()
    seen: list[str] = []
    path = f"/submissions/{submission.id}"
    while path:
        page = alice.get(path).text
        seen += shown(page)
        found = re.search(r'rel="next" href="([^"#]+)#recipients"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == [row.recipient for row in rows]
    assert "Back to the first" in page
    assert alice.get(f"/submissions/{submission.id}?after=nowhere").status_code == 400
