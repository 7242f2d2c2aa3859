"""The listener for operators that every role has: `/healthz` and `/metrics`, on an address of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
Health = Callable[[], Awaitable[str]]  # "" when well, else what is wrong


def build_ops(health: Health) -> Asgi:
    """Return the ASGI app: `/healthz` is 200 `ok` or 503 with the reason, `/metrics` is Prometheus text."""

    async def ops(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, kind, body = 404, "text/plain; charset=utf-8", b"not found\n"
        if scope["path"] == "/metrics":
            status, kind, body = 200, CONTENT_TYPE_LATEST, generate_latest()
        elif scope["path"] == "/healthz":
            wrong = await health()
            status, body = (503, f"{wrong}\n".encode()) if wrong else (200, b"ok\n")
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return ops


async def always_well() -> str:
    """The health of a role that is well as long as it answers."""
    return ""
