"""The worker's look for webhooks: what tells and posts them is loaded when there is the first endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from resonanz import model
from resonanz.model import TemporaryFailure
from resonanz.store import Database
from resonanz.store.webhook_endpoints import has_endpoints

if TYPE_CHECKING:
    from resonanz.notify.webhooks.running import Webhooks
    from resonanz.sealing import Sealer

log = structlog.get_logger(__name__)

IDLE_SECONDS = 1.0
FAILED_SECONDS = 5.0


class WebhookRunner:
    """Tells endpoints, as long as there are any. `private_hosts` are those of the own network that may be posted to."""

    def __init__(self, database: Database, sealer: Callable[[], Sealer], private_hosts: Collection[str]) -> None:
        self._database = database
        self._sealer = sealer
        self._private_hosts = private_hosts
        self._webhooks: Webhooks | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Go on until `stopping` is set. A database that is away is waited for."""
        while not stopping.is_set():
            try:
                pause = 0.0 if await asyncio.to_thread(self.turn) else IDLE_SECONDS
            except TemporaryFailure as failure:
                log.error("webhooks have to wait", error=str(failure), in_seconds=FAILED_SECONDS)
                pause = FAILED_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)
        if self._webhooks is not None:
            await asyncio.to_thread(self._webhooks.stop)

    def turn(self) -> bool:
        """Take everything a step further. Returns whether there is more to do at once. Raises TemporaryFailure."""
        with self._database.read() as tx:
            if not has_endpoints(tx):
                return False
        if self._webhooks is None:
            self._webhooks = self._load()
        return self._webhooks.turn()

    def _load(self) -> Webhooks:
        from resonanz.notify.webhooks.dispatch import Dispatcher
        from resonanz.notify.webhooks.reach import reach_of
        from resonanz.notify.webhooks.running import Webhooks
        from resonanz.notify.webhooks.sending import Sender

        reach = reach_of(self._private_hosts)
        sender = Sender(self._database, self._sealer, reach, now=model.now)
        return Webhooks(Dispatcher(self._database, now=model.now), sender)
