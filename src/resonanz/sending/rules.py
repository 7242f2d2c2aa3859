"""What an account's own rules say about tracking mail that its mail programs hand in. Pure: rules and a mail in, a
decision out.

`X-Resonanz-Track` in a raw mail asks for less, or, where mail has to be marked, for tracking at all; it never goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from resonanz.mail.address import Address, ascii_domain, parse_address
from resonanz.mail.headers import Header
from resonanz.mail.structure import Structure
from resonanz.mail.words import encode_words
from resonanz.model import InvalidInput, TrackingMode

SWITCH = "X-Resonanz-Track"
MAX_PATTERNS = 1_000
MAX_MARKER_CHARACTERS = 40
_MAX_PLAIN_SUBJECT = 900  # below the 998 octets of RFC 5322 section 2.1.1


class Track(StrEnum):
    """Which mail is tracked."""

    ALL = "all"
    NONE = "none"
    MARKED = "marked"  # only with the marker in its subject, or the switch in its header


class Copies(StrEnum):
    """What several recipients of one mail get."""

    INSTANCE = "instance"  # as the instance has it
    OWN = "own"  # each a tracked copy of their own, with the same visible headers
    SHARED = "shared"  # one copy for all of them: opens and clicks belong to the group


class Why(StrEnum):
    """Why a message is not tracked by rule; kept as its `untracked_reason`."""

    NONE = "rule_none"
    NOT_MARKED = "rule_not_marked"
    SWITCHED_OFF = "switched_off"
    NEVER = "never_list"
    INTERNAL = "internal_recipient"


RULE_REASONS = frozenset(Why)


@dataclass(frozen=True, slots=True)
class Rules:
    """`never` and `internal` are patterns: a normalised address, or `@` and a domain for every address at it. With
    `replies` answers to tracked mail come here first (`sending.replies`)."""

    track: Track = Track.ALL
    marker: str = "[track]"
    never: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    replies: bool = False
    copies: Copies = Copies.INSTANCE


@dataclass(frozen=True, slots=True)
class Switch:
    """What the switch in a mail's header asks for."""

    opens: bool
    clicks: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """How far (opens, clicks) a mail may be tracked at most, and which recipients' copies are not, and why; whether
    answers to the others come here first. With `shared` the others get one copy, whose tokens name nobody."""

    opens: TrackingMode
    clicks: TrackingMode
    untracked: Mapping[str, Why]
    replies: bool = False
    shared: bool = False


_SWITCHES = {
    "on": Switch(opens=True, clicks=True),
    "off": Switch(opens=False, clicks=False),
    "opens": Switch(opens=True, clicks=False),
    "clicks": Switch(opens=False, clicks=True),
}


def decide(
    rules: Rules,
    switch: Switch | None,
    recipients: Iterable[Address],
    asked: tuple[TrackingMode, TrackingMode],
    *,
    is_marked: bool,
    shares: bool = False,
) -> Decision:
    """Hold a mail against the rules. What is never to be tracked is not, whatever the mail asks for. With `shares`,
    those of its recipients who are tracked share one copy, if there are several."""
    off = switch is not None and not (switch.opens or switch.clicks)
    whole = (
        Why.SWITCHED_OFF
        if off
        else Why.NONE
        if rules.track is Track.NONE
        else Why.NOT_MARKED
        if rules.track is Track.MARKED and not is_marked and switch is None
        else None
    )
    untracked: dict[str, Why] = {}
    tracked = 0
    for address in recipients:
        names = {address.normalised, f"@{address.domain}"}
        why = Why.NEVER if names & {*rules.never} else Why.INTERNAL if names & {*rules.internal} else whole
        if why is not None:
            untracked[address.normalised] = why
        else:
            tracked += 1
    opens, clicks = asked
    decision = Decision(
        opens if switch is None or switch.opens else TrackingMode.OFF,
        clicks if switch is None or switch.clicks else TrackingMode.OFF,
        untracked,
        rules.replies,
    )
    return _shared(decision) if shares and tracked > 1 else decision


