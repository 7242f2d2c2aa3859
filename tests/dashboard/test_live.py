"""The live stream tells which messages have news, as soon as it is recorded, and ends with the session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from resonanz.dashboard import live
from resonanz.dashboard.live import stream
from resonanz.ingest import record_all
from resonanz.model import EventKind
from resonanz.notify import Hub
from resonanz.store import Database
from tests.kit.accounts import NOON
from tests.kit.cast import Cast, event
from tests.kit.pages import Site
from tests.kit.waiting import DEADLINE, until


def with_hub(database: Database, work: Callable[[Hub], Awaitable[None]], **hub: float) -> None:
    """Run `work` beside a running hub."""

    async def run() -> None:
        running_hub = Hub(database, poll_seconds=0.01, **hub)  # type: ignore[arg-type]
        running = asyncio.create_task(running_hub.run())
        try:
            await asyncio.wait_for(work(running_hub), DEADLINE)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    asyncio.run(run())


async def news(lines: AsyncIterator[str]) -> dict[str, object]:
    """The next event of a stream: its id and its data."""
    async for text in lines:
        if "event: news" in text:
            fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
            return {"id": int(fields["id"]), **json.loads(fields["data"])}
    raise AssertionError("the stream ended")


def test_news_names_the_message_and_its_submission(sqlite_database: Database) -> None:
    """And carries the position to go on from: a second stream from there gets only what came after."""
    with sqlite_database.write() as tx:
        message = Cast.enter(tx, now=NOON).mail(tx, now=NOON)

    async def work(hub: Hub) -> None:
        lines = stream(hub, None, lambda: True)
        assert (await anext(lines)).startswith("retry:")
        first = asyncio.ensure_future(news(lines))
        await until(lambda: hub.watchers, "a watcher")
        with sqlite_database.write() as tx:
            record_all(tx, [event(message, EventKind.OPENED, at=NOON), event(message, EventKind.CLICKED, at=NOON)])
        got = await first
        assert got["ids"] == sorted([str(message.id), str(message.submission_id)])
        await lines.aclose()
        with sqlite_database.write() as tx:
            record_all(tx, [event(message, EventKind.REPLIED, at=NOON)])
        again = stream(hub, int(str(got["id"])), lambda: True)
        later = await news(again)
        assert int(str(later["id"])) == int(str(got["id"])) + 1
        await again.aclose()

    with_hub(sqlite_database, work)


@pytest.mark.parametrize("gathers_for", [live.TOGETHER_SECONDS, 0.0], ids=["quick", "slow"])
def test_a_burst_is_one_event(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, gathers_for: float) -> None:
    """A hundred events at once make a page ask once, also where gathering them takes longer than there is time."""
    monkeypatch.setattr(live, "TOGETHER_SECONDS", gathers_for)
    with sqlite_database.write() as tx:
        messages = Cast.enter(tx, now=NOON).mailing(tx, 50, now=NOON)[1]

    async def work(hub: Hub) -> None:
        lines = stream(hub, 0, lambda: True)
        got = await news(lines)
        ids = got["ids"]
        assert isinstance(ids, list)
        assert set(ids) >= {str(message.id) for message in messages}
        await lines.aclose()

    with_hub(sqlite_database, work)


def test_a_watcher_that_missed_too_much_reloads_everything(sqlite_database: Database) -> None:
    """From an old position far behind, the page is told `all`."""
    with sqlite_database.write() as tx:
        Cast.enter(tx, now=NOON).mailing(tx, 50, now=NOON)

    async def work(hub: Hub) -> None:
        lines = stream(hub, 0, lambda: True)
        assert (await news(lines))["ids"] == ["all"]
        await lines.aclose()

    with_hub(sqlite_database, work, backlog=5)


def test_the_stream_ends_with_the_session(sqlite_database: Database) -> None:
    """At the next heartbeat after it; until then the heartbeats keep the connection alive."""
    answers = [True, True, False]

    async def work(hub: Hub) -> None:
        texts = [text async for text in stream(hub, None, lambda: answers.pop(0), heartbeat_seconds=0.01)]
        assert texts[1:] == [": still here\n\n"] * 2
        assert hub.watchers == 0

    with_hub(sqlite_database, work)


def test_the_stream_ends_with_the_hub(sqlite_database: Database) -> None:
    """When the process stops, no watcher holds it up."""

    async def run() -> None:
        hub = Hub(sqlite_database, poll_seconds=0.01)
        running = asyncio.create_task(hub.run())

        async def watch() -> None:
            async for _ in stream(hub, None, lambda: True):
                pass

        watching = asyncio.create_task(watch())
        await until(lambda: hub.watchers, "a watcher")
        running.cancel()
        await asyncio.wait_for(watching, DEADLINE)

    asyncio.run(run())


def test_a_stranger_is_told_to_stop_asking(site: Site) -> None:
    """204 ends an EventSource for good."""
    assert site.visitor().get("/live").status_code == 204
