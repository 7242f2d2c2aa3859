"""Taking journals over: every hit becomes a fact once, whatever fails in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from resonanz.ingest import journals as taking
from resonanz.ingest import retry_aside, take_journals
from resonanz.ingest.pipeline import DropReason
from resonanz.journal import JournalReader, JournalUnavailable, SqliteJournal
from resonanz.model import (
    ClientKind,
    Confidence,
    Event,
    EventKind,
    Hit,
    HitKind,
    MessageState,
    TemporaryFailure,
    TrackingMode,
    Verdict,
    Who,
    new_id,
)
from resonanz.people import Choice, Purpose, reason_for, record_choice, restore
from resonanz.store import Database, events, messages, rollup
from resonanz.store.aside import count_aside, list_aside
from resonanz.store.messages import Message, Submission
from tests.kit.cast import ALMA, APPLE_PRIVACY, BROWSER, GMAIL, NOON, OUTLOOK, Cast, hit
from tests.kit.journals import MemoryJournals

LATER = NOON + timedelta(hours=2)


def later() -> datetime:
    return LATER


def given(database: Database, opens: TrackingMode = TrackingMode.INDIVIDUAL, to: str = ALMA) -> Message:
    with database.write() as tx:
        return Cast.enter(tx).mail(tx, to, opens=opens, clicks=opens)


def taken(database: Database, *hits: Hit) -> list[Event]:
    """Take these hits over from a journal of their own, and return all facts there are."""
    assert take_journals(database, MemoryJournals(**{new_id().hex: hits}), now=later) == len(hits)
    return facts(database)


def facts(database: Database) -> list[Event]:
    with database.read() as tx:
        return [event for event in events.after(tx, 0, limit=10_000) if event.source == "edge"]


def now_of(database: Database, message: Message) -> Message:
    with database.read() as tx:
        found = messages.get_message(tx, message.id)
    assert found is not None
    return found


# ── What becomes of a hit ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_open_becomes_a_fact_without_address_and_user_agent(database: Database) -> None:
    """Judge, then forget: the fact says who, when and with what, and nothing by which somebody could be traced."""
    message = given(database)
    (event,) = taken(database, hit(message, user_agent=OUTLOOK))
    assert (event.kind, event.message_id, event.recipient) == (EventKind.OPENED, message.id, ALMA)
    assert (event.occurred_at, event.received_at) == (NOON + timedelta(hours=1), LATER)
    assert (event.verdict, event.confidence) == (Verdict.HUMAN_DIRECT, Confidence.PROBABLE)
    assert event.client is not None
    assert (event.client.kind, event.client.os) == (ClientKind.MAIL_CLIENT, "Windows")
    assert "192.0.2.7" not in repr(event)
    assert "16.0.17328" not in repr(event)  # all of it: five digits may stand in any id
    now = now_of(database, message)
    assert (now.opens_human, now.state) == (1, MessageState.DELIVERED)
    assert now.first_opened_at == NOON + timedelta(hours=1)


def test_a_click_tells_link_and_destination(database: Database) -> None:
    """The fact carries where the reader went, exactly as the signed URL had it."""
    message = given(database)
    url = "https://shop.example/ä?x=1&y=%20#top"
    (event,) = taken(database, hit(message, HitKind.CLICK, user_agent=BROWSER, link=3, destination=url))
    assert (event.kind, event.link, event.url) == (EventKind.CLICKED, 3, url)
    assert event.verdict is Verdict.PENDING
    assert now_of(database, message).clicks_indeterminate == 1


def test_machines_and_the_undecidable_are_kept_and_counted_apart(database: Database) -> None:
    """Nothing is dropped for who asked, and nothing a machine fetched proves delivery."""
    message = given(database)
    taken(database, hit(message, user_agent="Slackbot-LinkExpanding 1.0"), hit(message, HitKind.CLICK, method="HEAD"))
    now = now_of(database, message)
    assert (now.opens_machine, now.clicks_machine, now.opens_human, now.clicks_human) == (1, 1, 0, 0)
    assert (now.state, now.first_opened_at, now.first_clicked_at) == (MessageState.SENT, None, None)
    taken(database, hit(message, user_agent=APPLE_PRIVACY))
    now = now_of(database, message)
    assert (now.opens_indeterminate, now.first_opened_at) == (1, None)
    assert now.state is MessageState.DELIVERED, "whether somebody looked is open; that it arrived is not"


def test_an_anonymous_hit_names_nobody(database: Database) -> None:
    """Only the submission is known, and only its totals move."""
    with database.write() as tx:
        submission, _ = Cast.enter(tx).mailing(tx, 6, opens=TrackingMode.ANONYMOUS, clicks=TrackingMode.ANONYMOUS)
    found = taken(
        database,
        replace(hit(submission), address=""),
        replace(hit(submission, HitKind.CLICK), address=""),
        replace(hit(submission, HitKind.CLICK, method="HEAD"), address=""),
        replace(hit(submission), address="", user_agent="python-requests/2.32"),
    )
    assert {(event.message_id, event.recipient, event.client, event.place) for event in found} == {
        (None, "", None, None)
    }
    with database.read() as tx:
        now = messages.get_submission(tx, submission.id)
    assert now is not None
    assert (now.anonymous_opens, now.anonymous_clicks) == (1, 1), "a machine's look is a fact, but not counted"


def test_unsubscribing_by_post_suppresses_the_address_as_it_is_looked_up(database: Database) -> None:
    """Who wants no more mail gets none, however the address was written when it was sent to."""
    message = given(database, to="Alma.Adler@EXAMPLE.org")
    (event,) = taken(database, hit(message, HitKind.UNSUBSCRIBE, method="POST", body="one-click"))
    assert (event.kind, event.verdict) == (EventKind.UNSUBSCRIBED, Verdict.HUMAN_CONFIRMED)
    with database.read() as tx:
        assert reason_for(tx, "alma.adler@example.org") == "unsubscribed"


def test_who_unsubscribes_again_after_coming_back_is_suppressed_again(database: Database) -> None:
    """An old mail's link works for ever: the second wish counts like the first, also as a repeat of it."""
    message = given(database)
    wish = hit(message, HitKind.UNSUBSCRIBE, method="POST", body="page")
    taken(database, wish)
    with database.write() as tx:
        assert restore(tx, ALMA, now=NOON, source="dashboard", note="asked to", actor="olga@resonanz.example")
    first, second = taken(database, wish)
    assert second.repeat_of == first.id
    with database.read() as tx:
        assert reason_for(tx, ALMA) == "unsubscribed"


