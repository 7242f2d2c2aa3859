"""Traces: hits written down one a line, to be judged without an instance. What `resonanz judge` reads and prints.

The fields are an interface; fields may be added, never renamed. A line that cannot be read is told and left out.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from resonanz.ingest.judge.clients import identify
from resonanz.ingest.judge.evidence import Evidence, Judgement, Mail, MailKey
from resonanz.ingest.judge.folding import repeated_by
from resonanz.ingest.judge.network import Network, NetworkKind
from resonanz.ingest.judge.reasons import Reason
from resonanz.ingest.judge.trial import judge_all, place_allowed
from resonanz.ingest.judge.windows import Windows, microseconds
from resonanz.model import Coverage, EventKind, HitKind, InvalidInput, Verdict, Who

Classify = Callable[[str, int | None], Network | None]

_HITS = {
    "open": HitKind.OPEN,
    "click": HitKind.CLICK,
    "unsubscribe_get": HitKind.UNSUBSCRIBE,
    "unsubscribe_post": HitKind.UNSUBSCRIBE,
}
_FACTS = ("sent", "delivered", "reply")
_EVENTS = {
    HitKind.OPEN: EventKind.OPENED,
    HitKind.CLICK: EventKind.CLICKED,
    HitKind.UNSUBSCRIBE: EventKind.UNSUBSCRIBED,
}


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a trace that cannot be used, by its number (from 1), and why."""

    number: int
    what: str


@dataclass(slots=True)
class Letter:
    """One copy of a message of a trace: who it went to, what is known of it, and its hits.

    A message is one mail to one recipient; traces that name a whole mailing so are read alike, a letter for each.
    """

    message: str = ""

    recipient: str = ""
    mail: Mail = field(default_factory=lambda: Mail(sent_at=0))  # times in a trace count from sending
    hits: list[Evidence] = field(default_factory=list)
    in_plain_text: set[str] = field(default_factory=set)  # ids of clicks on links of the plain-text part


@dataclass(slots=True)
class Trace:
    """What was read: hits in the order of their lines, letters by message and recipient, and what was bad."""

    hits: list[Evidence] = field(default_factory=list)
    letters: dict[MailKey, Letter] = field(default_factory=dict)
    bad: list[BadLine] = field(default_factory=list)


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_trace(lines: Iterable[str], classify: Classify) -> Trace:
    """Read a trace. `classify` tells the network of an address and, where the line names it, its AS number."""
    trace = Trace()
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            _read_line(trace, _object(line), classify, seen)
        except InvalidInput as problem:
            trace.bad.append(BadLine(number, str(problem)))
    _name_the_nameless(trace)
    return trace


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidInput("not JSON") from None
    if not isinstance(found, dict):
        raise InvalidInput("not a JSON object")
    return found


def _read_line(trace: Trace, row: dict[str, Any], classify: Classify, seen: set[str]) -> None:
    kind = row.get("kind")
    if kind not in _HITS and kind not in _FACTS:
        raise InvalidInput(f"not one of {', '.join((*_FACTS, *_HITS))}", where="kind")
    at, message, recipient = _moment(row), _named(row, "message"), _recipient(row)
    links, key = _amount(row, "links_total"), _key(message, recipient)
    hit = _hit(row, kind, at, key, classify) if kind in _HITS else None
    if hit is not None:
        if hit.id in seen:
            raise InvalidInput("another line has this id", where="id")
        seen.add(str(hit.id))
        trace.hits.append(hit)
    letter = trace.letters.setdefault(key, Letter(message, recipient))
    letter.mail = _learn(letter.mail, kind, at, links)
    if hit is not None:
        letter.hits.append(hit)
        if row.get("part") == "text":
            letter.in_plain_text.add(str(hit.id))


def _key(message: str, recipient: str) -> str:
    return f"{message}\0{recipient.casefold()}"


