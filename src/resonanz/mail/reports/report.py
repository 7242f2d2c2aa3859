"""What a report says, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from resonanz.mail.refusals import Outcome, Reason

MAX_RECIPIENTS = 1_000
MAX_DIAGNOSTIC = 2_000  # characters


# What `Report.detail` says beside a kind.
REPLY = "reply"  # no report, but somebody's answer to a mail
OPT_OUT = "opt-out"  # a complaint that only asks to be taken off the list (RFC 5965 section 7.3)


class ReportKind(StrEnum):
    """What sort of report a message is."""

    BOUNCE = "bounce"  # at least one recipient did not get it
    DELAY = "delay"  # still being tried
    DELIVERED = "delivered"
    COMPLAINT = "complaint"  # the recipient called it spam
    AUTOREPLY = "autoreply"  # out of office, or a robot's answer
    RECEIPT = "receipt"  # a mail client says that it was displayed, or deleted unread
    NONE = "none"  # no report at all


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """What the report says about one recipient. `outcome` is None where it says nothing about delivery."""

    address: str
    outcome: Outcome | None = None
    status: str = ""
    code: int | None = None
    reason: Reason | None = None
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A report understood.

    `message_id` is that of the mail it is about, with its angle brackets; empty when not found. `tokens` are strings
    with the shape of our return paths (their local part) and tracking tokens, the likeliest first; none was verified.
    `detail` is the feedback type of a complaint, the disposition of a receipt, and `reply` for somebody's answer.
    """

    kind: ReportKind
    recipients: tuple[ReportedRecipient, ...] = ()
    message_id: str = ""
    tokens: tuple[str, ...] = ()
    detail: str = ""

    @property
    def token(self) -> str:
        """The likeliest token, empty when there is none."""
        return self.tokens[0] if self.tokens else ""


def kind_of(recipients: tuple[ReportedRecipient, ...]) -> ReportKind:
    """Return what a delivery report with these recipients is: one failure makes it a bounce."""
    outcomes = {recipient.outcome for recipient in recipients}
    if outcomes & {Outcome.HARD, Outcome.SOFT}:
        return ReportKind.BOUNCE
    return ReportKind.DELAY if Outcome.DELAYED in outcomes else ReportKind.DELIVERED


def about(address: str) -> tuple[ReportedRecipient, ...]:
    """One recipient about whose delivery nothing is said; none when there is no address."""
    return (ReportedRecipient(address),) if address else ()