def test_text_that_no_database_holds_is_cleaned(database: Database) -> None:
    """A signed destination may hold anything; a NUL or half a surrogate pair must not stop the journal."""
    message = given(database)
    found = taken(database, hit(message, HitKind.CLICK, destination="https://x.example/\0a\ud800b"))
    assert [event.url for event in found] == ["https://x.example/a?b"]


# ── What is left out ────────────────────────────────────────────────────────────────────────────────────────────────


def _unknown(message: Message, submission: Submission) -> Hit:
    return replace(hit(message), id=new_id())


def _unknown_submission(message: Message, submission: Submission) -> Hit:
    return replace(hit(submission), id=new_id())


def _message_as_anonymous(message: Message, submission: Submission) -> Hit:
    return replace(hit(message), anonymous=True)


def _looked_at_unsubscribing(message: Message, submission: Submission) -> Hit:
    return hit(message, HitKind.UNSUBSCRIBE, method="GET")


def _anonymous_unsubscribing(message: Message, submission: Submission) -> Hit:
    return hit(submission, HitKind.UNSUBSCRIBE, method="POST")


def _withdrawn(message: Message, submission: Submission) -> Hit:
    return hit(message, HitKind.OPEN)


def _looked_at_preferences(message: Message, submission: Submission) -> Hit:
    return hit(message, HitKind.PREFERENCES, method="GET", body="off")


def _anonymous_choice(message: Message, submission: Submission) -> Hit:
    return hit(submission, HitKind.PREFERENCES, method="POST", body="off")


