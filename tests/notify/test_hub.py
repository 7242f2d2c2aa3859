"""The live hub: whoever watches hears of every new fact, once and soon, whatever process recorded it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from resonanz.ingest import record_all
from resonanz.model import EventKind, TemporaryFailure, TrackingMode, Verdict, Who
from resonanz.notify import Hub, Notice, NoticeKind
from resonanz.notify.tail import Tail
from resonanz.store import Database, events, open_database
from resonanz.store.messages import Message
from tests.kit.cast import ALMA, NOON, Cast, event
from tests.kit.waiting import DEADLINE

T = TypeVar("T")


def given(database: Database, **more: Any) -> list[Message]:
    with database.write() as tx:
        return Cast.enter(tx).mailing(tx, **more)[1]


def recorded(database: Database, message: Message, amount: int = 1, **more: Any) -> list[int]:
    """Record opens of a message and return their ids."""
    more = {"verdict": Verdict.HUMAN_DIRECT} | more
    with database.write() as tx:
        return [found.id for found in record_all(tx, [event(message, EventKind.OPENED, **more)] * amount)]


def run(scene: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(DEADLINE):
            return await scene()

    return asyncio.run(bounded())


@asynccontextmanager
async def running(database: Database, **options: Any) -> AsyncIterator[Hub]:
    """A hub that follows the facts until the scene is over."""
    hub = Hub(database, **{"poll_seconds": 0.01} | options)
    task = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told(notices: AsyncIterator[Notice], amount: int) -> list[Notice]:
    return [await anext(notices) for _ in range(amount)]


def test_a_watcher_is_told_what_happened(database: Database) -> None:
    """Everything a page needs to update itself is in the notice."""
    (message,) = given(database, to=[ALMA])

    async def scene() -> None:
        async with running(database) as hub, hub.watch() as notices:
            (id,) = await asyncio.to_thread(recorded, database, message)
            (notice,) = await told(notices, 1)
            assert notice == Notice(
                NoticeKind.EVENT,
                id,
                kind=EventKind.OPENED,
                message_id=message.id,
                submission_id=message.submission_id,
                verdict=Verdict.HUMAN_DIRECT,
                who=Who.HUMAN,
                occurred_at=NOON,
                subject=message.subject,
                recipient=ALMA,
            )

    run(scene)


def test_another_connection_to_the_database_is_heard_too(database: Database) -> None:
    """The hub reads the table: it does not matter which process wrote to it."""
    (message,) = given(database, to=[ALMA])
    other = open_database(database.engine.url.render_as_string(hide_password=False))

    async def scene() -> None:
        async with running(database) as hub, hub.watch() as notices:
            ids = await asyncio.to_thread(recorded, other, message, 3)
            assert [notice.event_id for notice in await told(notices, 3)] == ids

    run(scene)
    other.close()


def test_everybody_who_watches_hears_the_same_in_order(database: Database) -> None:
    """Each has a queue of their own; coming later does not bring back what was before."""
    (message,) = given(database, to=[ALMA])

    async def scene() -> None:
        async with running(database) as hub, hub.watch() as early:
            first = await asyncio.to_thread(recorded, database, message, 2)
            assert [notice.event_id for notice in await told(early, 2)] == first
            async with hub.watch() as late:
                second = await asyncio.to_thread(recorded, database, message, 2)
                for notices in (early, late):
                    assert [notice.event_id for notice in await told(notices, 2)] == second
            assert hub.watchers == 1
        assert hub.watchers == 0

    run(scene)


def test_who_comes_back_hears_what_was_missed(database: Database) -> None:
    """A browser that reconnects names the last event it had, and goes on behind it without gap or overlap."""
    (message,) = given(database, to=[ALMA])

    async def scene() -> None:
        async with running(database) as hub:
            ids = await asyncio.to_thread(recorded, database, message, 4)
            async with hub.watch(after=ids[1]) as notices:
                ids += await asyncio.to_thread(recorded, database, message, 2)
                assert [notice.event_id for notice in await told(notices, 4)] == ids[2:]

    run(scene)


@pytest.mark.parametrize("behind", [11, 5000])
def test_who_missed_too_much_is_told_to_reload(database: Database, behind: int) -> None:
    """Instead of hundreds of old notices comes one, which says where to go on; so too for an id of the future."""
    (message,) = given(database, to=[ALMA])

    async def scene() -> None:
        async with running(database, backlog=10) as hub:
            ids = await asyncio.to_thread(recorded, database, message, 11)
            after = ids[-1] - behind if behind == 11 else ids[-1] + behind
            async with hub.watch(after=after) as notices:
                assert await told(notices, 1) == [Notice(NoticeKind.RELOAD, ids[-1])]
                (next_id,) = await asyncio.to_thread(recorded, database, message)
                assert [notice.event_id for notice in await told(notices, 1)] == [next_id]

    run(scene)


def test_a_slow_watcher_is_told_to_reload_and_the_others_are_not(database: Database) -> None:
    """What waits for the slow one is thrown away; its memory is bounded, and nobody waits for it."""
    (message,) = given(database, to=[ALMA])

    async def scene() -> None:
        async with running(database, backlog=5) as hub, hub.watch() as slow, hub.watch() as quick:
            ids = []
            for _ in range(8):
                ids += await asyncio.to_thread(recorded, database, message)
                assert (await anext(quick)).event_id == ids[-1]
            notices = await told(slow, 3)
            assert [(notice.notice, notice.event_id) for notice in notices] == [
                (NoticeKind.RELOAD, ids[5]),
                (NoticeKind.EVENT, ids[6]),
                (NoticeKind.EVENT, ids[7]),
            ]

    run(scene)


def test_a_flood_becomes_one_reload(database: Database) -> None:
    """More at once than anybody would read is not read from the database either."""
    (message,) = given(database, to=[ALMA])

    async def scene() -> None:
        async with running(database, backlog=5) as hub, hub.watch() as notices:
            ids = await asyncio.to_thread(recorded, database, message, 50)
            assert await told(notices, 1) == [Notice(NoticeKind.RELOAD, ids[-1])]

    run(scene)


def test_nobody_in_a_small_group_is_given_away(database: Database) -> None:
    """That one of four opened just now is not shown; that one of five did is, without a name."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        small, large = (cast.mailing(tx, size, opens=TrackingMode.ANONYMOUS)[1][0] for size in (4, 5))

    async def scene() -> None:
        async with running(database) as hub, hub.watch() as notices:
            nobody = {"message_id": None, "recipient": ""}
            await asyncio.to_thread(recorded, database, small, 1, **nobody)
            (id,) = await asyncio.to_thread(recorded, database, large, 1, **nobody)
            (notice,) = await told(notices, 1)
            assert (notice.event_id, notice.recipient, notice.message_id) == (id, "", None)
            assert notice.subject == large.subject

    run(scene)


