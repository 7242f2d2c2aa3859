"""One contact: their mail, what came of it, and what of it cannot be measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from resonanz.insight.explain import Explanation, explain_coverage, explain_gateway, explain_verdict
from resonanz.insight.opens import Unmeasured, why_unmeasured
from resonanz.model import Coverage, Event, MessageState
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
class History:
    """A contact's mail: counts over all of it, and a page of it, newest first. `next` continues behind it.

    `gateway` tells who scans their mail, or takes tracking out of it, as it was last known; None for nobody.
    """

    messages: int
    arrived: int
    bounced: int
    opened: int
    perhaps: int
    clicked: int
    unmeasured: tuple[Unmeasured, ...]
    gateway: Explanation | None
    mails: tuple[Mail, ...]
    next: UUID | None


def history_of(tx: Tx, contact_id: UUID, *, limit: int, before: UUID | None = None) -> History:
    """Return a contact's mail and what came of it; a statement for each mail that is shown, and
    three more."""
    shares = histories.shares_of(tx, contact_id)
    gateway = histories.gateways_of(tx, [contact_id]).get(contact_id)
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
        gateway=explain_gateway(gateway) if gateway else None,
        mails=tuple(_mail(tx, message) for message in page),
        next=page[-1].id if page and len(rows) > limit else None,
    )


def _mail(tx: Tx, message: Message) -> Mail:
    facts = events.firsts_in_full(tx, message.id, limit=EVENTS_OF_ONE + 1)
    shown = [fact for fact in facts[:EVENTS_OF_ONE] if fact.kind != "corrected"]
    happenings = tuple(
        Happening(fact, explain_verdict(fact.verdict) if fact.verdict is not None else None) for fact in shown
    )
    return Mail(message, happenings, len(facts) > EVENTS_OF_ONE)


def _unmeasured(shares: Iterable[Share]) -> tuple[Unmeasured, ...]:
    counted: Counter[Explanation] = Counter()
    for share in shares:
        if share.state not in _ARRIVED:
            continue
        reason = why_unmeasured(share.coverage, share.track_opens)
        if reason is not None:
            counted[reason] += share.messages - share.opened
        else:  # whatever was expected of these, nothing but privacy protection was heard
            counted[explain_coverage(Coverage.PRIVACY_CLIENT)] += share.perhaps
    return tuple(Unmeasured(reason, times) for reason, times in counted.most_common() if times > 0)