def _unknown_choice(message: Message, submission: Submission) -> Hit:
    return hit(message, HitKind.PREFERENCES, method="POST", body="sometimes 0123456789ab")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_unknown, DropReason.UNKNOWN_MESSAGE),
        (_unknown_submission, DropReason.UNKNOWN_MESSAGE),
        (_message_as_anonymous, DropReason.UNKNOWN_MESSAGE),
        (_looked_at_unsubscribing, DropReason.NOT_AN_ACT),
        (_anonymous_unsubscribing, DropReason.NOT_AN_ACT),
        (_withdrawn, DropReason.NO_CONSENT),
        (_looked_at_preferences, DropReason.NOT_AN_ACT),
        (_anonymous_choice, DropReason.NOT_AN_ACT),
        (_unknown_choice, DropReason.NO_CHOICE),
    ],
)
def test_what_is_left_out_is_counted_by_its_reason(
    database: Database, make: Callable[[Message, Submission], Hit], reason: DropReason
) -> None:
    """No fact, no counter, no suppression; and the operator can see how many, and why."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
        submission, _ = cast.mailing(tx)
        record_choice(tx, cast.people[ALMA], Purpose.OPENS, Choice.WITHDRAWN, now=NOON, source="preferences")
    before = _dropped(reason)
    assert taken(database, make(message, submission)) == []
    assert _dropped(reason) == before + 1
    assert now_of(database, message) == message
    with database.read() as tx:
        assert reason_for(tx, ALMA) is None


def test_withdrawing_opens_leaves_clicks_and_unsubscribing(database: Database) -> None:
    """Each purpose is its own, and leaving is always possible."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
        record_choice(tx, cast.people[ALMA], Purpose.OPENS, Choice.WITHDRAWN, now=NOON, source="preferences")
    found = taken(
        database,
        hit(message),
        hit(message, HitKind.CLICK, user_agent=BROWSER),
        hit(message, HitKind.UNSUBSCRIBE, method="POST"),
    )
    assert [event.kind for event in found] == [EventKind.CLICKED, EventKind.UNSUBSCRIBED]


def _dropped(reason: DropReason) -> float:
    return taking.metrics.DROPPED.labels(reason.value)._value.get()


# ── Repeats ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_five_hundred_fetches_of_one_pixel_are_one_open(database: Database) -> None:
    """A proxy that fetches again and again is one open and 499 repeats, within a batch and across batches."""
    message = given(database)
    hits = [hit(message, user_agent=GMAIL, at=NOON + timedelta(minutes=number)) for number in range(500)]
    journals = MemoryJournals(edge=hits)
    assert take_journals(database, journals, now=later, batch=120) == 500
    found = facts(database)
    assert [event.repeat_of for event in found] == [None, *[found[0].id] * 499]
    now = now_of(database, message)
    assert (now.opens_human, now.opens_machine) == (1, 0)
    assert (now.first_opened_at, now.last_opened_at) == (NOON, NOON + timedelta(minutes=499))
    with database.read() as tx:
        counted = rollup.counts_between(tx, NOON - timedelta(days=1), NOON + timedelta(days=1))
    assert [row for row in counted if row[1] is EventKind.OPENED] == [(NOON, EventKind.OPENED, Who.HUMAN, 1)]


def test_people_are_folded_together_and_machines_by_their_sort(database: Database) -> None:
    """One person with two programs opened once; a prefetch and a preview are two things to tell."""
    message = given(database)
    agents = [GMAIL, OUTLOOK, APPLE_PRIVACY, "Slackbot-LinkExpanding 1.0", "curl/8.5", APPLE_PRIVACY, "curl/8.5"]
    found = taken(database, *[hit(message, user_agent=agent) for agent in agents])
    ids = [event.id for event in found]
    assert [event.repeat_of for event in found] == [None, ids[0], None, None, None, ids[2], ids[4]]


@pytest.mark.parametrize(
    ("kind", "apart", "repeats"),
    [
        (HitKind.CLICK, timedelta(seconds=60), True),
        (HitKind.CLICK, timedelta(seconds=61), False),
        (HitKind.CLICK, timedelta(seconds=-30), True),
        (HitKind.FILE, timedelta(minutes=10), True),
        (HitKind.FILE, timedelta(minutes=11), False),
        (HitKind.OPEN, timedelta(days=90), True),
    ],
)
def test_how_long_something_still_repeats(database: Database, kind: HitKind, apart: timedelta, repeats: bool) -> None:
    """A double click is one click, a link followed again later is another; hits may also come in out of order."""
    message = given(database)
    start = NOON + timedelta(hours=1)
    first, second = taken(
        database,
        hit(message, kind, user_agent=BROWSER, at=start),
        hit(message, kind, user_agent=BROWSER, at=start + apart),
    )
    assert second.repeat_of == (first.id if repeats else None)


