"""One contact: their mail, what came of it, and what of it cannot be measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from resonanz.insight.explain import Explanation, explain_coverage, explain_verdict
from resonanz.model import Event, MessageState, TrackingMode
from resonanz.store import Tx, events, histories
from resonanz.store.histories import Share
from resonanz.store.messages import Message

EVENTS_OF_ONE = 30

_ARRIVED = (MessageState.SENT, MessageState.DELIVERED)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a message, with its verdict in words."""

    event: Event
    verdict: Explanation | None


@dataclass(frozen=True, slots=True)
class Mail:
    """One message and its events, oldest first, repeats folded away. `more` tells that there are others."""

    message: Message
    happenings: tuple[Happening, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """So many mails that arrived of which something cannot be known, and why."""

    messages: int
    reason: Explanation


@dataclass(frozen=True, slots=True)
class History:
    """A contact's mail: counts over all of it, and a page of it, newest first. `next` continues behind it."""

    messages: int
    arrived: int
    bounced: int
    opened: int
    perhaps: int
    clicked: int
    unmeasured: tuple[Unmeasured, ...]
    mails: tuple[Mail, ...]
    next: UUID | None


def history_of(tx: Tx, contact_id: UUID, *, limit: int, before: UUID | None = None) -> History:
    """Return a contact's mail and what came of it; a statement for each mail that is shown, and three more."""
    shares = histories.shares_of(tx, contact_id)
    rows = histories.messages_of(tx, contact_id, limit=limit + 1, before=before)
    page = rows[:limit]
    return History(
        messages=sum(share.messages for share in shares),
        arrived=sum(share.messages for share in shares if share.state in _ARRIVED),
        bounced=sum(share.messages for share in shares if share.state is MessageState.BOUNCED),
        opened=sum(share.opened for share in shares),
        perhaps=sum(share.perhaps for share in shares),
        clicked=sum(share.clicked for share in shares),
        unmeasured=_unmeasured(shares),
        mails=tuple(_mail(tx, message) for message in page),
        next=page[-1].id if len(rows) > limit else None,
    )


def _mail(tx: Tx, message: Message) -> Mail:
    facts = events.firsts_in_full(tx, message.id, limit=EVENTS_OF_ONE + 1)
    shown = [fact for fact in facts[:EVENTS_OF_ONE] if fact.kind != "corrected"]
    happenings = tuple(
        Happening(fact, explain_verdict(fact.verdict) if fact.verdict is not None else None) for fact in shown
    )
    return Mail(message, happenings, len(facts) > EVENTS_OF_ONE)


_NAMELESS = Explanation(
    "nameless",
    "Counted without a name",
    "Their copy carried everybody's image and links: whether they opened is unknown.",
)
_UNTRACKED = Explanation("untracked", "Not tracked", "Nothing was put into their copy; silence says nothing about it.")


def _unmeasured(shares: Iterable[Share]) -> tuple[Unmeasured, ...]:
    counted: Counter[Explanation] = Counter()
    for share in shares:
        if share.state in _ARRIVED and (reason := _reason(share)) is not None:
            counted[reason] += share.messages - share.opened
    return tuple(Unmeasured(times, reason) for reason, times in counted.most_common() if times > 0)


def _reason(share: Share) -> Explanation | None:
    if share.is_built and share.track_opens is TrackingMode.OFF and share.track_clicks is TrackingMode.OFF:
        return _UNTRACKED
    if share.track_opens is TrackingMode.ANONYMOUS:
        return _NAMELESS
    return None if share.coverage == "trackable" else explain_coverage(share.coverage)