def test_while_nobody_watches_nothing_is_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle instance leaves its database alone; who comes next begins at the newest fact."""
    (message,) = given(database, to=[ALMA])
    watchers_at_polls = []
    poll = Tail.poll

    async def scene() -> None:
        async with running(database) as hub:

            def noting(tail: Tail) -> list[Notice]:
                watchers_at_polls.append(hub.watchers)
                return poll(tail)

            monkeypatch.setattr(Tail, "poll", noting)
            for _ in range(2):
                await asyncio.to_thread(recorded, database, message, 3)  # seen by nobody
                async with hub.watch() as notices:
                    (id,) = await asyncio.to_thread(recorded, database, message)
                    assert [notice.event_id for notice in await told(notices, 1)] == [id]

    run(scene)
    assert set(watchers_at_polls) == {1}


def test_a_database_that_is_away_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Watchers stay connected, and hear afterwards what happened meanwhile."""
    (message,) = given(database, to=[ALMA])
    poll = Tail.poll
    failures = [TemporaryFailure("the database cannot be used right now")] * 2

    def sometimes(self: Tail) -> list[Notice]:
        if failures:
            raise failures.pop()
        return poll(self)

    monkeypatch.setattr(Tail, "poll", sometimes)
    monkeypatch.setattr("resonanz.notify.hub._FAILED_POLL_SECONDS", 0.01)

    async def scene() -> None:
        async with running(database) as hub, hub.watch() as notices:
            (id,) = await asyncio.to_thread(recorded, database, message)
            assert [notice.event_id for notice in await told(notices, 1)] == [id]

    run(scene)
    assert failures == []


def test_watching_ends_when_the_hub_does(database: Database) -> None:
    """A role that stops lets its streams end, instead of being waited for."""

    async def scene() -> list[Notice]:
        hub = Hub(database)
        task = asyncio.create_task(hub.run())
        async with hub.watch() as notices:
            listening = asyncio.create_task(told_until_the_end(notices))
            task.cancel()
            return await listening

    async def told_until_the_end(notices: AsyncIterator[Notice]) -> list[Notice]:
        return [notice async for notice in notices]

    assert run(scene) == []


def test_an_event_that_appears_behind_a_later_one_is_told(postgresql_url: str) -> None:
    """On PostgreSQL a transaction that began first may commit last: its events come late, not never, and once."""
    database = open_database(postgresql_url)
    (message, other) = given(database, to=[ALMA, "other@example.org"])
    tail = Tail(database, 100)
    tail.start()
    with database.write() as slow:
        late = events.reserve_ids(slow, 2)
        (early,) = recorded(database, message)
        assert [notice.event_id for notice in tail.poll()] == [early]
        events.add_events(slow, [event(other, EventKind.OPENED, id=late[1])])
        assert tail.poll() == []
    assert [notice.event_id for notice in tail.poll()] == [late[1]]
    assert tail.poll() == []
    (last,) = recorded(database, message)
    assert [notice.event_id for notice in tail.poll()] == [last]
    database.close()


def test_ids_that_never_appear_are_given_up(postgresql_url: str) -> None:
    """A transaction that was rolled back leaves a gap; it is not looked for for ever."""
    database = open_database(postgresql_url)
    (message,) = given(database, to=[ALMA])
    tail = Tail(database, 100)
    tail.start()
    with database.write() as tx:
        events.reserve_ids(tx, 20)
    recorded(database, message)
    assert len(tail.poll()) == 1
    assert len(tail._missing) == 20
    for _ in range(50):
        assert tail.poll() == []
    assert not tail._missing
    database.close()