def test_other_links_and_other_messages_are_no_repeats(database: Database) -> None:
    """Only the same thing again is a repeat."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        one, other = cast.mail(tx), cast.mail(tx)
    found = taken(
        database,
        hit(one, HitKind.CLICK, user_agent=BROWSER, link=0),
        hit(one, HitKind.CLICK, user_agent=BROWSER, link=1),
        hit(other, HitKind.CLICK, user_agent=BROWSER, link=0),
    )
    assert [event.repeat_of for event in found] == [None, None, None]


# ── Once each ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_taken_is_trimmed_and_not_taken_again(database: Database) -> None:
    """The journal is emptied when its hits are safe; the next round finds nothing."""
    message = given(database)
    journals = MemoryJournals(one=[hit(message)] * 3, two=[hit(message)] * 2)
    assert take_journals(database, journals, now=later, batch=2) == 5
    assert [journals.depth(journal) for journal in journals.journals()] == [0, 0]
    assert take_journals(database, journals, now=later) == 0
    journals.append("one", hit(message))
    assert take_journals(database, journals, now=later) == 1
    assert len(facts(database)) == 6


def test_a_crash_before_the_commit_loses_and_doubles_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dying with everything written but not committed leaves the hits in the journal, to be taken once."""
    message = given(database)
    journals = MemoryJournals(edge=[hit(message)] * 3)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(taking.cursors, "move_cursor", die)
        with pytest.raises(KeyboardInterrupt):
            take_journals(database, journals, now=later)
    assert facts(database) == []
    assert journals.depth("edge") == 3
    assert take_journals(database, journals, now=later) == 3
    assert len(facts(database)) == 3


def test_a_crash_after_the_commit_doubles_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dying between the commit and the trim leaves hits in the journal that were taken already."""
    message = given(database)
    journals = MemoryJournals(edge=[hit(message)] * 3)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journals, "trim", die)
        with pytest.raises(KeyboardInterrupt):
            take_journals(database, journals, now=later)
    journals.append("edge", hit(message))
    assert take_journals(database, journals, now=later) == 1
    assert len(facts(database)) == 4
    assert journals.depth("edge") == 0


def test_another_process_took_the_same_hits_meanwhile(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers that read the same batch record it once: the cursor is looked at again under its lock."""
    message = given(database)
    hits = [hit(message)] * 4
    read = MemoryJournals.read

    def read_then_lose(self: MemoryJournals, journal: str, after: int, limit: int) -> Any:
        entries = read(self, journal, after, limit)
        monkeypatch.setattr(MemoryJournals, "read", read)
        take_journals(database, MemoryJournals(edge=hits[:3]), now=later)  # the other process
        return entries

    monkeypatch.setattr(MemoryJournals, "read", read_then_lose)
    take_journals(database, MemoryJournals(edge=hits), now=later)
    assert len(facts(database)) == 4


# ── What fails ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hit_that_breaks_a_step_is_set_aside_and_the_others_go_on(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dead hit never stops the batch; it is counted, and logged without what it held."""
    message = given(database)
    before = taking.metrics.SET_ASIDE._value.get()
    broken = replace(hit(message), user_agent=None)  # type: ignore[arg-type]
    timeless = replace(hit(message), occurred_us=10**30)
    assert len(taken(database, hit(message), broken, timeless, hit(message))) == 2
    assert taking.metrics.SET_ASIDE._value.get() == before + 2
    assert "192.0.2.7" not in capsys.readouterr().out
    with database.read() as tx:
        assert count_aside(tx) == 2


