"""Traces: hits written down one a line, to be judged without an instance. What `resonanz judge` reads.

The fields are an interface; fields may be added, never renamed. A line that cannot be read is told and left out.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from resonanz.ingest.judge.clients import identify
from resonanz.ingest.judge.evidence import Evidence, Mail, MailKey
from resonanz.ingest.judge.network import Network
from resonanz.ingest.judge.windows import microseconds
from resonanz.model import HitKind, InvalidInput

Classify = Callable[[str, int | None], Network | None]

_HITS = {
    "open": HitKind.OPEN,
    "click": HitKind.CLICK,
    "unsubscribe_get": HitKind.UNSUBSCRIBE,
    "unsubscribe_post": HitKind.UNSUBSCRIBE,
}
_FACTS = ("sent", "delivered", "reply")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a trace that cannot be used, by its number (from 1), and why."""

    number: int
    what: str


@dataclass(slots=True)
class Letter:
    """One copy of a message of a trace: its name (as JSON), who it went to, what is known of it, and its hits.

    A message is one mail to one recipient; traces that name a whole mailing so are read alike, a letter for each.
    """

    message: str
    recipient: str
    mail: Mail = field(default_factory=lambda: Mail(sent_at=0))  # times in a trace count from sending
    hits: list[Evidence] = field(default_factory=list)
    in_plain_text: set[str] = field(default_factory=set)  # ids of clicks on links of the plain-text part


@dataclass(slots=True)
class Trace:
    """What was read: hits in the order of their lines, letters by message and recipient, and what was bad."""

    hits: list[Evidence] = field(default_factory=list)
    letters: dict[MailKey, Letter] = field(default_factory=dict)
    bad: list[BadLine] = field(default_factory=list)


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
    for key, letter in [*trace.letters.items()]:
        others = [] if letter.recipient else named[letter.message]
        for other in others:
            other.mail = _together(other.mail, letter.mail)
        if len(others) == 1:
            _take_over(others[0], letter)
        if others and (len(others) == 1 or not letter.hits):
            del trace.letters[key]
    hits = {hit.id: hit for letter in trace.letters.values() for hit in letter.hits}
    trace.hits = [hits[hit.id] for hit in trace.hits]


def _take_over(letter: Letter, nameless: Letter) -> None:
    """Make everything that was said without a recipient a letter's own."""
    key = _key(letter.message, letter.recipient)
    letter.hits += [replace(hit, mail=key) for hit in nameless.hits]
    letter.mail = replace(letter.mail, replies=tuple(sorted((*letter.mail.replies, *nameless.mail.replies))))
    letter.in_plain_text |= nameless.in_plain_text


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
