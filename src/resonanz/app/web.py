"""What stands in front of API, dashboard and readers: which of them is meant, a request id, a log line, two metrics."""

from __future__ import annotations

import time
import uuid
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from structlog.contextvars import bound_contextvars

from resonanz.app.ops import Asgi

log = structlog.get_logger("resonanz.web")

REQUESTS = Counter("resonanz_app_requests", "Requests to API and dashboard", ["door", "method", "status"])
SECONDS = Histogram("resonanz_app_request_seconds", "Time until the answer began", ["door"])

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def build_web(*, api: Asgi, dashboard: Asgi, readers: Asgi) -> Asgi:
    """Return the public ASGI app: `/api/…` is the API, `/readers/…` answers edges only, `/healthz` says that we are
    here, the rest is pages."""

    async def web(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await _answer(scope, receive, send)

    async def _answer(scope: Any, receive: Any, send: Any) -> None:
        path: str = scope["path"]
        if path == "/healthz":
            await _plain(send, 200, b"ok\n")
            return
        if path.startswith("/api/"):
            door, app = "api", api
        elif path.startswith("/readers/"):
            door, app = "readers", readers
        else:
            door, app = "dashboard", dashboard
        request_id = uuid.uuid4().hex
        started = time.perf_counter()
        status = 0

        async def note(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                SECONDS.labels(door).observe(time.perf_counter() - started)
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                await app(scope, receive, note)
            except ClientDisconnect:
                status = status or 499  # the other side hung up; nobody is left to answer
            except Exception:
                # The last net: a defect of ours is logged with its trace and answered, if nothing was answered yet.
                log.exception("request failed", door=door, method=scope["method"])
                if not status:
                    await _plain(note, 500, b"Something went wrong on our side; it has been logged.\n")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            REQUESTS.labels(door, method, str(status)).inc()
            # No path: ids of messages and people stand in it.
            log.info(
                "request", door=door, method=method, status=status, ms=round((time.perf_counter() - started) * 1e3)
            )

    return web


async def _plain(send: Any, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Any, send: Any) -> None:
    """Nothing here has to be started with the server; answer so that any server is content."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