def test_what_was_set_aside_is_taken_once_the_mistake_is_mended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hit that a mistake of ours kept out was acknowledged: it is kept word for word, tried again it becomes the fact
    it would have been, once, and what is still impossible stays."""
    message = given(database)
    to_event = taking.to_event

    def mistaken(draft: Any, now: datetime) -> Event:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr(taking, "to_event", mistaken)
    later_hit = replace(hit(message, at=NOON + timedelta(minutes=5)), user_agent="odd \udcff agent")
    assert taken(database, hit(message, at=NOON), later_hit) == []
    assert retry_aside(database, now=later) == (0, 2)
    monkeypatch.setattr(taking, "to_event", to_event)
    assert retry_aside(database, now=later) == (2, 0)
    first, second = facts(database)
    assert (first.occurred_at, second.occurred_at) == (NOON, NOON + timedelta(minutes=5))
    assert retry_aside(database, now=later) == (0, 0)
    assert len(facts(database)) == 2
    with database.read() as tx:
        assert count_aside(tx) == 0


def test_a_hit_that_the_database_refuses_is_found_and_set_aside(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only the insert finds out is searched for by halving, and everything else is kept, in its order."""
    message = given(database)
    to_event = taking.to_event

    def spoil(draft: Any, now: datetime) -> Event:
        event = to_event(draft, now)
        return replace(event, occurred_at=None) if draft.hit.body == "dead" else event  # type: ignore[arg-type]

    def refuse(tx: Any, found: Any, standings: Any) -> Any:
        if any(event.occurred_at is None for event in found):
            tx.exec_driver_sql("INSERT INTO cursors (journal) VALUES (NULL)")
        return write_facts(tx, found, standings)

    write_facts = taking.write_facts
    monkeypatch.setattr(taking, "to_event", spoil)
    monkeypatch.setattr(taking, "write_facts", refuse)
    hits = [hit(message, at=NOON + timedelta(seconds=number)) for number in range(7)]
    hits[4] = replace(hits[4], body="dead")
    journals = MemoryJournals(edge=hits)
    before = taking.metrics.SET_ASIDE._value.get()
    assert take_journals(database, journals, now=later) == 7
    assert [event.occurred_at.second for event in facts(database)] == [0, 1, 2, 3, 5, 6]
    assert taking.metrics.SET_ASIDE._value.get() == before + 1
    assert journals.depth("edge") == 0
    with database.read() as tx:
        assert [row.position for row in list_aside(tx)] == [5]
    monkeypatch.undo()
    assert retry_aside(database, now=later) == (1, 0)
    assert [event.occurred_at.second for event in facts(database)] == [0, 1, 2, 3, 5, 6, 4]


def test_a_database_that_is_away_stops_the_round_and_loses_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hits wait in the journal until the database is back."""
    message = given(database)
    journals = MemoryJournals(edge=[hit(message)] * 2)

    def away(*_: object) -> None:
        raise TemporaryFailure("the database cannot be used right now")

    with monkeypatch.context() as patch:
        patch.setattr(taking, "write_facts", away)
        with pytest.raises(TemporaryFailure):
            take_journals(database, journals, now=later)
    assert journals.depth("edge") == 2
    assert take_journals(database, journals, now=later) == 2
    assert len(facts(database)) == 2


def test_a_journal_that_cannot_be_read_does_not_stop_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One damaged file leaves the other edges' hits alone."""
    message = given(database)
    journals = MemoryJournals(bad=[hit(message)], good=[hit(message)])
    read = journals.read

    def refuse(journal: str, after: int, limit: int) -> Any:
        if journal == "bad":
            raise JournalUnavailable("disk I/O error")
        return read(journal, after, limit)

    monkeypatch.setattr(journals, "read", refuse)
    assert take_journals(database, journals, now=later) == 1
    assert len(facts(database)) == 1


# ── The real journal ────────────────────────────────────────────────────────────────────────────────────────────────


def test_hits_of_a_real_journal(database: Database, tmp_path: Path) -> None:
    """What an edge appended is taken over and leaves the file."""
    import asyncio

    message = given(database)
    journal = SqliteJournal.open(tmp_path)

    async def append() -> None:
        await asyncio.gather(*[journal.append(hit(message, kind)) for kind in (HitKind.OPEN, HitKind.CLICK)])

    asyncio.run(append())
    reader = JournalReader(tmp_path)
    assert take_journals(database, reader, now=later) == 2
    assert {event.kind for event in facts(database)} == {EventKind.OPENED, EventKind.CLICKED}
    assert reader.depth(journal.id) == 0
    reader.close()
    journal.close()