def _shared(decision: Decision) -> Decision:
    def nameless(mode: TrackingMode) -> TrackingMode:
        return TrackingMode.ANONYMOUS if mode is TrackingMode.INDIVIDUAL else mode

    # An address of ours for answers would be another for each of them.
    opens, clicks = nameless(decision.opens), nameless(decision.clicks)
    return replace(decision, opens=opens, clicks=clicks, replies=False, shared=True)


def read_rules(
    track: str,
    marker: str,
    never: Iterable[str],
    internal: Iterable[str],
    *,
    replies: bool = False,
    copies: str = Copies.INSTANCE,
) -> Rules:
    """Read rules as somebody wrote them. Raises InvalidInput with everything that is wrong."""
    refused: list[InvalidInput] = []
    if track not in set(Track):
        refused.append(InvalidInput(f"must be one of {', '.join(Track)}", where="track"))
    if copies not in set(Copies):
        refused.append(InvalidInput(f"must be one of {', '.join(Copies)}", where="copies"))
    text = " ".join(marker.split())
    if not 0 < len(text) <= MAX_MARKER_CHARACTERS or not text.isprintable():
        refused.append(InvalidInput(f"must have 1 to {MAX_MARKER_CHARACTERS} characters", where="marker"))
    untracked, own = _patterns(never, "never", refused), _patterns(internal, "internal", refused)
    if refused:
        raise InvalidInput.together(refused)
    return Rules(Track(track), text, untracked, own, replies, Copies(copies))


def _patterns(texts: Iterable[str], where: str, refused: list[InvalidInput]) -> tuple[str, ...]:
    found = set()
    for text in texts:
        local, _, domain = text.strip().rpartition("@")
        try:
            found.add(parse_address(text).normalised if local else f"@{ascii_domain(domain)}")
        except InvalidInput as error:
            refused.append(InvalidInput(error.what, where=where, remedy="name addresses and domains"))
    if len(found) > MAX_PATTERNS:
        refused.append(InvalidInput(f"has more than {MAX_PATTERNS} entries", where=where))
    return tuple(sorted(found))


# ── The mail's own words ────────────────────────────────────────────────────────────────────────────────────────────


def take_switch(raw: bytes, structure: Structure) -> tuple[bytes, Switch | None]:
    """Return the mail without its switch, and what the switch asks for; the mail as it is when it has none. Raises
    InvalidInput for a word that is none of ours: a mail that asked for less must not be tracked by a misspelling."""
    fields = structure.root.block.all(SWITCH)
    if not fields:
        return raw, None
    words = {field.text.lower() for field in fields}
    if len(words) > 1 or not words <= _SWITCHES.keys():
        raise InvalidInput(f"must be one of {', '.join(_SWITCHES)}", where=SWITCH)
    return _without(raw, fields), _SWITCHES[words.pop()]


def take_marker(raw: bytes, structure: Structure, marker: str) -> tuple[bytes, str | None]:
    """Return the mail without the marker in its subject, and the subject that is left; None when it had no marker."""
    field = structure.root.block.first("Subject")
    subject = field.decoded if field else ""
    found = re.compile(rf"\s*{re.escape(marker)}\s*", re.IGNORECASE)
    if field is None or not found.search(subject):
        return raw, None
    left = " ".join(found.sub(" ", subject).split())
    eol = b"\r\n" if raw[: field.end].endswith(b"\r\n") else b"\n"
    return raw[: field.start] + _subject(left, eol) + eol + raw[field.end :], left


def _without(raw: bytes, fields: list[Header]) -> bytes:
    pieces, position = [], 0
    for field in fields:
        pieces.append(raw[position : field.start])
        position = field.end
    return b"".join([*pieces, raw[position:]])


def _subject(text: str, eol: bytes) -> bytes:
    name = "Subject: "
    is_plain = text.isascii() and text.isprintable() and "=?" not in text and len(text) <= _MAX_PLAIN_SUBJECT
    words = [text] if is_plain else encode_words(text, first=75 - len(name))
    return name.encode("ascii") + (eol + b" ").join(word.encode("ascii") for word in words)