def _name_the_nameless(trace: Trace) -> None:
    """Lines that leave out the recipient are about the one that the message's other lines name.

    Of several recipients, what such a line reports (sent, delivered, how many links) holds for each; whose hit it was
    nobody can tell, so that it stays by itself.
    """
    named: dict[str, list[Letter]] = defaultdict(list)
    for letter in trace.letters.values():
        if letter.recipient:
            named[letter.message].append(letter)
    moved: set[MailKey] = set()
    for key, letter in [*trace.letters.items()]:
        others = [] if letter.recipient else named.get(letter.message, [])
        for other in others:
            other.mail = _together(other.mail, letter.mail)
        if len(others) == 1:
            theirs = _key(letter.message, others[0].recipient)
            moved.add(key)
            others[0].hits += [replace(hit, mail=theirs) for hit in letter.hits]
            others[0].mail = replace(
                others[0].mail, replies=tuple(sorted((*others[0].mail.replies, *letter.mail.replies)))
            )
            others[0].in_plain_text |= letter.in_plain_text
        if others and (len(others) == 1 or not letter.hits):
            del trace.letters[key]
    if moved:
        keys = {hit.id: hit for letter in trace.letters.values() for hit in letter.hits}
        trace.hits = [keys[hit.id] for hit in trace.hits]


def _together(mail: Mail, more: Mail) -> Mail:
    """Return what two reports on one mail say together; its own comes first."""
    delivered = more.delivered_at if mail.delivered_at is None else mail.delivered_at
    sent, links = mail.sent_at or more.sent_at, max(mail.links, more.links)
    return replace(mail, sent_at=sent, delivered_at=delivered, links=links)


def _learn(mail: Mail, kind: str, at: int, links: int) -> Mail:
    """Add what a line says about its mail; the earliest of several reports counts, in whatever order they come."""
    links = max(mail.links, links)
    if kind == "sent":
        # Times count from sending: a line that says so at another moment moves the clock.
        return replace(mail, links=links, sent_at=at if mail.sent_at in (None, 0) else min(at, mail.sent_at or at))
    if kind == "delivered":
        delivered = at if mail.delivered_at is None else min(at, mail.delivered_at)
        return replace(mail, links=links, delivered_at=delivered)
    if kind == "reply":
        return replace(mail, links=links, replies=tuple(sorted((*mail.replies, at))))
    return replace(mail, links=links) if links != mail.links else mail


def _hit(row: dict[str, Any], kind: str, at: int, mail: MailKey, classify: Classify) -> Evidence:
    address, user_agent = _text(row, "ip", needed=False).strip(), _text(row, "ua", needed=False)
    method = "POST" if kind == "unsubscribe_post" else (_text(row, "method", needed=False) or "GET").upper()
    headers = row.get("headers") or {}
    if not isinstance(headers, dict):
        raise InvalidInput("not an object", where="headers")
    link = row.get("link")
    return Evidence(
        kind=_HITS[kind],
        method=method,
        headers={str(name).lower(): str(value) for name, value in headers.items()},
        user_agent=user_agent,
        identity=identify(user_agent),
        network=classify(address, _asn(row)),
        address=address,
        at=at,
        id=_named(row, "id"),
        mail=mail,
        link=None if link is None else _amount(row, "link"),
        own=row.get("own") is True,
    )


def _named(row: dict[str, Any], name: str) -> str:
    """Return a name in the form of its JSON, so that 1 and "1" stay two."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise InvalidInput("neither a text nor a whole number", where=name)
    return json.dumps(value)


def _recipient(row: dict[str, Any]) -> str:
    value = row.get("recipient")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(row, "recipient", needed=False).strip()


def _moment(row: dict[str, Any]) -> int:
    seconds = row.get("t")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise InvalidInput("not a number of seconds", where="t")
    if not math.isfinite(seconds) or abs(seconds) > 10_000_000_000:
        raise InvalidInput("beyond every calendar", where="t")
    return microseconds(seconds)


def _text(row: dict[str, Any], name: str, *, needed: bool = True) -> str:
    value = row.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value):
        raise InvalidInput("not a text", where=name)
    return value


def _asn(row: dict[str, Any]) -> int | None:
    """Return the number of an autonomous system; databases also write it `AS15169`. 0 is none (RFC 7607)."""
    value = row.get("asn")
    if isinstance(value, str):
        digits = value.strip().upper().removeprefix("AS")
        if digits and not digits.isdecimal():
            raise InvalidInput("not the number of an autonomous system", where="asn")
        row = {"asn": int(digits[:11]) if digits else None}
    return _amount(row, "asn") or None


def _amount(row: dict[str, Any], name: str) -> int:
    value = row.get(name)
    if value is None:
        return 0
    if isinstance(value, float) and value.is_integer():  # to JSON, 1.0 is the number 1
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
        raise InvalidInput("not a whole number", where=name)
    return value


# ── Judging ─────────────────────────────────────────────────────────────────────────────────────────────────────────


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
