"""How many opened a submission's mail, and of how many that cannot be measured, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from uuid import UUID

from resonanz.insight.estimate import Estimate, Tally, estimate
from resonanz.insight.explain import COUNTED_WITHOUT_NAME, Explanation, explain_coverage, explain_gateway
from resonanz.model import Coverage, TrackingMode
from resonanz.store import Tx
from resonanz.store import opens as store


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
    """Return how many opened one submission's mail; three statements."""
    seen = store.seen_opens(tx, submission_id)
    copies = store.arrived_by_coverage(tx, submission_id)
    receivers = store.arrived_by_gateway(tx, submission_id)
    reasons: Counter[Explanation] = Counter()
    for (coverage, mode), messages in copies.items():
        if (reason := why_unmeasured(coverage, mode)) is not None:
            reasons[reason] += messages
    return Opens(
        estimate=estimate(Tally(**asdict(seen))) if seen.delivered else None,
        arrived=sum(copies.values()),
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
