"""Rebuilding: what is derived is exactly what the facts say, whatever happened to it."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from resonanz.ingest import Summary, rebuild, record_all
from resonanz.model import EventKind, MessageState, TrackingMode, Verdict, Who
from resonanz.store import Database, events, messages, rollup, tables
from tests.kit.cast import NOON, Cast, event
from tests.kit.rows import update_message
from tests.kit.waiting import wait_for

PROJECTED = (tables.messages, tables.submissions, tables.rollup)


def projections(database: Database) -> list[Any]:
    """Return everything derived, in a fixed order."""
    with database.read() as tx:
        return [sorted(map(tuple, tx.execute(select(table))), key=repr) for table in PROJECTED]


def damage(database: Database) -> None:
    """Leave nothing derived as it was."""
    with database.write() as tx:
        tx.execute(update(tables.messages).values(opens_human=7, clicks_machine=9, state=MessageState.FAILED))
        tx.execute(update(tables.messages).values(first_opened_at=NOON - timedelta(days=9), state_note="nonsense"))
        tx.execute(update(tables.submissions).values(anonymous_opens=3, anonymous_clicks=5))
        tx.execute(update(tables.rollup).values(events=tables.rollup.c.events + 2))
        made_up = {"bucket": NOON - timedelta(days=400), "kind": EventKind.VISITED, "who": Who.MACHINE, "events": 1}
        tx.execute(insert(tables.rollup).values(made_up))


happenings = st.lists(
    st.tuples(
        st.sampled_from(list(EventKind)),
        st.integers(0, 3),  # whose: one of three messages, or nobody's
        st.none() | st.sampled_from(list(Verdict)),
        st.integers(0, 300),  # minutes after noon; facts need not come in order
        st.none() | st.integers(0, 5),  # how many facts back it repeats
        st.sampled_from([{}, {"reply": "said so"}, {"bounce": "hard"}, {"uncertain": True}]),
    ),
    max_size=40,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happenings)
def test_a_rebuild_gives_what_live_recording_gave(database: Database, story: list[Any]) -> None:
    """Whatever happened in whatever order: replaying the facts ends where recording them one by one ended."""
    with database.write() as tx:
        _, rows = Cast.enter(tx).mailing(tx, 3, state=MessageState.QUEUED) if _is_new(tx) else (None, _rows(tx))
        for kind, whose, verdict, minutes, back, detail in story:
            nobody = {"message_id": None, "recipient": ""} if whose == 3 else {}
            last = events.last_id(tx)
            record_all(
                tx,
                [
                    event(
                        rows[whose % 3],
                        kind,
                        at=NOON + timedelta(minutes=minutes),
                        verdict=verdict,
                        repeat_of=last - back if back is not None and last > back else None,
                        detail=detail,
                        **nobody,
                    )
                ],
            )
    live = projections(database)
    assert rebuild(database) == Summary(3, 0, 0, 0, 0)
    damage(database)
    assert projections(database) != live
    summary = rebuild(database)
    assert projections(database) == live
    assert (summary.messages, summary.messages_changed, summary.submissions_changed) == (3, 3, 1)
    assert rebuild(database) == Summary(3, 0, 0, 0, 0)


def _is_new(tx: Any) -> bool:
    return events.last_id(tx) == 0


def _rows(tx: Any) -> list[Any]:
    return list(reversed(messages.list_messages(tx, limit=3)))


def test_in_small_batches_it_is_the_same(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches meet without a gap or an overlap."""
    module = sys.modules["resonanz.ingest.rebuild"]  # the room shows the function under this name
    monkeypatch.setattr(module, "_MESSAGES_AT_A_TIME", 2)
    monkeypatch.setattr(module, "_FACTS_AT_A_TIME", 3)
    with database.write() as tx:
        _, rows = Cast.enter(tx).mailing(tx, 7, opens=TrackingMode.ANONYMOUS)
        record_all(
            tx,
            [event(row, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT) for row in rows]
            + [event(rows[0], EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT, message_id=None) for _ in range(4)],
        )
    live = projections(database)
    damage(database)
    assert rebuild(database).messages == 7
    assert projections(database) == live


def test_what_sending_has_in_hand_stays_in_hand(database: Database) -> None:
    """The facts do not know that a worker holds a message; a rebuild must not take it away from it."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx, state=MessageState.QUEUED)
        update_message(tx, message.id, {"state": MessageState.SENDING, "state_note": "by worker 1"})
    assert rebuild(database) == Summary(1, 0, 0, 0, 0)


def test_rebuilding_while_hits_come_in_counts_each_once(database: Database) -> None:
    """Recording goes on in other threads meanwhile; in the end everything is counted, and only once."""
    with database.write() as tx:
        submission, rows = Cast.enter(tx).mailing(tx, 4)
    damage(database)
    rebuild(database)
    stop = threading.Event()
    failures: list[BaseException] = []
    recorded = [0, 0]

    def keep_recording(number: int) -> None:
        try:
            while not stop.wait(0.002):  # SQLite's lock is not fair: who never lets go of it may starve the others
                with database.write() as tx:
                    record_all(
                        tx,
                        [
                            event(rows[number], EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT),
                            event(rows[number], EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT, message_id=None),
                        ],
                    )
                recorded[number] += 1
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=keep_recording, args=[number]) for number in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: failures or all(recorded), "both to record")
        for _ in range(5):
            rebuild(database)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    with database.read() as tx:
        now = messages.get_messages(tx, [row.id for row in rows])
        total = messages.get_submission(tx, submission.id)
        counted = rollup.counts_between(tx, NOON, NOON + timedelta(hours=1))
    assert [now[row.id].opens_human for row in rows] == [*recorded, 0, 0]
    assert total is not None
    assert total.anonymous_opens == sum(recorded)
    assert (NOON, EventKind.OPENED, Who.HUMAN, 2 * sum(recorded)) in counted
