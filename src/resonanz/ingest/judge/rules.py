"""The rules, in the order in which they are asked; the first that has something to say decides.

Every rule looks at one hit. What only several hits together
show (sweeps, bursts), or only the time since delivery, is no rule of this table but a step after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from resonanz.ingest.judge.agents import Machine
from resonanz.ingest.judge.evidence import Evidence, Judgement
from resonanz.ingest.judge.reasons import Reason
from resonanz.model import ClientKind, Confidence, HitKind, Verdict

JUDGE_VERSION = 1  # stored with every judged event: whose word its verdict is


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, where its knowledge comes from, and the question. None means that it has nothing to say."""

    name: str
    source: str
    ask: Callable[[Evidence], Judgement | None]


def judge(evidence: Evidence) -> Judgement:
    """Return who caused a hit, by the first rule that has something to say."""
    for rule in RULES:
        judgement = rule.ask(evidence)
        if judgement is not None:
            return judgement
    raise AssertionError("the last rule always has something to say")


# ── How it was asked ────────────────────────────────────────────────────────────────────────────────────────────────


def _posted(evidence: Evidence) -> Judgement | None:
    """A form was sent. Scanners look at pages; a receiver must not send the form by itself."""
    if evidence.method == "POST":
        return _says(Verdict.HUMAN_CONFIRMED, Confidence.PROBABLE, Reason.POSTED)
    return None


def _method_not_get(evidence: Evidence) -> Judgement | None:
    """A reader's program fetches; HEAD and OPTIONS only ask what would come."""
    if evidence.method != "GET":
        return _says(Verdict.MACHINE_SCANNER, Confidence.CERTAIN, Reason.METHOD_NOT_GET)
    return None


_PREFETCH_HEADERS = {
    "sec-purpose": ("prefetch", "prerender"),
    "purpose": ("prefetch", "preview"),
    "x-purpose": ("prefetch", "preview"),
    "x-moz": ("prefetch",),
}


def _prefetch_header(evidence: Evidence) -> Judgement | None:
    """The program itself says that it fetches ahead of any need."""
    for name, words in _PREFETCH_HEADERS.items():
        value = evidence.headers.get(name, "").lower()
        if value and any(word in value for word in words):
            return _says(Verdict.MACHINE_PREFETCH, Confidence.CERTAIN, Reason.PREFETCH_HEADER)
    return None


# ── Who asked, by its own word ──────────────────────────────────────────────────────────────────────────────────────

_GMAIL_PREFETCH_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)


def _gmail_prefetch(evidence: Evidence) -> Judgement | None:
    """Gmail's other fetcher loads images before anybody looks, under a user agent that nothing else has."""
    if evidence.user_agent == _GMAIL_PREFETCH_AGENT:
        return _says(Verdict.MACHINE_PREFETCH, Confidence.PROBABLE, Reason.GMAIL_PREFETCH)
    return None


def _mail_proxy(evidence: Evidence) -> Judgement | None:
    """A mail provider's image proxy fetches when the mail is shown; following links is not its business."""
    if evidence.identity.client.kind is not ClientKind.MAIL_PROXY:
        return None
    if evidence.kind is HitKind.OPEN:
        return _says(Verdict.HUMAN_PROXIED, Confidence.PROBABLE, Reason.MAIL_PROXY)
    return _says(Verdict.MACHINE_SCANNER, Confidence.PROBABLE, Reason.PROXY_FOLLOWED_LINK)


def _bare_mozilla(evidence: Evidence) -> Judgement | None:
    """`Mozilla/5.0` and nothing else is how Apple's privacy protection loads images. No browser follows links so."""
    if evidence.user_agent.strip() != "Mozilla/5.0":
        return None
    if evidence.kind is HitKind.OPEN:
        return _says(Verdict.PRIVACY_PREFETCH, Confidence.PROBABLE, Reason.BARE_MOZILLA)
    return _says(Verdict.MACHINE_SCANNER, Confidence.PROBABLE, Reason.BARE_MOZILLA)


