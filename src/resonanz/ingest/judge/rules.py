"""The rules, in the order in which they are asked; the first that speaks decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from resonanz.ingest.judge.evidence import Evidence, Judgement
from resonanz.ingest.judge.reasons import Reason
from resonanz.model import ClientKind, Confidence, HitKind, Verdict

JUDGE_VERSION = 1

_CERTAIN, _PROBABLE, _WEAK = Confidence.CERTAIN, Confidence.PROBABLE, Confidence.WEAK


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, where it comes from, and the question. None means that it has nothing to say."""

    name: str
    source: str
    ask: Callable[[Evidence], Judgement | None]


def judge(evidence: Evidence) -> Judgement:
    """Return the verdict of the first rule that has something to say."""
    for rule in RULES:
        judgement = rule.ask(evidence)
        if judgement is not None:
            return judgement
    raise AssertionError("the last rule always has something to say")


def says(verdict: Verdict, confidence: Confidence, *reasons: Reason) -> Judgement:
    """Write a judgement shortly."""
    return Judgement(verdict, confidence, reasons)


def by_kind(evidence: Evidence, opened: Verdict, otherwise: Verdict) -> Verdict:
    """Return the verdict for opens, or that for everything a person has to choose to follow."""
    return opened if evidence.kind is HitKind.OPEN else otherwise


# ── How it was asked ────────────────────────────────────────────────────────────────────────────────────────────────


def posted(evidence: Evidence) -> Judgement | None:
    """A form was sent."""
    if evidence.method == "POST" and evidence.kind in (HitKind.UNSUBSCRIBE, HitKind.PREFERENCES):
        return says(Verdict.HUMAN_CONFIRMED, _PROBABLE, Reason.POSTED)
    return None


def method_not_get(evidence: Evidence) -> Judgement | None:
    """A reader's program asks with GET; HEAD and OPTIONS look without showing."""
    if evidence.method in ("GET", "POST"):
        return None
    return says(Verdict.MACHINE_SCANNER, _CERTAIN, Reason.METHOD_NOT_GET)


def prefetch_header(evidence: Evidence) -> Judgement | None:
    """The program itself says that it fetches ahead."""
    for name, words in _PREFETCH_HEADERS.items():
        value = evidence.headers.get(name, "").lower()
        if any(word in value for word in words):
            return says(Verdict.MACHINE_PREFETCH, _CERTAIN, Reason.PREFETCH_HEADER)
    return None


_PREFETCH_HEADERS = {
    "sec-purpose": ("prefetch", "prerender"),
    "purpose": ("prefetch", "preview"),
    "x-purpose": ("prefetch", "preview"),
    "x-moz": ("prefetch",),
}


# ── Who asked, by its own word ──────────────────────────────────────────────────────────────────────────────────────


def gmail_prefetch(evidence: Evidence) -> Judgement | None:
    """Gmail's other fetcher: it loads images before anybody looks, under this one user agent."""
    if evidence.user_agent != GMAIL_PREFETCH_AGENT:
        return None
    return says(Verdict.MACHINE_PREFETCH, _PROBABLE, Reason.GMAIL_PREFETCH)


GMAIL_PREFETCH_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)


def mail_proxy(evidence: Evidence) -> Judgement | None:
    """A mail provider's image proxy fetches when the mail is shown; it has no business following links."""
    if evidence.client.kind is not ClientKind.MAIL_PROXY:
        return None
    if evidence.kind is HitKind.OPEN:
        return says(Verdict.HUMAN_PROXIED, _PROBABLE, Reason.MAIL_PROXY)
    return says(Verdict.MACHINE_SCANNER, _PROBABLE, Reason.PROXY_FOLLOWED_LINK)


def bare_mozilla(evidence: Evidence) -> Judgement | None:
    """`Mozilla/5.0` and nothing else is how Apple's privacy protection fetches; on a link it is some program."""
    if evidence.user_agent.strip() != "Mozilla/5.0":
        return None
    verdict = by_kind(evidence, Verdict.PRIVACY_PREFETCH, Verdict.MACHINE_SCANNER)
    return says(verdict, _PROBABLE if evidence.kind is HitKind.OPEN else _WEAK, Reason.BARE_MOZILLA)


def default(evidence: Evidence) -> Judgement | None:
    """Nothing speaks against a person."""
    verdict = by_kind(evidence, Verdict.HUMAN_DIRECT, Verdict.HUMAN_LIKELY)
    return says(verdict, _PROBABLE, Reason.BROWSER)


RULES: tuple[Rule, ...] = (
    Rule("posted", "RFC 8058 section 3.2", posted),
    Rule("method_not_get", "RFC 9110 sections 9.3.2 and 9.3.7", method_not_get),
    Rule("prefetch_header", "W3C Sec-Purpose", prefetch_header),
    Rule("gmail_prefetch", "Gmail", gmail_prefetch),
    Rule("mail_proxy", "clients", mail_proxy),
    Rule("bare_mozilla", "Apple", bare_mozilla),
    Rule("default", "none", default),
)
