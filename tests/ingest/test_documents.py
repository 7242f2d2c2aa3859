"""Downloads and the author's own images on their way to becoming facts."""

from __future__ import annotations

from datetime import datetime, timedelta

from resonanz.ingest import journals as taking
from resonanz.ingest import take_journals
from resonanz.ingest.pipeline import DropReason
from resonanz.insight import message_page
from resonanz.model import CONTINUED, Event, EventKind, Hit, HitKind, TrackingMode, new_id
from resonanz.people import Choice, Purpose, record_choice
from resonanz.store import Database, events, messages
from resonanz.store.messages import Link, Message
from tests.kit.cast import BROWSER, LINKS, NOON, OUTLOOK, Cast, hit
from tests.kit.journals import MemoryJournals

KEY = "ab" * 32
START = NOON + timedelta(hours=1)


def given(database: Database) -> Message:
    """A mail whose third link leads to a document."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx)
        submission = messages.get_submission(tx, message.submission_id)
        assert submission is not None
        messages.add_links(tx, {submission.content_id: [Link(len(LINKS), "", "offer.pdf")]})
    return message


def download(message: Message, *, after: timedelta = timedelta(0), **more: object) -> Hit:
    about = {"link": len(LINKS), "destination": KEY, "user_agent": BROWSER} | more
    return hit(message, HitKind.FILE, at=START + after, **about)  # type: ignore[arg-type]


def taken(database: Database, *hits: Hit) -> list[Event]:
    """Take these hits over and return all facts of the edge."""
    take_journals(database, MemoryJournals(**{new_id().hex: hits}), now=lambda: datetime.now(NOON.tzinfo))
    with database.read() as tx:
        return [event for event in events.after(tx, 0, limit=100) if event.source == "edge"]


def test_a_download_is_told_by_its_documents_name(database: Database) -> None:
    """The fact keeps the key beside it and claims no address; the message's page names the document and counts it
    among the links."""
    message = given(database)
    (event,) = taken(database, download(message))
    assert (event.kind, event.link, event.url) == (EventKind.DOWNLOADED, len(LINKS), "")
    assert event.detail["document"] == KEY
    page = message_page(database, message.id)
    assert page is not None
    assert [entry.link.label for entry in page.timeline if entry.link] == ["offer.pdf"]
    assert [(row.link.label, row.human + row.indeterminate) for row in page.links] == [
        *((link.label, 0) for link in LINKS),
        ("offer.pdf", 1),
    ]


def test_a_download_that_goes_on_is_no_second_one(database: Database) -> None:
    """However much later it goes on; fetched anew from its beginning it is another."""
    message = given(database)
    found = taken(
        database,
        download(message),
        download(message, after=timedelta(hours=5), body=CONTINUED),
        download(message, after=timedelta(hours=6)),
    )
    assert [event.repeat_of for event in found] == [None, found[0].id, None]


def test_a_download_that_seems_to_go_on_counts_where_no_other_began(database: Database) -> None:
    """Of a program that asks for the end of a file first, the first request is the download."""
    found = taken(database, download(given(database), body=CONTINUED))
    assert [event.repeat_of for event in found] == [None]


def test_a_nameless_download_counts_at_its_beginning(database: Database) -> None:
    """Nothing ties two anonymous requests together, so what goes on is left out."""
    with database.write() as tx:
        submission, _ = Cast.enter(tx).mailing(tx, 6, clicks=TrackingMode.ANONYMOUS)
    left_out = taking.metrics.DROPPED.labels(DropReason.CONTINUED.value)
    before = left_out._value.get()
    nameless = [hit(submission, HitKind.FILE, destination=KEY, body=body) for body in ("", CONTINUED)]
    (event,) = taken(database, *nameless)
    assert (event.kind, event.message_id) == (EventKind.DOWNLOADED, None)
    assert left_out._value.get() == before + 1


def test_who_withdraws_is_not_seen_downloading(database: Database) -> None:
    """Documents are links: whoever refuses to have clicks tracked has no download on record either."""
    message = given(database)
    assert message.contact_id is not None
    with database.write() as tx:
        record_choice(
            tx, message.contact_id, Purpose.CLICKS, Choice.WITHDRAWN, now=NOON, source="test", text_version="1"
        )
    assert taken(database, download(message)) == []


def test_the_authors_image_is_an_open_like_any_other(database: Database) -> None:
    """Where the image lies is no link that anybody followed, and image and pixel of one mail fold together."""
    message = given(database)
    image = hit(message, HitKind.OPEN, user_agent=OUTLOOK, link=0, destination="https://shop.example/logo.png")
    first, second = taken(database, image, hit(message, HitKind.OPEN, user_agent=OUTLOOK))
    assert (first.kind, first.link, first.url) == (EventKind.OPENED, None, "")
    assert second.repeat_of == first.id
