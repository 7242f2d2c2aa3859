"""How an attempt ended, and what that means: the facts to record, and what becomes of the queue's row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from resonanz.mail.refusals import Refusal
from resonanz.model import Event, EventKind
from resonanz.sending.schedule import delay_after
from resonanz.sending.transports.base import Delivery
from resonanz.store.messages import Message
from resonanz.store.queue import Claim

HELD_FOR = timedelta(hours=6)  # unblocking makes what is held due at once
PAUSED_FOR = timedelta(seconds=5)
CANCELLED = "the campaign was cancelled before this mail went out"
ON_THE_WIRE = "its worker died while it was on the wire; whether it went out cannot be told"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. Without `retry_after` the message is settled. `kind` is None when there was nothing to do; `tried`
    is whether it counts as an attempt, `reports` whether the next hop will report what becomes of it."""

    kind: EventKind | None
    reply: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)
    retry_after: timedelta | None = None
    delivered: bool = False
    tried: bool = True
    reports: bool = True

    def events(self, message: Message, now: datetime) -> list[Event]:
        """Return the facts."""
        kinds = [] if self.kind is None else [self.kind]
        kinds += [EventKind.DELIVERED] if self.delivered else []
        return [
            Event(
                kind=kind,
                occurred_at=now,
                received_at=now,
                source="sending",
                message_id=message.id,
                submission_id=message.submission_id,
                recipient=message.recipient,
                detail={"reply": self.reply, **self.detail},
            )
            for kind in kinds
        ]


def nothing_to_do() -> Outcome:
    """The message was settled by other means since it was queued."""
    return Outcome(None)


def sent(delivery: Delivery) -> Outcome:
    """The next hop took it; with `delivered`, that was the mailbox itself."""
    return Outcome(EventKind.SENT, delivery.reply, delivered=delivery.delivered, reports=delivery.reports)


def suppressed(reason: str) -> Outcome:
    """The address is on the suppression list."""
    return Outcome(EventKind.SUPPRESSED, f"on the suppression list: {reason}", {"reason": reason})


def held() -> Outcome:
    """An operator has blocked the submission: nothing of it goes out until they unblock it."""
    return Outcome(
        EventKind.DEFERRED, "held back: an operator has blocked this mail", {"held": True}, HELD_FOR, tried=False
    )


def paused() -> Outcome:
    """Its campaign is paused. Few mails get here: what was not claimed yet waits in the queue until it is resumed."""
    return Outcome(None, retry_after=PAUSED_FOR, tried=False)


def cancelled() -> Outcome:
    """Its campaign was cancelled."""
    return Outcome(EventKind.FAILED, CANCELLED, {"cancelled": True}, tried=False)


def bounced(reply: str, refusal: Refusal) -> Outcome:
    """Refused for good; hard only when the address itself is dead."""
    detail = {
        "bounce": "hard" if refusal.is_dead else "soft",
        "reason": refusal.reason.value,
        "status": refusal.status,
        "code": refusal.code,
    }
    return Outcome(EventKind.BOUNCED, reply, detail)


def failed(reply: str) -> Outcome:
    """It cannot be sent, and trying again will not help."""
    return Outcome(EventKind.FAILED, reply)


def deferred(reply: str, claim: Claim) -> Outcome:
    """Not now: try again later, or give up when the time is over."""
    delay = delay_after(claim.attempts + 1)
    if delay is None:
        return Outcome(EventKind.FAILED, reply, {"gave_up": True})
    return Outcome(EventKind.DEFERRED, reply, retry_after=delay)


def uncertain(*, resend: bool) -> Outcome:
    """It was on the wire when its worker died. Sent again only where that was decided beforehand."""
    return Outcome(EventKind.FAILED, ON_THE_WIRE, {"uncertain": True}, retry_after=timedelta(0) if resend else None)
