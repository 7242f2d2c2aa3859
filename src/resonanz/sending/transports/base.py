"""What every transport does: carry one message to one recipient, and say how it went."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from resonanz.mail.refusals import Refusal
from resonanz.model import PermanentFailure, TemporaryFailure


async def _nothing() -> None:
    """For whoever does not care about the last moment before the handover."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the next server is asked to report to the envelope's sender (RFC 3461), where it offers to. Empty
    `envelope_id` and `original_recipient` are ours to fill."""

    notify: str = "SUCCESS,FAILURE,DELAY"
    whole: bool = False
    envelope_id: str = ""
    original_recipient: str = ""


ALL_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who a message goes to, apart from what its headers say (RFC 5321 section 2.3.1).

    `handing_over` is awaited at the last moment at which the message has certainly not been sent. If it raises, the
    transport must not send, and lets the error through.
    """

    message_id: UUID
    sender: str
    recipient: str
    handing_over: Callable[[], Awaitable[None]] = _nothing
    wishes: Wishes = ALL_WISHES


@dataclass(frozen=True, slots=True)
class Delivery:
    """The next hop took responsibility. `delivered` is whether that was the mailbox itself, not a hop on the way;
    `reports` whether it promised to report what becomes of the mail, as asked."""

    reply: str
    delivered: bool = False
    reports: bool = True


class Refused(PermanentFailure):
    """The other side refused for good. `refusal` is what its reply means."""

    def __init__(self, reply: str, refusal: Refusal) -> None:
        super().__init__(reply)
        self.refusal = refusal


class Deferred(TemporaryFailure):
    """Not now: the other side said so, or could not be reached."""

    def __init__(self, reply: str, *, remedy: str = "") -> None:
        super().__init__(reply, remedy=remedy)


class Unreachable(Deferred):
    """The other side cannot be reached or does not let us in at all: no mail will go out there for now."""


class SignInAgain(Unreachable):
    """The other side honours our refresh token no more: mail waits until somebody signs in."""


class Throttled(Deferred):
    """Not now, because we are too fast: `by_domain` is whether the recipient's domain says so, not the transport."""

    def __init__(self, reply: str, *, by_domain: bool) -> None:
        super().__init__(reply)
        self.by_domain = by_domain


class Transport(Protocol):
    """What carries a message out. One instance serves many deliveries at once."""

    name: str

    async def deliver(self, envelope: Envelope, message: bytes) -> Delivery:
        """Hand `message` (CRLF line endings) over. Raises Refused, Deferred, Unreachable, with the reply."""

    async def check(self) -> str:
        """Try everything short of sending and say what was found. Raises PermanentFailure or TemporaryFailure."""

    async def close(self) -> None:
        """End open connections."""
