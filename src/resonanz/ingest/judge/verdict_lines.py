"""What `resonanz judge` prints of a trace: a line for each hit, then one for each message.

The fields are an interface; fields may be added, never renamed.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resonanz.ingest.judge.evidence import Evidence, Judgement, MailKey
from resonanz.ingest.judge.folding import repeated_by
from resonanz.ingest.judge.network import NetworkKind
from resonanz.ingest.judge.reasons import Reason
from resonanz.ingest.judge.trace import Letter, Trace
from resonanz.ingest.judge.trial import judge_all, place_allowed
from resonanz.ingest.judge.windows import Windows
from resonanz.model import Coverage, EventKind, HitKind, Verdict, Who

_EVENTS = {
    HitKind.OPEN: EventKind.OPENED,
    HitKind.CLICK: EventKind.CLICKED,
    HitKind.UNSUBSCRIBE: EventKind.UNSUBSCRIBED,
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """A judged hit, as repeats are folded."""

    hit: Evidence
    judgement: Judgement

    @property
    def kind(self) -> EventKind:
        if self.hit.kind is HitKind.UNSUBSCRIBE and self.hit.method != "POST":
            return EventKind.VISITED  # a look at the page is no part of the form that is sent from it
        return _EVENTS[self.hit.kind]

    @property
    def link(self) -> int | None:
        return self.hit.link

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict

    @property
    def occurred_us(self) -> int:
        return self.hit.at


def judge_trace(trace: Trace, windows: Windows, *, now: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield a line for each hit, in the order of the trace, and then one for each message.

    `now` is the moment to judge at, in microseconds after sending; without it, all windows are closed.
    """
    mails = {name: letter.mail for name, letter in trace.letters.items()}
    found = judge_all(trace.hits, mails, windows, now)
    firsts: dict[MailKey, list[_Seen]] = {}
    repeats: dict[int | str, int | str] = {}
    for name, letter in trace.letters.items():
        firsts[name] = _fold(letter, found, repeats)
    for hit in trace.hits:
        yield _line(hit, found[hit.id], repeats.get(hit.id))
    messages: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, letter in trace.letters.items():
        messages[letter.message].append(_summary(letter, firsts[name], found))
    for copies in messages.values():
        yield copies[0] if len(copies) == 1 else _of_all(copies)


def _fold(letter: Letter, found: Mapping[int | str, Judgement], repeats: dict[int | str, int | str]) -> list[_Seen]:
    firsts: list[_Seen] = []
    for hit in sorted(letter.hits, key=lambda hit: (hit.at, str(hit.id))):
        this = _Seen(hit, found[hit.id])
        first = repeated_by(this, firsts)
        if first is None:
            firsts.append(this)
        else:
            repeats[hit.id] = first.hit.id
    return firsts


def _counts(hit: Evidence, judgement: Judgement) -> bool:
    return judgement.verdict.who is Who.HUMAN and hit.kind in (HitKind.OPEN, HitKind.CLICK)


def _line(hit: Evidence, judgement: Judgement, repeats: int | str | None) -> dict[str, Any]:
    client = hit.identity.client
    return {
        "id": json.loads(str(hit.id)),
        "verdict": judgement.verdict.value,
        "confidence": judgement.confidence.value,
        "reasons": [reason.value for reason in judgement.reasons],
        "counted": repeats is None and _counts(hit, judgement),
        "client": {"kind": client.kind.value, "name": client.name, "os": client.os, "device": client.device},
        "place_allowed": place_allowed(hit, judgement),
        "network": None if hit.network is None else {"kind": hit.network.kind.value, "owner": hit.network.owner},
        "repeat_of": None if repeats is None else json.loads(str(repeats)),
    }


def _summary(letter: Letter, firsts: Sequence[_Seen], found: Mapping[int | str, Judgement]) -> dict[str, Any]:
    sides = Counter((seen.kind, seen.verdict.who) for seen in firsts)
    opened, clicked = EventKind.OPENED, EventKind.CLICKED
    verdict = _opened(firsts)
    return {
        "message": json.loads(letter.message),
        "recipient": letter.recipient,
        "recipients": 1,
        "coverage": _coverage(letter, found).value,
        "opened": None if verdict is None else verdict.value,
        "human_opens": sides[opened, Who.HUMAN],
        "indeterminate_opens": sides[opened, Who.INDETERMINATE],
        "machine_opens": sides[opened, Who.MACHINE],
        "inferred_opens": int(verdict is Verdict.INFERRED_FROM_CLICK),
        "human_clicks": sides[clicked, Who.HUMAN],
        "pending_clicks": sides[clicked, Who.INDETERMINATE],
        "machine_clicks": sides[clicked, Who.MACHINE],
        "unsubscribed": any(seen.verdict is Verdict.HUMAN_CONFIRMED for seen in firsts if _is_unsubscribe(seen)),
    }


