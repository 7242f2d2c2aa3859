"""The worker's part: facts become deliveries, and every endpoint has lanes of its own, so that none waits for another.

A lane is a thread that posts portions as long as there are any. It is a daemon: a server that hangs must not keep the
worker from stopping, and what it holds is due again after its lease.
"""

from __future__ import annotations

import threading
from collections import Counter
from uuid import UUID

import structlog

from resonanz.model import TemporaryFailure
from resonanz.notify.webhooks.dispatch import Dispatcher
from resonanz.notify.webhooks.sending import PORTION, Sender

STOPPED_WITHIN_SECONDS = 5.0
LANES = 4  # of one endpoint; one that fails has a single delivery on its way

log = structlog.get_logger(__name__)


class Webhooks:
    """Dispatches and sends, turn after turn."""

    def __init__(self, dispatcher: Dispatcher, sender: Sender) -> None:
        self._dispatcher = dispatcher
        self._sender = sender
        self._lanes: Counter[UUID] = Counter()
        self._lanes_change = threading.Condition()

    def turn(self) -> bool:
        """Take the facts a portion further, and start a lane wherever something is due. Returns whether there are more
        facts to be read. Raises TemporaryFailure."""
        has_more = self._dispatcher.round()
        due = self._sender.due()
        for endpoint_id, amount in due.items():
            self._open_lanes(endpoint_id, amount)
        return has_more

    def stop(self) -> None:
        """Let the lanes end, so that little has to be posted twice; those that take longer are left."""
        self._sender.stopping.set()
        with self._lanes_change:
            self._lanes_change.wait_for(lambda: not self._lanes.total(), STOPPED_WITHIN_SECONDS)

    def _open_lanes(self, endpoint_id: UUID, due: int) -> None:
        with self._lanes_change:
            wanted = min(LANES, -(-due // PORTION))
            missing = max(0, wanted - self._lanes[endpoint_id])
            self._lanes[endpoint_id] += missing
        for _ in range(missing):
            threading.Thread(target=self._run_lane, args=(endpoint_id,), name="webhook", daemon=True).start()

    def _run_lane(self, endpoint_id: UUID) -> None:
        try:
            while self._sender.send_some(endpoint_id):
                pass
        except TemporaryFailure as failure:
            log.error("webhooks have to wait", webhook=str(endpoint_id), error=str(failure))
        except Exception:  # a defect of ours: what the lane held is tried again, and others are not touched
            log.exception("a webhook could not be sent", webhook=str(endpoint_id))
        finally:
            with self._lanes_change:
                self._lanes[endpoint_id] -= 1
                self._lanes_change.notify_all()
