"""The live stream: a page is told which messages have news, and asks for its fragments again.

Server-sent events (WHATWG HTML section 9.2) carry ids only; what there is to see is fetched through the pages, which
check the session. News that comes in soon after other news is gathered into one event.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from resonanz.accounts import resume_session
from resonanz.dashboard.parts import DashboardParts
from resonanz.dashboard.visit import Visit
from resonanz.notify.hub import Hub
from resonanz.notify.notice import Notice, NoticeKind

# A comment this often keeps proxies from closing the stream, and is when a session that has ended is noticed.
HEARTBEAT_SECONDS = 15.0
# The first news goes out at once, together with what was recorded with it; what follows waits, so that a busy hour
# makes a page ask twice a second and no more.
TOGETHER_SECONDS = 0.02
APART_SECONDS = 0.5
RETRY_MS = 2_000


def endpoint(parts: DashboardParts) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of `GET /live`. `after` or Last-Event-ID name the event to go on from."""

    async def live(request: Request) -> Response:
        secret = Visit(parts, request, parts.now()).session_secret

        def signed_in() -> bool:
            return resume_session(parts.database, secret, parts.now()) is not None

        if not await run_in_threadpool(signed_in):
            # 204 tells an EventSource to stop for good (WHATWG HTML section 9.2.3); any error would make it try again.
            return Response(status_code=204)
        after = _position(request.headers.get("last-event-id") or request.query_params.get("after", ""))
        return StreamingResponse(
            stream(parts.hub, after, signed_in),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    return live


def _position(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


async def stream(
    hub: Hub,
    after: int | None,
    signed_in: Callable[[], bool],
    *,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> AsyncIterator[str]:
    """Yield the stream's text until the hub ends it, the session ends, or the browser goes away."""
    yield f"retry: {RETRY_MS}\n\n"
    last_sent = 0.0
    async with hub.watch(after) as notices:
        pending: asyncio.Future[Notice] = asyncio.ensure_future(anext(notices))
        try:
            while True:
                done, _ = await asyncio.wait({pending}, timeout=heartbeat_seconds)
                if not done:
                    if not await asyncio.to_thread(signed_in):
                        return
                    yield ": still here\n\n"
                    continue
                gathered = [pending.result()]
                pending = asyncio.ensure_future(anext(notices))
                now = asyncio.get_running_loop().time()
                deadline = max(now + TOGETHER_SECONDS, last_sent + APART_SECONDS)
                pending = await _gather(notices, pending, gathered, deadline)
                last_sent = asyncio.get_running_loop().time()
                yield _event(gathered)
        except StopAsyncIteration:
            return
        finally:
            pending.cancel()


async def _gather(
    notices: AsyncIterator[Notice], pending: asyncio.Future[Notice], gathered: list[Notice], deadline: float
) -> asyncio.Future[Notice]:
    """Add what comes in until the deadline (by the loop's clock), and what is there by then, however long it takes to
    add it. Returns the next that is waited for."""
    while True:
        left = max(deadline - asyncio.get_running_loop().time(), 0.0)
        done, _ = await asyncio.wait({pending}, timeout=left)
        if not done or pending.exception() is not None:
            return pending
        gathered.append(pending.result())
        pending = asyncio.ensure_future(anext(notices))


def _event(gathered: list[Notice]) -> str:
    """Write one event: its id to go on from, and the messages and submissions with news; `all` when some was missed."""
    last = max(notice.event_id for notice in gathered)
    if any(notice.notice is NoticeKind.RELOAD for notice in gathered):
        data = {"ids": ["all"]}
    else:
        ids = {str(about) for notice in gathered for about in (notice.message_id, notice.submission_id) if about}
        data = {"ids": sorted(ids)}
    return f"id: {last}\nevent: news\ndata: {json.dumps(data)}\n\n"
