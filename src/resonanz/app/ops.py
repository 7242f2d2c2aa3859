"""The listener for operators that every role has: `/healthz` and `/metrics`, on an address of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
Health = Callable[[], Awaitable[str]]  # "" when well, else what is wrong
Notes = Callable[[], str]  # what deserves attention although the role is well; "" for nothing
Ask = Callable[[bytes], tuple[int, bytes]]  # a query string → status and body


def build_ops(health: Health, notes: Notes = lambda: "", questions: Mapping[str, Ask] = MappingProxyType({})) -> Asgi:
    """Return the ASGI app: `/healthz` is 200 `ok` or 503 with the reason, `/metrics` is Prometheus text.

    `notes` go beneath the `ok`; `questions` are further paths that this role answers in plain text.
    """

    async def ops(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, kind, body = 404, "text/plain; charset=utf-8", b"not found\n"
        if scope["path"] == "/metrics":
            status, kind, body = 200, CONTENT_TYPE_LATEST, generate_latest()
        elif scope["path"] == "/healthz":
            wrong = await health()
            noted = notes()
            status = 503 if wrong else 200
            body = "".join(f"{line}\n" for line in (wrong or "ok", noted) if line).encode()
        elif scope["path"] in questions:
            status, body = questions[scope["path"]](scope["query_string"])
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return ops
