"""What the judge looks at, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from resonanz.ingest.judge.clients import Identity
from resonanz.ingest.judge.reasons import Reason
from resonanz.model import Confidence, HitKind, Verdict


@dataclass(frozen=True, slots=True)
class Evidence:
    """One hit as the judge sees it. `headers` has lower-case names."""

    kind: HitKind
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    user_agent: str = ""
    identity: Identity = field(default_factory=Identity)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its confidence and the reasons for it."""

    verdict: Verdict
    confidence: Confidence
    reasons: tuple[Reason, ...]
