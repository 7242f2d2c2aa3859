"""Settling: clicks are decided when their windows close, what comes later corrects, and evidence is forgotten."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from resonanz.ingest import rebuild, record, take_journals
from resonanz.ingest.judge import JUDGE_VERSION, Windows
from resonanz.ingest.judging import Judging
from resonanz.ingest.rounds import Rounds
from resonanz.ingest.settle import forget, settle
from resonanz.journal import JournalReader
from resonanz.model import Event, EventKind, Hit, HitKind, MessageState, Place, Verdict, from_microseconds, new_id
from resonanz.people.erasure import erase
from resonanz.store import Database, contacts, events, messages, tables
from resonanz.store import evidence as store
from resonanz.store.evidence import Kept
from resonanz.store.messages import Message
from tests.kit.cast import APPLE_PRIVACY, BROWSER, GMAIL, NOON, OUTLOOK, Cast, event, hit
from tests.kit.journals import MemoryJournals

START = NOON + timedelta(hours=1)  # an hour after the mail was sent
HOME, OFFICE, RENTED = "203.0.113.7", "198.51.100.23", "3.80.4.4"
OPEN, CLICK = HitKind.OPEN, HitKind.CLICK
JUDGING = Judging()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def clock(seconds: float) -> Callable[[], datetime]:
    return lambda: at(seconds)


def given(database: Database) -> Message:
    with database.write() as tx:
        return Cast.enter(tx).mail(tx)


def come_in(database: Database, *hits: Hit, seconds: float, judging: Judging = JUDGING) -> None:
    """Take hits over at a moment."""
    take_journals(database, MemoryJournals(**{new_id().hex: hits}), now=clock(seconds), judging=judging)


def settle_all(database: Database, seconds: float, judging: Judging = JUDGING) -> None:
    """Judge all that is due at a moment."""
    while settle(database, judging, now=clock(seconds)):
        pass


def follow(message: Message, link: int, seconds: float, **more: Any) -> Hit:
    return hit(message, CLICK, at=at(seconds), link=link, **({"user_agent": BROWSER, "address": HOME} | more))


def facts(database: Database, source: str = "edge") -> list[Event]:
    with database.read() as tx:
        return [event for event in events.after(tx, 0, limit=10_000) if event.source == source]


def verdicts(database: Database) -> list[Verdict | None]:
    return [fact.verdict for fact in facts(database)]


def now_of(database: Database, message: Message) -> Message:
    with database.read() as tx:
        found = messages.get_message(tx, message.id)
    assert found is not None
    return found


def kept(database: Database) -> int:
    with database.read() as tx:
        return len(tx.execute(select(tables.evidence.c.id)).all())


def counts(message: Message) -> tuple[int, ...]:
    """Return opens, then clicks: by people, nobody knows, by machines."""
    return (
        *(message.opens_human, message.opens_indeterminate, message.opens_machine),
        *(message.clicks_human, message.clicks_indeterminate, message.clicks_machine),
    )


def test_a_click_is_pending_until_its_window_closes(database: Database) -> None:
    """Then it is a person's, the counters move by the difference, and a fact tells of it."""
    message = given(database)
    come_in(database, follow(message, 0, 0), seconds=1)
    settle_all(database, 60)
    assert verdicts(database) == [Verdict.PENDING]
    assert counts(now_of(database, message)) == (0, 0, 0, 0, 1, 0)
    settle_all(database, 70)
    (click,) = facts(database)
    assert (click.verdict, click.detail["judge"]) == (Verdict.HUMAN_LIKELY, JUDGE_VERSION)
    now = now_of(database, message)
    assert counts(now) == (0, 0, 0, 1, 0, 0)
    assert now.first_clicked_at == now.last_clicked_at == at(0)
    (told,) = facts(database, "judge")
    assert (told.kind, told.verdict, told.link, told.occurred_at) == (
        EventKind.CORRECTED,
        Verdict.HUMAN_LIKELY,
        0,
        at(70),
    )
    assert told.detail == {"event": click.id, "of": "clicked", "was": "pending", "judge": JUDGE_VERSION}


@pytest.mark.parametrize(("address", "network"), [(RENTED, "hosting"), (HOME, None)])
def test_of_an_address_its_class_of_network_stays(database: Database, address: str, network: str | None) -> None:
    """Known at once, kept with the event, and still there when who asked has been forgotten."""
    message = given(database)
    come_in(database, hit(message, OPEN, at=at(0), user_agent=BROWSER, address=address), seconds=1)
    settle_all(database, 70)
    forget(database, JUDGING, now=clock(86_400))
    (opened,) = facts(database)
    assert (opened.detail.get("network"), opened.detail["judge"]) == (network, JUDGE_VERSION)
    assert kept(database) == 0


