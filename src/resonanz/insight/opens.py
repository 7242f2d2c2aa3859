"""How many opened a submission's mail, and of how many that cannot be measured, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from uuid import UUID

from resonanz.insight.estimate import Estimate, Tally, estimate
from resonanz.insight.explain import COUNTED_WITHOUT_NAME, Explanation, explain_coverage
from resonanz.model import Coverage, TrackingMode
from resonanz.store import Tx
from resonanz.store import opens as store


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """So many of the copies that arrived cannot be measured, or not fully, for one reason."""

    reason: Explanation
    messages: int


@dataclass(frozen=True, slots=True)
class Opens:
    """How many opened, of the recipients whose copies arrived and are tracked by name; None when there are none.

    `arrived` counts all copies; `unmeasured` tells of those that hide something, the largest share first.
    """

    estimate: Estimate | None
    arrived: int
    unmeasured: tuple[Unmeasured, ...]


def opens_of(tx: Tx, submission_id: UUID) -> Opens:
    """Return how many opened one submission's mail; two statements."""
    seen = store.seen_opens(tx, submission_id)
    copies = store.arrived_by_coverage(tx, submission_id)
    reasons: Counter[Explanation] = Counter()
    for (coverage, mode), messages in copies.items():
        if mode is TrackingMode.ANONYMOUS:
            reasons[COUNTED_WITHOUT_NAME] += messages
        elif mode is TrackingMode.OFF:
            reasons[explain_coverage(Coverage.NOT_TRACKED)] += messages
        elif coverage is not Coverage.TRACKABLE:
            reasons[explain_coverage(coverage)] += messages
    return Opens(
        estimate=estimate(Tally(**asdict(seen))) if seen.delivered else None,
        arrived=sum(copies.values()),
        unmeasured=tuple(Unmeasured(reason, messages) for reason, messages in reasons.most_common()),
    )