_MACHINES = {
    Machine.SCANNER: (Verdict.MACHINE_SCANNER, Confidence.CERTAIN, Reason.SCANNER_AGENT),
    Machine.PREVIEW: (Verdict.MACHINE_PREVIEW, Confidence.CERTAIN, Reason.PREVIEW_AGENT),
    Machine.CRAWLER: (Verdict.MACHINE_PREVIEW, Confidence.PROBABLE, Reason.CRAWLER_AGENT),
    Machine.PROGRAM: (Verdict.MACHINE_SCANNER, Confidence.PROBABLE, Reason.PROGRAM_AGENT),
}


def _machine_by_name(evidence: Evidence) -> Judgement | None:
    """Scanners, previews, crawlers and scripts that say what they are."""
    machine = evidence.identity.machine
    return None if machine is None else _says(*_MACHINES[machine])


def _no_agent(evidence: Evidence) -> Judgement | None:
    """Mail clients and browsers say what they are; a program that does not is rarely one of them."""
    if not evidence.user_agent.strip():
        return _says(Verdict.MACHINE_SCANNER, Confidence.WEAK, Reason.NO_AGENT)
    return None


def _no_browser(evidence: Evidence) -> Judgement | None:
    """A link is followed with a browser, and browsers have called themselves Mozilla or Opera since 1994."""
    if evidence.kind is HitKind.OPEN or evidence.identity.client.kind is not ClientKind.UNKNOWN:
        return None
    if evidence.user_agent.startswith(("Mozilla/", "Opera/")):
        return None
    return _says(Verdict.MACHINE_SCANNER, Confidence.WEAK, Reason.NOT_A_BROWSER)


# ── Nothing against a person ────────────────────────────────────────────────────────────────────────────────────────

_READERS = {
    ClientKind.MAIL_CLIENT: (Confidence.PROBABLE, Reason.MAIL_CLIENT),
    ClientKind.BROWSER: (Confidence.PROBABLE, Reason.BROWSER),
    ClientKind.APP: (Confidence.PROBABLE, Reason.APP),
}


def _default(evidence: Evidence) -> Judgement | None:
    """Nothing speaks against a person."""
    confidence, reason = _READERS.get(evidence.identity.client.kind, (Confidence.WEAK, Reason.UNKNOWN_CLIENT))
    return _says(_person(evidence), confidence, reason)


def _person(evidence: Evidence) -> Verdict:
    return Verdict.HUMAN_DIRECT if evidence.kind is HitKind.OPEN else Verdict.HUMAN_LIKELY


def _says(verdict: Verdict, confidence: Confidence, *reasons: Reason) -> Judgement:
    return Judgement(verdict, confidence, reasons)


RULES: tuple[Rule, ...] = (
    Rule("posted", "RFC 8058 section 4: a receiver must not POST without the user's consent", _posted),
    Rule("method_not_get", "RFC 9110 section 9.3", _method_not_get),
    Rule("prefetch_header", "WICG nav-speculation (Sec-Purpose); older browsers' Purpose, X-Moz", _prefetch_header),
    Rule("gmail_prefetch", "Bird (SparkPost): 1 to 6 % of Gmail opens, over 9.8 billion events", _gmail_prefetch),
    Rule("mail_proxy", "judge.agents; the providers' own documentation", _mail_proxy),
    Rule("bare_mozilla", "ClickDimensions and Groundhogg on Apple Mail Privacy Protection", _bare_mozilla),
    Rule("machine_by_name", "judge.agents and uap-core", _machine_by_name),
    Rule("no_agent", "RFC 9110 section 10.1.5: a user agent should say what it is", _no_agent),
    Rule("no_browser", "uap-core: every browser family there", _no_browser),
    Rule("default", "nothing else had anything to say", _default),
)