def test_a_sweep_turns_the_scanners_open_and_the_first_click(database: Database) -> None:
    """What counted as a person's is taken back, and with it that the mail had arrived."""
    message = given(database)
    come_in(database, hit(message, OPEN, at=at(0), user_agent=BROWSER, address=HOME), seconds=1)
    assert (counts(now_of(database, message))[0], now_of(database, message).state) == (1, MessageState.DELIVERED)
    come_in(database, *(follow(message, link, 3 + link) for link in range(4)), seconds=8)
    settle_all(database, 80)
    now = now_of(database, message)
    assert counts(now) == (0, 0, 1, 0, 0, 4)
    assert (now.state, now.first_opened_at, now.first_clicked_at) == (MessageState.SENT, None, None)
    assert len(facts(database, "judge")) == 5


def test_what_comes_later_corrects_what_was_settled(database: Database) -> None:
    """Two links alone are a person's; the third, within the window but late to come in, makes them a sweep."""
    message = given(database)
    come_in(database, follow(message, 0, 0), follow(message, 1, 5), seconds=6)
    settle_all(database, 80)
    assert verdicts(database) == [Verdict.HUMAN_LIKELY] * 2
    come_in(database, follow(message, 2, 9), seconds=100)
    settle_all(database, 200)
    assert verdicts(database) == [Verdict.MACHINE_SCANNER] * 3
    assert counts(now_of(database, message)) == (0, 0, 0, 0, 0, 3)
    assert [told.detail["was"] for told in facts(database, "judge")] == [
        *("pending", "pending"),
        *("human_likely", "human_likely", "pending"),
    ]


def test_a_machines_open_does_not_hide_a_persons(database: Database) -> None:
    """The person's open came later and was folded into the scanner's; it comes out again."""
    message = given(database)
    come_in(database, hit(message, OPEN, at=at(0), user_agent=BROWSER, address=RENTED), seconds=1)
    come_in(database, *(follow(message, link, 3 + link, address=RENTED) for link in range(4)), seconds=8)
    come_in(database, hit(message, OPEN, at=at(30), user_agent=OUTLOOK, address=HOME), seconds=31)
    assert facts(database)[-1].repeat_of == facts(database)[0].id
    settle_all(database, 120)
    assert (facts(database)[0].verdict, facts(database)[-1].verdict) == (
        Verdict.MACHINE_SCANNER,
        Verdict.HUMAN_DIRECT,
    )
    assert facts(database)[-1].repeat_of is None
    now = now_of(database, message)
    assert counts(now) == (1, 0, 1, 0, 0, 4)
    assert now.first_opened_at == now.last_opened_at == at(30)


def test_one_program_over_many_mails_is_seen_in_all_of_them(database: Database) -> None:
    """However the mails are divided among rounds of judging."""
    with database.write() as tx:
        _, rows = Cast.enter(tx).mailing(tx, 12)
    come_in(database, *(follow(message, 0, number) for number, message in enumerate(rows)), seconds=13)
    while settle(database, JUDGING, now=clock(100), limit=5):
        pass
    assert verdicts(database) == [Verdict.MACHINE_SCANNER] * 12


def test_a_place_is_known_of_people_only(database: Database) -> None:
    """Of a pending click not yet, of a machine's and a proxy's never; what turns out a machine's loses it."""
    judging = Judging(place_of=lambda _address: Place("DE"))
    message = given(database)
    come_in(database, hit(message, OPEN, at=at(-900), user_agent=GMAIL, address="66.249.84.1"), seconds=-899)
    come_in(database, follow(message, 0, 0), hit(message, OPEN, at=at(0)), seconds=1, judging=judging)
    assert [fact.place for fact in facts(database)] == [None, None, Place("DE")]
    settle_all(database, 70, judging)
    assert [fact.place for fact in facts(database)] == [None, Place("DE"), Place("DE")]
    come_in(database, follow(message, 1, 2), follow(message, 2, 4), seconds=71, judging=judging)
    settle_all(database, 200, judging)
    assert [fact.place for fact in facts(database)] == [None, None, Place("DE"), None, None]


def test_evidence_is_forgotten_once_nothing_can_change(database: Database) -> None:
    """Address and user agent go; what needs none of it to be judged was never kept."""
    message = given(database)
    come_in(
        database,
        hit(message, OPEN, at=at(0), user_agent=GMAIL, address="66.249.84.1"),
        hit(message, OPEN, at=at(0), user_agent=APPLE_PRIVACY),
        follow(message, 0, 0),
        seconds=1,
    )
    assert kept(database) == 1
    settle_all(database, 70)
    needed = JUDGING.windows.kept_for / 1_000_000
    assert forget(database, JUDGING, now=clock(needed)) == 0
    assert forget(database, JUDGING, now=clock(needed + 2)) == 1
    assert kept(database) == 0


