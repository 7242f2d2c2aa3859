"""What networks and rules in shadow would change: counted as hits settle, and over all evidence that is kept.

Nothing that is in shadow decides anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from resonanz.ingest.judge import Evidence
from resonanz.ingest.judging import Found, Judging, complete_since, judge_rows
from resonanz.model import to_microseconds
from resonanz.store import Database, Tx
from resonanz.store import evidence as store
from resonanz.store.evidence import Kept
from resonanz.store.shadows import Would, count_shadows

_MESSAGES_AT_A_TIME = 200
RULES = "rules in shadow"


def count_in_shadow(
    tx: Tx, rows: Sequence[Kept], ids: Collection[int], in_force: Found, judging: Judging, now_us: int
) -> None:
    """Count what everything in shadow would have said of these hits instead."""
    shadow = judging.shadow() if judging.shadow is not None else None
    if shadow is not None:
        count_shadows(tx, _differences(in_force, judge_rows(tx, rows, shadow, now_us), ids))


def try_shadow(database: Database, judging: Judging, now: datetime, *, since: datetime | None = None) -> Counter[Would]:
    """Return what everything in shadow would say of the hits whose evidence is kept. Writes nothing."""
    shadow = judging.shadow() if judging.shadow is not None else None
    found: Counter[Would] = Counter()
    if shadow is None:
        return found
    now_us = to_microseconds(now)
    since_us = max(complete_since(judging, now_us), to_microseconds(since) if since is not None else 0)
    last: UUID | None = None
    while True:
        with database.read() as tx:
            messages = store.next_messages(tx, last, since_us=since_us, limit=_MESSAGES_AT_A_TIME)
            if not messages:
                return found
            rows = store.of_messages(tx, messages)
            ids = [row.id for row in rows if row.received_us >= since_us]
            found += _differences(judge_rows(tx, rows, judging, now_us), judge_rows(tx, rows, shadow, now_us), ids)
        last = messages[-1]


def _differences(in_force: Found, in_shadow: Found, ids: Collection[int]) -> Counter[Would]:
    differences: Counter[Would] = Counter()
    for id in ids:
        (_, was), (hit, would) = in_force[id], in_shadow[id]
        if was.verdict is not would.verdict:
            differences[_name(hit), was.verdict, would.verdict] += 1
    return differences


def _name(hit: Evidence) -> str:
    """Return what is to be named for a difference: the network that the hit came from, else the rules."""
    if hit.network is not None and hit.network.shadow:
        return f"{hit.network.owner} ({hit.network.kind.value})"
    return RULES
