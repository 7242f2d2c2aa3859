"""How many opened a submission's mail, and of how many that cannot be measured, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from resonanz.insight.estimate import Estimate, Tally, estimate
from resonanz.insight.explain import COUNTED_WITHOUT_NAME, Explanation, explain_coverage, explain_gateway
from resonanz.insight.turnout import count
from resonanz.model import Coverage, TrackingMode
from resonanz.store import Tx
from resonanz.store.standings import Act
from resonanz.store.tallies import Alike, tallies_of


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """So many of the copies that arrived cannot be measured, or not fully, for one reason."""

    reason: Explanation
    messages: int


@dataclass(frozen=True, slots=True)
class Behind:
    """So many of the copies that arrived went to recipients whose mail somebody scans, or takes tracking out of: who,
    and what that means."""

    who: Explanation
    messages: int


@dataclass(frozen=True, slots=True)
class Opens:
    """How many opened, of the recipients whose copies arrived and are tracked by name; None when there are none.

    `arrived` counts all copies; `unmeasured` tells of those that hide something, `gateways` of those that somebody
    stands before, the largest share first. Of `unasked` copies nobody knows who takes in their recipients' mail.
    """

    estimate: Estimate | None
    arrived: int
    unmeasured: tuple[Unmeasured, ...]
    gateways: tuple[Behind, ...]
    unasked: int


def opens_of(tx: Tx, submission_id: UUID) -> Opens:
    """Return how many opened one submission's mail."""
    return opens(tallies_of(tx, submission_id))


def opens(tallies: Sequence[Alike]) -> Opens:
    """Return how many opened, of the copies that stand like this."""
    arrived = [one for one in tallies if one.arrived]
    reasons: Counter[Explanation] = Counter()
    receivers: Counter[str | None] = Counter()
    for one in arrived:
        receivers[one.gateway] += one.messages
        if (reason := why_unmeasured(_coverage(one), one.track_opens)) is not None:
            reasons[reason] += one.messages
    seen = _seen([one for one in arrived if one.names_opens and one.names_clicks])
    return Opens(
        estimate=estimate(seen) if seen.delivered else None,
        arrived=count(arrived, bool),
        unmeasured=tuple(Unmeasured(reason, messages) for reason, messages in reasons.most_common()),
        gateways=tuple(
            Behind(explain_gateway(name), messages)
            for name, messages in sorted(receivers.items(), key=lambda one: (-one[1], one[0] or ""))
            if name
        ),
        unasked=receivers.get(None, 0),
    )


def why_unmeasured(coverage: Coverage, opens: TrackingMode) -> Explanation | None:
    """Return why opens of a copy cannot be measured, or not fully, by what limits it and how they are tracked."""
    if opens is TrackingMode.ANONYMOUS:
        return COUNTED_WITHOUT_NAME
    if opens is TrackingMode.OFF:
        return explain_coverage(Coverage.NOT_TRACKED)
    return None if coverage is Coverage.TRACKABLE else explain_coverage(coverage)


def _coverage(alike: Alike) -> Coverage:
    """What only privacy protection was heard of is behind it, whatever was expected of it."""
    only_private = alike.acts & Act.MAYBE_OPENED and not alike.acts & (Act.OPENED | Act.CLICKED)
    return Coverage.PRIVACY_CLIENT if only_private else alike.coverage


def _seen(tallies: Sequence[Alike]) -> Tally:
    """Count recipients by what was seen of them; nothing but Apple's privacy protection leaves an open undecided."""
    private = [one for one in tallies if one.acts & Act.MAYBE_OPENED]
    plain = [one for one in tallies if not one.acts & Act.MAYBE_OPENED]
    both = Act.OPENED | Act.CLICKED
    return Tally(
        delivered=count(tallies, bool),
        opened=count(plain, lambda one: one.acts & Act.OPENED),
        clicked=count(plain, lambda one: one.acts & Act.CLICKED),
        both=count(plain, lambda one: one.acts & both == both),
        private=count(private, bool),
        private_seen=count(private, lambda one: one.acts & both),
        private_clicked=count(private, lambda one: one.acts & Act.CLICKED),
    )