_TELLS_MOST = (Who.HUMAN, Who.INDETERMINATE, Who.MACHINE)


def _of_all(copies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the line of a message that went to several: counts added, the coverage that most of them have."""
    coverages = Counter(copy["coverage"] for copy in copies)
    verdicts = [Verdict(copy["opened"]) for copy in copies if copy["opened"] is not None]
    verdicts.sort(key=lambda verdict: _TELLS_MOST.index(verdict.who))
    names = [name for name, value in copies[0].items() if type(value) is int and name != "message"]
    counts = {name: sum(copy[name] for copy in copies) for name in names}
    return (
        copies[0]
        | counts
        | {
            "recipient": None,
            "coverage": max(coverages, key=lambda one: (coverages[one], -_COVERAGES.index(one))),
            "opened": verdicts[0].value if verdicts else None,
            "unsubscribed": any(copy["unsubscribed"] for copy in copies),
        }
    )


_COVERAGES = [coverage.value for coverage in Coverage]


def _is_unsubscribe(seen: _Seen) -> bool:
    return seen.kind is EventKind.UNSUBSCRIBED


def _opened(firsts: Sequence[_Seen]) -> Verdict | None:
    """Return the verdict on whether the mail was opened: seen, shown by a click, cannot be told, or only by machines.

    A click adds no open; it is proof of its own kind.
    """
    opens = [seen for seen in firsts if seen.kind is EventKind.OPENED]
    for seen in opens:
        if seen.verdict.who is Who.HUMAN:
            return seen.verdict
    if any(_counts(seen.hit, seen.judgement) for seen in firsts):
        return Verdict.INFERRED_FROM_CLICK
    opens.sort(key=lambda seen: seen.verdict.who is not Who.INDETERMINATE)
    return opens[0].verdict if opens else None


# ── Coverage ────────────────────────────────────────────────────────────────────────────────────────────────────────

# Providers that take tracking images out of every mail.
STRIPPING_DOMAINS = frozenset({"proton.me", "protonmail.com", "protonmail.ch", "pm.me", "hey.com", "duck.com"})
_SCANNED = frozenset(
    {Reason.SCANNER_NETWORK, Reason.SCANNER_AGENT, Reason.SWEEP, Reason.BEFORE_DELIVERY, Reason.SECURITY_NETWORK}
)


def _coverage(letter: Letter, found: Mapping[int | str, Judgement]) -> Coverage:
    """Return what of a message can be measured, by what its trace shows."""
    judged = [(hit, found[hit.id]) for hit in letter.hits]
    opens = {judgement.verdict for hit, judgement in judged if hit.kind is HitKind.OPEN}
    seen = any(verdict.who is Who.HUMAN for verdict in opens)
    clicked = [hit for hit, judgement in judged if hit.kind is HitKind.CLICK and judgement.verdict.who is Who.HUMAN]
    if not seen:
        if letter.recipient.rpartition("@")[2].lower() in STRIPPING_DOMAINS:
            return Coverage.STRIPPING_DOMAIN
        if any(str(hit.id) in letter.in_plain_text for hit in clicked):
            return Coverage.TEXT_ONLY
        if Verdict.PRIVACY_PREFETCH in opens:
            return Coverage.PRIVACY_CLIENT
    if any(_shows_a_gateway(hit, judgement) for hit, judgement in judged):
        return Coverage.GATEWAY_SCANNED
    return Coverage.IMAGES_LIKELY_BLOCKED if clicked and not seen else Coverage.TRACKABLE


def _shows_a_gateway(hit: Evidence, judgement: Judgement) -> bool:
    if hit.network is not None and hit.network.kind in (NetworkKind.SCANNER, NetworkKind.SECURITY):
        return True
    return judgement.verdict is Verdict.MACHINE_SCANNER and not _SCANNED.isdisjoint(judgement.reasons)
