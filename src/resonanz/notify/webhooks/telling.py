"""Whether an event may be told to programs of others: asked when a delivery is made, and again before it goes out.

What is recorded may be shown here, to the sender. Handing it on is a step further: of a person who withdrew their
consent meanwhile nothing is told that was tracked, and no count without names of so few that one could be meant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from resonanz.model import Event, EventKind
from resonanz.people import allowed_among, hides_in_group
from resonanz.store import Tx, events, messages

_BY_OPENS = frozenset({EventKind.OPENED, EventKind.SHOWN})
_BY_CLICKS = frozenset({EventKind.CLICKED, EventKind.DOWNLOADED, EventKind.VISITED})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What has to be known about some events, by their ids: which may be told, the submissions of their mails, and the
    accounts that handed those in (none: the command line)."""

    tellable: frozenset[int]
    submissions: Mapping[int, UUID]
    accounts: Mapping[int, UUID]


def look_around(tx: Tx, facts: Collection[Event]) -> Surroundings:
    """Return the surroundings of these events; four statements."""
    mails = messages.get_messages(tx, {fact.message_id for fact in facts if fact.message_id is not None})
    allowed = allowed_among(tx, list(mails.values()))
    groups = events.headlines(tx, [fact for fact in facts if fact.message_id is None])
    submissions: dict[int, UUID] = {}
    for fact in facts:
        mail = mails.get(fact.message_id) if fact.message_id is not None else None
        submission_id = mail.submission_id if mail is not None else fact.submission_id
        if submission_id is not None:
            submissions[fact.id] = submission_id
    senders = messages.senders_of(tx, set(submissions.values()))
    return Surroundings(
        tellable=frozenset(fact.id for fact in facts if _may_be_told(fact, allowed, groups)),
        submissions=submissions,
        accounts={id: senders[submission] for id, submission in submissions.items() if submission in senders},
    )


def _may_be_told(fact: Event, allowed: Mapping[UUID, tuple[bool, bool]], groups: Mapping[int, events.Headline]) -> bool:
    if fact.message_id is None:
        return fact.id in groups and hides_in_group(groups[fact.id].recipients)
    opens, clicks = allowed.get(fact.message_id, (False, False))
    # Of a fact about an erased person it is not kept which sort of event was corrected.
    kind = fact.detail.get("of") if fact.kind is EventKind.CORRECTED else fact.kind
    if kind is None:
        return False
    if kind in _BY_OPENS:
        return opens
    return clicks if kind in _BY_CLICKS else True
