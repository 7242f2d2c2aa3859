"""How one instance judges, and what is kept of a hit for as long as other hits may change its verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from resonanz.ingest.judge import (
    CACHED_AGENTS,
    Evidence,
    Judgement,
    Mail,
    Network,
    Windows,
    identify,
    judge_all,
    judge_alone,
)
from resonanz.ingest.judge.evidence import HitId, MailKey
from resonanz.ingest.judge.networks import classify
from resonanz.ingest.judge.rules import PREFETCH_HEADERS
from resonanz.ingest.judge.windows import microseconds
from resonanz.model import Hit, HitKind, Place
from resonanz.store import Tx
from resonanz.store.evidence import Facts, Kept, facts_of, of_sources
from resonanz.store.text import storable

Classify = Callable[[str], Network | None]


def no_place(_address: str) -> Place | None:
    """Know no place."""
    return None


class FewRepeats:
    """Lets so many repeats of what happened to a message through in an hour, so that one hammered pixel costs nothing.

    A repeat is kept as evidence only because the event that it repeats may turn out to be a machine's.
    """

    def __init__(self, limit: int = 100, remembered: int = 20_000) -> None:
        self._limit = limit
        self._remembered = remembered
        self._seen: dict[tuple[UUID, int], int] = {}

    def lets(self, message_id: UUID, occurred_us: int) -> bool:
        """Count a repeat, and return whether it may be kept."""
        key = message_id, occurred_us // 3_600_000_000
        seen = self._seen.get(key, 0) + 1
        if seen == 1 and len(self._seen) >= self._remembered:
            self._seen.clear()
        self._seen[key] = seen
        return seen <= self._limit


@dataclass(frozen=True, slots=True)
class Judging:
    """How an instance judges. `keep` is how long address and user agent stay; None: no longer than they are needed."""

    windows: Windows = field(default_factory=Windows)
    classify: Classify = classify
    place_of: Callable[[str], Place | None] = no_place
    keep: timedelta | None = None
    few_repeats: FewRepeats = field(default_factory=FewRepeats)
    own_key: bytes | None = None  # of the digests of own browsers; None: the sender counts like anybody
    silent: frozenset[str] = frozenset()  # rules that are not in force
    shadow: Callable[[], Judging | None] | None = None  # how it would judge with all that is in shadow, if anything is

    @property
    def kept_for_us(self) -> int:
        """Microseconds after it came in until a hit's evidence is forgotten."""
        needed = self.windows.kept_for
        return needed if self.keep is None else max(needed, self.keep // timedelta(microseconds=1))


# ── Addresses ───────────────────────────────────────────────────────────────────────────────────────────────────────

# Private, loopback and link-local addresses and those of carriers' NAT, by how they are written.
_OURS = re.compile(
    r"10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
    r"|::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:"
).match


def told_address(address: str) -> str:
    """Return the address of who asked, or nothing where it is that of a machine in between.

    A proxy of ours that is not set as trusted gives all readers one private address; taken for theirs, it would make
    everybody one crowd.
    """
    return "" if _OURS(address) else address


# ── Hits, evidence, rows ────────────────────────────────────────────────────────────────────────────────────────────


def evidence_of(hit: Hit, judging: Judging, *, own: bool = False) -> Evidence:
    """Return a hit as the judge sees it by itself."""
    address = told_address(hit.address) if hit.address else ""
    return Evidence(
        hit.kind,
        # A script's report is a POST, but nobody pressed a button: it is judged by who sent it, like a fetch.
        "GET" if hit.kind is HitKind.BEACON else hit.method,
        _purposes(hit.headers),
        hit.user_agent,
        identify(hit.user_agent),
        judging.classify(address) if address else None,
        address,
        own=own,
    )


def judged_alone(evidence: Evidence, silent: frozenset[str] = frozenset()) -> Judgement | None:
    """Return what a hit tells by itself; the same programs ask the same way again and again, and are asked once."""
    return _judged_alone(
        evidence.kind,
        evidence.method,
        tuple(evidence.headers.items()),
        evidence.user_agent,
        evidence.network,
        bool(evidence.address),
        evidence.own,
        silent,
    )


@lru_cache(maxsize=CACHED_AGENTS)
def _judged_alone(
    kind: HitKind,
    method: str,
    headers: tuple[tuple[str, str], ...],
    user_agent: str,
    network: Network | None,
    has_address: bool,  # a key of the cache
    own: bool,
    silent: frozenset[str],
) -> Judgement | None:
    address = "192.0.2.1" if has_address else ""  # no rule about one hit asks which
    hit = Evidence(kind, method, dict(headers), user_agent, identify(user_agent), network, address, own=own)
    return judge_alone(hit, silent)


def _purposes(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in PREFETCH_HEADERS} if headers else {}


def matters_to_others(evidence: Evidence, alone: Judgement | None) -> bool:
    """Whether other hits may change the verdict on this one, or be changed by it.

    An image that a proxy, Apple or a named machine fetched is what it is, and says nothing about anything else.
    """
    return alone is None or evidence.kind is not HitKind.OPEN


def to_kept(evidence: Evidence, id: int, hit: Hit, received_us: int, windows: Windows) -> Kept:
    """Return the row that keeps a hit's evidence. A hit from the future (an edge's clock) came when it came in."""
    return Kept(
        id,
        hit.id,
        hit.kind,
        hit.link,
        hit.occurred_us if hit.occurred_us < received_us else received_us,
        received_us,
        hit.method,
        evidence.address,
        storable(hit.user_agent),
        evidence.headers,
        evidence.own,
        received_us + windows.settles_after,
    )


def from_kept(row: Kept, classify: Classify) -> Evidence:
    """Return kept evidence as the judge sees it."""
    return Evidence(
        row.kind,
        row.method,
        row.headers,
        row.user_agent,
        identify(row.user_agent),
        classify(row.address) if row.address else None,
        row.address,
        row.occurred_us,
        row.id,
        row.message_id,
        row.link,
        row.own,
    )


def from_rows(rows: Iterable[Kept], classify: Classify) -> list[Evidence]:
    """Return kept evidence as the judge sees it."""
    return [from_kept(row, classify) for row in rows]


def mails_of(facts: Mapping[UUID, Facts]) -> dict[MailKey, Mail]:
    """Return what is known of mails, as the judge sees it."""
    return {
        id: Mail(fact.sent_us, fact.delivered_us, fact.links, tuple(sorted(fact.replies_us)))
        for id, fact in facts.items()
    }


# ── Together ────────────────────────────────────────────────────────────────────────────────────────────────────────

Found = Mapping[int, tuple[Evidence, Judgement]]


def judge_rows(tx: Tx, rows: Sequence[Kept], judging: Judging, now_us: int) -> Found:
    """Return what the judge says of kept hits on whole messages, by their events' ids."""
    windows = judging.windows
    messages = {row.message_id for row in rows}
    hits = from_rows(rows, judging.classify)
    alone: dict[HitId, Judgement | None] = {hit.id: judged_alone(hit, judging.silent) for hit in hits}
    # What tells by itself who it was asks nothing more: not about its mail, and not who else came from there.
    questions = [row for row in rows if alone[row.id] is None]
    mails = mails_of(facts_of(tx, {row.message_id for row in questions}))
    around = of_sources(
        tx,
        [row for row in questions if row.address],
        around_us=microseconds(windows.crowd),
        messages=min(windows.crowd_clicks, windows.crowd_clicks_probable, windows.crowd_opens),
    )
    others = from_rows([row for row in around if row.message_id not in messages], judging.classify)
    alone |= {hit.id: judged_alone(hit, judging.silent) for hit in others}
    said = judge_all([*hits, *others], mails, windows, now_us, only=messages, silent=judging.silent, alone=alone)
    return {int(hit.id): (hit, said[hit.id]) for hit in hits}


def complete_since(judging: Judging, now_us: int) -> int:
    """Return from when on all is kept that was around a hit, so that it can be judged anew."""
    return now_us - judging.kept_for_us + judging.windows.open_for
