"""What came of tries, written down: for each delivery, and for the endpoint that they went to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from prometheus_client import Counter

from resonanz.notify.webhooks import retries
from resonanz.outbound import Reply
from resonanz.store import Tx
from resonanz.store import webhook_deliveries as deliveries
from resonanz.store.webhook_deliveries import DeliveryRow, DeliveryState, Result
from resonanz.store.webhook_endpoints import EndpointRow, change_endpoint, lock_endpoint

TRIES = Counter("resonanz_webhook_tries_total", "Webhook deliveries that were posted, by what came of it", ["outcome"])

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Try:
    """One try: the server's reply, or why there was none. `chance`, from 0 to 1, spreads what is tried again."""

    row: DeliveryRow
    at: datetime
    seconds: float
    reply: Reply | None
    failure: str
    chance: float

    @property
    def is_taken(self) -> bool:
        """Whether somebody has it now."""
        return self.reply is not None and 200 <= self.reply.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether nobody wants it there any more."""
        return self.reply is not None and self.reply.status == 410

    @property
    def is_test(self) -> bool:
        """Whether it was a test: whoever asked for it looks at what came of it, and it counts for nothing else."""
        return self.row.event_id is None

    @property
    def wish(self) -> datetime | None:
        """Until when the server wishes to be left alone."""
        return retries.wished_pause(self.reply.status, self.reply.headers, self.at) if self.reply is not None else None

    def result(self, state: DeliveryState, due_at: datetime | None = None) -> Result:
        """What its row shows."""
        return Result(
            state=state,
            due_at=due_at,
            tried_at=self.at,
            status=self.reply.status if self.reply is not None else None,
            response=self.reply.beginning.decode("utf-8", "replace") if self.reply is not None else "",
            milliseconds=round(self.seconds * 1000),
            failure=self.failure,
        )


def failure_of(reply: Reply) -> str:
    """Return what is wrong with a reply, empty when nothing is."""
    if 200 <= reply.status < 300:
        return ""
    redirected = "; redirects are not followed" if 300 <= reply.status < 400 else ""
    return f"answered {reply.status}{redirected}"


def note_tries(tx: Tx, endpoint_id: UUID, tries: Sequence[Try]) -> bool:
    """Write down tries at one endpoint, in their order. Returns whether it may be told more at once."""
    endpoint = lock_endpoint(tx, endpoint_id)
    may_go_on = True
    for one in tries:
        if endpoint is None:
            return False  # it was removed meanwhile, and its deliveries with it
        if one.is_taken:
            _note_taken(tx, endpoint, one)
        elif one.is_test:
            _note_untaken(tx, one, None)
        else:
            _note_untaken(tx, one, _next_try(one))
            may_go_on = _note_failure(tx, endpoint, one)
        endpoint = lock_endpoint(tx, endpoint_id)
    return may_go_on and endpoint is not None and endpoint.paused_at is None


def _note_taken(tx: Tx, endpoint: EndpointRow, one: Try) -> None:
    TRIES.labels("delivered").inc()
    deliveries.note_result(tx, one.row.id, one.result(DeliveryState.DELIVERED))
    change_endpoint(tx, endpoint.id, delivered_at=one.at)
    if endpoint.failures and endpoint.paused_at is None:
        change_endpoint(tx, endpoint.id, failures=0, failing_since=None, rests_until=None)


def _note_untaken(tx: Tx, one: Try, again: datetime | None) -> None:
    TRIES.labels("failed").inc()
    state = DeliveryState.FAILED if again is None else DeliveryState.WAITING
    deliveries.note_result(tx, one.row.id, one.result(state, again))


def _next_try(one: Try) -> datetime | None:
    again = None if one.is_gone else retries.next_try(one.row.tries + 1, one.at, one.chance)
    return again if again is None or one.wish is None else max(again, one.wish)


def _note_failure(tx: Tx, endpoint: EndpointRow, one: Try) -> bool:
    failures, since = endpoint.failures + 1, endpoint.failing_since or one.at
    rests = [until for until in (one.wish, retries.rest_after(failures, one.at)) if until is not None]
    rest = max(rests, default=None)
    change_endpoint(tx, endpoint.id, failures=failures, failing_since=since, rests_until=rest)
    why = ""
    if one.is_gone:
        why = "it answered 410 Gone: nobody wants to be told there any more"
    elif retries.is_to_be_paused(failures, since, one.at):
        why = f"it failed {failures} times in a row; the last time: {one.failure}"
    if why and endpoint.paused_at is None:
        change_endpoint(tx, endpoint.id, paused_at=one.at, note=why)
        log.warning("a webhook is paused", webhook=str(endpoint.id), why=why)
    return rest is None
