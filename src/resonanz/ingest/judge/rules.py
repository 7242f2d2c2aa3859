"""What one hit says by itself: rules in the order in which they are asked; the first that has something to say decides.

What only several hits together show, or only the time since delivery, stands in `judge.together`.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass

from resonanz.ingest.judge.agents import Machine
from resonanz.ingest.judge.evidence import Evidence, Judgement
from resonanz.ingest.judge.network import NetworkKind
from resonanz.ingest.judge.reasons import Reason
from resonanz.model import ClientKind, Confidence, HitKind, Verdict


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, where its knowledge comes from, and the question. None means that it has nothing to say."""

    name: str
    source: str
    ask: Callable[[Evidence], Judgement | None]


def judge_alone(evidence: Evidence, silent: Set[str] = frozenset()) -> Judgement | None:
    """Return who caused a hit where that hit alone tells; None where nothing in it speaks against a person.

    The rules named in `silent` are not asked.
    """
    for rule in RULES:
        judgement = rule.ask(evidence) if rule.name not in silent else None
        if judgement is not None:
            return judgement
    return None


def says(verdict: Verdict, confidence: Confidence, *reasons: Reason) -> Judgement:
    """Put a judgement together."""
    return Judgement(verdict, confidence, reasons)


def _fetched_ahead(evidence: Evidence, confidence: Confidence, *reasons: Reason) -> Judgement:
    """A fetch ahead is a word for images; whatever follows links ahead of anybody is a scanner to us."""
    ahead = Verdict.MACHINE_PREFETCH if evidence.kind is HitKind.OPEN else Verdict.MACHINE_SCANNER
    return Judgement(ahead, confidence, reasons)


# ── Who and how ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _own(evidence: Evidence) -> Judgement | None:
    """The sender, looking at their own mail."""
    return says(Verdict.SENDER_SELF, Confidence.CERTAIN, Reason.OWN) if evidence.own else None


def _posted(evidence: Evidence) -> Judgement | None:
    """A form was sent. Scanners look at pages; a receiver must not send the form by itself."""
    if evidence.method == "POST" and evidence.kind is not HitKind.OPEN:
        return says(Verdict.HUMAN_CONFIRMED, Confidence.PROBABLE, Reason.POSTED)
    return None


def _method_not_get(evidence: Evidence) -> Judgement | None:
    """A reader's program fetches; HEAD and OPTIONS only ask what would come."""
    if evidence.method != "GET":
        return says(Verdict.MACHINE_SCANNER, Confidence.CERTAIN, Reason.METHOD_NOT_GET)
    return None


PREFETCH_HEADERS = {
    "sec-purpose": ("prefetch", "prerender"),
    "purpose": ("prefetch", "preview"),
    "x-purpose": ("prefetch", "preview"),
    "x-moz": ("prefetch",),
}


def _prefetch_header(evidence: Evidence) -> Judgement | None:
    """The program itself says that it fetches ahead of any need."""
    for name, words in PREFETCH_HEADERS.items():
        value = evidence.headers.get(name)
        if value and any(word in value.lower() for word in words):
            return _fetched_ahead(evidence, Confidence.CERTAIN, Reason.PREFETCH_HEADER)
    return None


# ── Mail proxies: user agent and network ────────────────────────────────────────────────────────────────────────────

_GMAIL_PREFETCH_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)


def _gmail_prefetch(evidence: Evidence) -> Judgement | None:
    """Gmail's other fetcher loads images before anybody looks, under a user agent that nothing else has."""
    if evidence.user_agent != _GMAIL_PREFETCH_AGENT:
        return None
    if _runs(evidence, "Google"):
        return _fetched_ahead(evidence, Confidence.CERTAIN, Reason.GMAIL_PREFETCH, Reason.PROXY_NETWORK)
    if evidence.address:
        return _fetched_ahead(evidence, Confidence.WEAK, Reason.GMAIL_PREFETCH, Reason.OTHER_NETWORK)
    return _fetched_ahead(evidence, Confidence.PROBABLE, Reason.GMAIL_PREFETCH)


# Whose network a proxy comes from. Gmail's comes from nowhere else; the others rent machines, here and there.
_OWNERS = {
    "Gmail image proxy": "Google",
    "Yahoo Mail proxy": "Yahoo",
    "HEY image proxy": "HEY",
    "Fastmail image proxy": "Fastmail",
    "Seznam Email proxy": "Seznam",
    "Rambler Mail image proxy": "Rambler",
}
_ONLY_THERE = frozenset({"Gmail image proxy"})
_NO_PROXY_THERE = frozenset({NetworkKind.SCANNER, NetworkKind.SECURITY, NetworkKind.APPLE_EGRESS})


def _mail_proxy(evidence: Evidence) -> Judgement | None:
    """A mail provider's image proxy fetches when the mail is shown; following links is not its business."""
    client, network = evidence.identity.client, evidence.network
    if client.kind is not ClientKind.MAIL_PROXY:
        return None
    if evidence.kind is not HitKind.OPEN:
        return says(Verdict.MACHINE_SCANNER, Confidence.PROBABLE, Reason.PROXY_FOLLOWED_LINK)
    if network is None:
        return says(Verdict.HUMAN_PROXIED, Confidence.PROBABLE, Reason.MAIL_PROXY)
    at_home = _runs(evidence, _OWNERS.get(client.name, client.name))
    if network.kind in _NO_PROXY_THERE or (client.name in _ONLY_THERE and not at_home):
        return says(Verdict.MACHINE_SCANNER, Confidence.WEAK, Reason.MAIL_PROXY, Reason.OTHER_NETWORK)
    if at_home or network.kind is NetworkKind.MAIL_PROXY:
        return says(Verdict.HUMAN_PROXIED, Confidence.CERTAIN, Reason.MAIL_PROXY, Reason.PROXY_NETWORK)
    return says(Verdict.HUMAN_PROXIED, Confidence.PROBABLE, Reason.MAIL_PROXY)


