"""The judge: who caused a hit, by the evidence, with how much confidence and for which reasons.

`rules` says what one hit tells by itself, `together` what several tell; `trial` puts the questions. It knows the user
agent and the address while it judges. The answer to the requester never depends on the verdict.
"""

from resonanz.ingest.judge.clients import CACHED_AGENTS, Identity, identify
from resonanz.ingest.judge.evidence import Evidence, Judgement, Mail
from resonanz.ingest.judge.network import Network, NetworkKind
from resonanz.ingest.judge.reasons import Reason
from resonanz.ingest.judge.rules import RULES, judge_alone
from resonanz.ingest.judge.together import AFTERWARDS, WINDOWED
from resonanz.ingest.judge.trial import JUDGE_VERSION, judge_all, judge_now, judge_one, place_allowed
from resonanz.ingest.judge.windows import Windows

__all__ = [
    "AFTERWARDS",
    "CACHED_AGENTS",
    "JUDGE_VERSION",
    "RULES",
    "WINDOWED",
    "Evidence",
    "Identity",
    "Judgement",
    "Mail",
    "Network",
    "NetworkKind",
    "Reason",
    "Windows",
    "identify",
    "judge_all",
    "judge_alone",
    "judge_now",
    "judge_one",
    "place_allowed",
]
