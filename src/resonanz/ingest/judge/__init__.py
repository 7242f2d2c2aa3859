"""The judge: who caused a hit, by the evidence, with how much confidence and for which reasons.

It knows the user agent and the address while it judges; neither is stored. The answer to the requester never depends
on the verdict.
"""

from resonanz.ingest.judge.clients import CACHED_AGENTS, Identity, identify
from resonanz.ingest.judge.evidence import Evidence, Judgement
from resonanz.ingest.judge.reasons import Reason
from resonanz.ingest.judge.rules import JUDGE_VERSION, RULES, judge

__all__ = [
    "CACHED_AGENTS",
    "JUDGE_VERSION",
    "RULES",
    "Evidence",
    "Identity",
    "Judgement",
    "Reason",
    "identify",
    "judge",
]