def _bare_mozilla(evidence: Evidence) -> Judgement | None:
    """`Mozilla/5.0` from Apple's way out is how its privacy protection loads images. No browser follows links so."""
    if evidence.user_agent.strip() != "Mozilla/5.0":
        return None
    if evidence.kind is not HitKind.OPEN:
        return says(Verdict.MACHINE_SCANNER, Confidence.PROBABLE, Reason.BARE_MOZILLA)
    if _comes_from(evidence, NetworkKind.APPLE_EGRESS):
        return says(Verdict.PRIVACY_PREFETCH, Confidence.CERTAIN, Reason.BARE_MOZILLA, Reason.APPLE_NETWORK)
    if evidence.address:
        return says(Verdict.MACHINE_SCANNER, Confidence.WEAK, Reason.BARE_MOZILLA, Reason.OTHER_NETWORK)
    return says(Verdict.PRIVACY_PREFETCH, Confidence.PROBABLE, Reason.BARE_MOZILLA)  # without names, no address is kept


def _runs(evidence: Evidence, owner: str) -> bool:
    return evidence.network is not None and evidence.network.owner.startswith(owner)


def _comes_from(evidence: Evidence, kind: NetworkKind) -> bool:
    return evidence.network is not None and evidence.network.kind is kind


# ── Networks and names that decide by themselves ────────────────────────────────────────────────────────────────────


def _scanner_network(evidence: Evidence) -> Judgement | None:
    """Nobody reads mail from inside a security gateway."""
    if _comes_from(evidence, NetworkKind.SCANNER):
        return says(Verdict.MACHINE_SCANNER, Confidence.CERTAIN, Reason.SCANNER_NETWORK)
    return None


_MACHINES = {
    Machine.SCANNER: (Verdict.MACHINE_SCANNER, Confidence.CERTAIN, Reason.SCANNER_AGENT),
    Machine.PREVIEW: (Verdict.MACHINE_PREVIEW, Confidence.CERTAIN, Reason.PREVIEW_AGENT),
    Machine.CRAWLER: (Verdict.MACHINE_PREVIEW, Confidence.PROBABLE, Reason.CRAWLER_AGENT),
    Machine.PROGRAM: (Verdict.MACHINE_SCANNER, Confidence.PROBABLE, Reason.PROGRAM_AGENT),
}


def _machine_by_name(evidence: Evidence) -> Judgement | None:
    """Scanners, previews, crawlers and scripts that say what they are."""
    machine = evidence.identity.machine
    return None if machine is None else says(*_MACHINES[machine])


def _preview_network(evidence: Evidence) -> Judgement | None:
    """A network that builds previews, whatever its program calls itself."""
    if _comes_from(evidence, NetworkKind.PREVIEW):
        return says(Verdict.MACHINE_PREVIEW, Confidence.PROBABLE, Reason.PREVIEW_NETWORK)
    return None


def _no_agent(evidence: Evidence) -> Judgement | None:
    """Mail clients and browsers say what they are; a program that does not is rarely one of them."""
    if not evidence.user_agent.strip():
        return says(Verdict.MACHINE_SCANNER, Confidence.WEAK, Reason.NO_AGENT)
    return None


def _no_browser(evidence: Evidence) -> Judgement | None:
    """A link is followed with a browser, and browsers have called themselves Mozilla or Opera since 1994."""
    if evidence.kind is HitKind.OPEN or evidence.identity.client.kind is not ClientKind.UNKNOWN:
        return None
    if evidence.user_agent.startswith(("Mozilla/", "Opera/")):
        return None
    return says(Verdict.MACHINE_SCANNER, Confidence.WEAK, Reason.NOT_A_BROWSER)


RULES: tuple[Rule, ...] = (
    Rule("own", "the account's own addresses and signed-in browsers", _own),
    Rule("posted", "RFC 8058 section 4: a receiver must not POST without the user's consent", _posted),
    Rule("method_not_get", "RFC 9110 section 9.3", _method_not_get),
    Rule("prefetch_header", "WICG nav-speculation (Sec-Purpose); older browsers' Purpose, X-Moz", _prefetch_header),
    Rule("gmail_prefetch", "Bird (SparkPost): 1 to 6 % of Gmail opens, over 9.8 billion events", _gmail_prefetch),
    Rule("mail_proxy", "judge.agents; the providers' own documentation", _mail_proxy),
    Rule("bare_mozilla", "ClickDimensions and Groundhogg on Apple Mail Privacy Protection", _bare_mozilla),
    Rule("scanner_network", "the operators' published ranges, in the catalogue of networks", _scanner_network),
    Rule("machine_by_name", "judge.agents and uap-core", _machine_by_name),
    Rule("preview_network", "the catalogue of networks", _preview_network),
    Rule("no_agent", "RFC 9110 section 10.1.5: a user agent should say what it is", _no_agent),
    Rule("no_browser", "uap-core: every browser family there", _no_browser),
)
