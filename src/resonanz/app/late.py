"""A part of the house that is built when somebody first asks for it.

The API with all its shapes takes a fifth of the app's memory, and a second to build. Many instances are only ever used
by their pages; they need not carry it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from resonanz.app.ops import Asgi


class Late:
    """An ASGI app in front of the one that `build` returns, which is called once, in a thread, by the first request.

    Requests that come meanwhile wait for the same building. One that fails is logged with the request that wanted it,
    and tried anew by the next.
    """

    def __init__(self, build: Callable[[], Asgi]) -> None:
        self._build = build
        self._app: Asgi | None = None
        self._building = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        app = self._app or await self._opened()
        await app(scope, receive, send)

    async def _opened(self) -> Asgi:
        async with self._building:
            if self._app is None:
                self._app = await asyncio.to_thread(self._build)
            return self._app