def test_what_is_not_judged_yet_is_not_forgotten(database: Database) -> None:
    """A worker that was away for a day judges first."""
    message = given(database)
    come_in(database, follow(message, 0, 0), seconds=1)
    assert forget(database, JUDGING, now=clock(86_400)) == 0
    settle_all(database, 86_400)
    assert verdicts(database) == [Verdict.HUMAN_LIKELY]
    assert forget(database, JUDGING, now=clock(86_400)) == 1


def test_forgetting_keeps_up_with_whatever_came_in(database: Database, tmp_path: Path) -> None:
    """One round of the worker forgets what a busy half minute left, and nothing that is younger."""
    message = given(database)
    moments = [*range(10_050), 10**9]  # more than one portion
    with database.write() as tx:
        store.keep(tx, [Kept(id, message.id, CLICK, 0, at, at, "GET", HOME, BROWSER) for id, at in enumerate(moments)])
    later = from_microseconds(10**9 + JUDGING.kept_for_us)
    Rounds(database, JournalReader(tmp_path), now=lambda: later, judging=JUDGING).run()
    assert kept(database) == 1


def test_who_is_erased_leaves_no_evidence(database: Database) -> None:
    """Address and user agent of their requests go with them, due or not."""
    message = given(database)
    come_in(database, follow(message, 0, 0), seconds=1)
    with database.write() as tx:
        assert message.contact_id is not None
        contact = contacts.get_contact(tx, message.contact_id)
        assert contact is not None
        erase(tx, contact)
    assert kept(database) == 0
    settle_all(database, 70)


def test_with_keep_everything_stays_so_long(database: Database) -> None:
    """Also of what tells by itself, so that it can be judged anew."""
    judging = Judging(keep=timedelta(days=30))
    message = given(database)
    come_in(database, hit(message, OPEN, at=at(0), user_agent=GMAIL, address="66.249.84.1"), seconds=1, judging=judging)
    settle_all(database, 70, judging)
    assert forget(database, judging, now=clock(29 * 86_400)) == 0
    assert forget(database, judging, now=clock(31 * 86_400)) == 1


def test_an_answer_confirms_the_click_before_it(database: Database) -> None:
    """Who answers the mail has read it: the click is confirmed, long after its evidence is gone."""
    message = given(database)
    come_in(database, follow(message, 0, 0), seconds=1)
    settle_all(database, 70)
    forget(database, JUDGING, now=clock(86_400))
    with database.write() as tx:
        record(tx, event(message, EventKind.REPLIED, at=at(90_000)))
    (click,) = facts(database)
    assert (click.verdict, "replied" in click.reasons) == (Verdict.HUMAN_CONFIRMED, True)
    assert counts(now_of(database, message)) == (0, 0, 0, 1, 0, 0)


def test_a_hammered_pixel_keeps_little(database: Database) -> None:
    """Repeats are kept only so far as the first may turn out to be a machine's."""
    message = given(database)
    come_in(database, *(hit(message, OPEN, at=at(n / 100)) for n in range(1_000)), seconds=11)
    assert kept(database) <= 101


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_corrected_the_totals_are_those_of_the_facts(database: Database, seed: int) -> None:
    """After any story of hits, settled in any portions, a rebuild finds nothing to mend."""
    chance = random.Random(seed)
    with database.write() as tx:
        _, rows = Cast.enter(tx).mailing(tx, 4)
    judging = Judging(windows=Windows(crowd_clicks=3, crowd_clicks_probable=2, crowd_opens=3))
    second = 0.0
    for _ in range(12):
        hits = []
        for _ in range(chance.randrange(1, 9)):
            second += chance.choice([0.2, 1, 5, 30, 200])
            hits.append(
                hit(
                    chance.choice(rows),
                    chance.choice([OPEN, CLICK, CLICK, HitKind.FILE, HitKind.VIEW]),
                    at=at(second),
                    user_agent=chance.choice([BROWSER, OUTLOOK, GMAIL]),
                    address=chance.choice([HOME, OFFICE, RENTED]),
                    **({} if chance.random() < 0.8 else {"method": "HEAD"}),
                )
            )
        come_in(database, *hits, seconds=second + 1, judging=judging)
        settle(database, judging, now=clock(second + chance.choice([5, 70])), limit=chance.choice([1, 3, 1_000]))
    settle_all(database, second + 1_000, judging)
    summary = rebuild(database)
    assert (summary.messages_changed, summary.submissions_changed, summary.buckets_changed) == (0, 0, 0)
    assert Verdict.PENDING not in verdicts(database)
    assert {told.kind for told in facts(database, "judge")} == {EventKind.CORRECTED}
