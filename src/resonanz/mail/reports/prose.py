"""The layer for reports that follow no standard: who did not get the mail, by the words of the mail system.

Three questions, each answered by a table in `wording`: is this a report at all, whom does it name, what does it say of
each. A message is taken for a report only on two signs at once, so that people who quote one are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from resonanz.mail.refusals import Outcome, Reason, Refusal, understand
from resonanz.mail.reports.addresses import clean, find_addresses, first_address
from resonanz.mail.reports.naming import (
    ASIDE,
    LISTED,
    LISTED_NAME,
    NAMED,
    QMAIL,
    QUOTED_REPLY,
    REFUSED,
    REPLIED,
    SESSION,
    STOOD_FOR,
    WRITTEN_TO,
)
from resonanz.mail.reports.parts import Parts
from resonanz.mail.reports.report import (
    MAX_DIAGNOSTIC,
    MAX_RECIPIENTS,
    Report,
    ReportedRecipient,
    ReportKind,
    kind_of,
)
from resonanz.mail.reports.wording import ANNOUNCED, DAEMON, FAILED_SUBJECT, GIVEN_UP, LATE, SUCCEEDED

HEAD_LINES = 60  # in which a report says what it is about
_ANSWER = re.compile(r"^\s*(re|aw|sv|antw|fwd?|wg|tr|rif)\s*(\[\d+\])?:", re.IGNORECASE)
_USER = re.compile(r"[ \t]+([A-Za-z0-9][A-Za-z0-9._-]{1,63})(?:[ \t]{1,4}\([^()]{1,80}\))?[ \t]*")
_QUOTED = re.compile(r"^\s*>")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An address that the text names, and the line it stands in."""

    address: str
    line: int


def read_prose(parts: Parts) -> Report | None:
    """Read what a mail system says in words; None when this is no report about delivery."""
    if _is_success(parts):
        return _success(parts)
    if not is_delivery_report(parts):
        return None
    texts = [shown.text for shown in parts.shown]
    said = "\n".join(texts[:2])
    late = _is_late(parts.header("Subject"), said)
    for text in texts or [""]:
        recipients = _recipients(parts, text, late=late)
        if recipients:
            return Report(kind_of(recipients), recipients)
    return Report(ReportKind.DELAY if late else ReportKind.BOUNCE)


def _is_success(parts: Parts) -> bool:
    """Whether a mail system says that the mail arrived, and nothing else."""
    if DAEMON.search(parts.header("From")) is None:
        return False
    head = "\n".join(_head(shown.text) for shown in parts.shown[:1])
    says_so = SUCCEEDED.search(parts.header("Subject")) or SUCCEEDED.search(head)
    return says_so is not None and ANNOUNCED.search(head) is None and LATE.search(head) is None


def _success(parts: Parts) -> Report:
    for shown in parts.shown:
        found = _distinct(_candidates(parts, shown.text.split("\n"), SUCCEEDED))[:MAX_RECIPIENTS]
        if found:
            return Report(
                ReportKind.DELIVERED, tuple(ReportedRecipient(one.address, Outcome.DELIVERED) for one in found)
            )
    return Report(ReportKind.DELIVERED)


def words_about(parts: Parts, addresses: Sequence[str]) -> dict[str, str]:
    """What the report's text says about each of some recipients, by their address in lower case; for a delivery status
    that says nothing itself."""
    meant = {address.lower() for address in addresses}
    found: dict[str, str] = {}
    for shown in parts.shown:
        lines = shown.text.split("\n")
        named = [_Candidate(one, index) for index, line in enumerate(lines) for one in find_addresses(line)]
        found = _segments(lines, [one for one in named if one.address.lower() in meant]) | found
    return found


# ── A report at all ─────────────────────────────────────────────────────────────────────────────────────────────────


def is_delivery_report(parts: Parts) -> bool:
    """Whether two signs at once say so: who sent it, its subject, what its text announces, what it brings back."""
    sender, subject = parts.header("From"), parts.header("Subject")
    structure = parts.structure
    if parts.header("X-Failed-Recipients"):
        return True
    is_daemon = DAEMON.search(sender) is not None or (not sender and not parts.header("Reply-To"))
    head = "\n".join(_head(shown.text) for shown in parts.shown[:2])
    signs = (
        is_daemon or parts.header("Return-Path").strip() == "<>",
        FAILED_SUBJECT.search(subject) is not None,
        ANNOUNCED.search(head) is not None,
        structure.root.type == "multipart/report" or bool(parts.copy) or any(shown.returned for shown in parts.shown),
    )
    if not is_daemon and (parts.header("In-Reply-To") or _ANSWER.match(subject)):
        # Somebody's answer that quotes one; or a system that answers with the subject of our mail.
        begins = any(ANNOUNCED.search(_head(shown.text)[:160]) for shown in parts.shown[:1])
        return begins and FAILED_SUBJECT.search(subject) is not None and not parts.header("In-Reply-To")
    if sum(signs) < 2:
        return False
    if signs == (False, True, True, False):  # people write so as well, but put nobody in a line of their own
        return any(_listed(shown.text.split("\n"), ANNOUNCED) for shown in parts.shown[:1])
    return signs[2] or (signs[0] and signs[1]) or (signs[1] and signs[3])


def _head(text: str) -> str:
    lines = [line for line in text.split("\n") if line.strip() and not _QUOTED.match(line.replace(">>>", ""))]
    return " ".join(" ".join(lines[:HEAD_LINES]).split())


def _is_late(subject: str, text: str) -> bool:
    flat = " ".join(text.split())[:6_000]
    is_late = LATE.search(subject) is not None or LATE.search(flat) is not None
    return is_late and (LATE.search(subject) is not None or GIVEN_UP.search(flat) is None)


# ── Whom it names ───────────────────────────────────────────────────────────────────────────────────────────────────


def _recipients(parts: Parts, text: str, *, late: bool) -> tuple[ReportedRecipient, ...]:
    lines = text.split("\n")
    candidates = _candidates(parts, lines)
    is_transcript = candidates == _matching(REPLIED, lines)
    words = (_sessions if is_transcript else _segments)(lines, candidates)
    wider = understand(text)
    return tuple(
        _describe(one.address, words[one.address.lower()], wider, late=late)
        for one in _distinct(candidates)[:MAX_RECIPIENTS]
    )


def _candidates(parts: Parts, lines: Sequence[str], announcing: re.Pattern[str] = ANNOUNCED) -> list[_Candidate]:
    """The addresses that failed, by the surest sign there is."""
    own = {first_address(parts.header(name)).lower() for name in ("From", "To", "Reply-To")}
    ways = (
        _listed(lines, announcing),
        _named(lines),
        _in_session(lines),
        _matching(REFUSED, lines),
        _header(parts),
        _matching(WRITTEN_TO, lines),
        _matching(STOOD_FOR, lines),
        _without_domain(parts, lines),
    )
    for way in ways:
        foreign = [one for one in way if one.address.lower() not in own]
        if foreign:
            return foreign
    # Somebody who wrote to themselves; or a report that names nobody, about a mail that went to one person.
    returned_to = {one.lower() for one in find_addresses(parts.copied("To"))}
    alone = [one for way in ways for one in way if one.address.lower() in returned_to] or _matching(QMAIL, lines)
    if alone:
        return alone[:1]
    if len(returned_to) > 1 or parts.copied("Cc") or parts.brings_back_a_report:
        return []
    return [_Candidate(one, 0) for one in returned_to]


def _listed(lines: Sequence[str], announcing: re.Pattern[str]) -> list[_Candidate]:
    """Addresses that begin a line, once the text has announced them."""
    found: list[_Candidate] = []
    announced = False
    for index, line in enumerate(lines):
        match = LISTED.match(line) or LISTED_NAME.match(line)
        is_meant = announced or QMAIL.match(line) is not None or announcing.search(line) is not None
        is_aside = index > 0 and lines[index - 1].rstrip().endswith("expanded from")
        if match and is_meant and not is_aside and not ASIDE.search(line) and not _is_sentence(match):
            found.append(_Candidate(clean(match["address"]), index))
        announced = announced or announcing.search(" ".join(lines[max(index - 1, 0) : index + 1])) is not None
    return found


def _is_sentence(match: re.Match[str]) -> bool:
    """Whether the line goes on as a sentence about somebody else (`a@b.example wrote:`)."""
    rest = match.groupdict().get("rest") or ""
    return re.match(r"[>\"')\]]{0,3}\s+(?:wrote|schrieb|a écrit|escribió|様|さん|님)", rest) is not None


def _named(lines: Sequence[str]) -> list[_Candidate]:
    """Addresses in sentences and labels. Sentences are broken over lines anywhere, so two lines are read as one."""
    for pattern in NAMED:
        found: list[_Candidate] = []
        for index in range(len(lines)):
            joined = " ".join((lines[index] + " " + _next(lines, index)).split())
            for match in pattern.finditer(joined):
                around = joined[max(match.start() - 24, 0) : match.end("address")]
                own_line = next((line for line in (lines[index], _next(lines, index)) if match["address"] in line), "")
                if not ASIDE.search(around) and not ASIDE.match(own_line):
                    found.append(_Candidate(clean(match["address"]), index))
        if found:
            return found
    return []


def _next(lines: Sequence[str], index: int) -> str:
    return next((line for line in lines[index + 1 : index + 3] if line.strip()), "")


def _in_session(lines: Sequence[str]) -> list[_Candidate]:
    return _matching(REPLIED, lines) or _matching(SESSION, lines)


def _header(parts: Parts) -> list[_Candidate]:
    """`X-Failed-Recipients`, as Exim and Google write it."""
    return [_Candidate(one, 0) for one in find_addresses(parts.header("X-Failed-Recipients"))]


def _matching(pattern: re.Pattern[str], lines: Sequence[str]) -> list[_Candidate]:
    return [
        _Candidate(clean(match["address"]), index)
        for index, line in enumerate(lines)
        if (match := pattern.search(line)) is not None
    ]


def _without_domain(parts: Parts, lines: Sequence[str]) -> list[_Candidate]:
    """Users named without their domain, as AOL did: they are the reporting system's own."""
    domain = first_address(parts.header("From")).rpartition("@")[2].lower()
    announced = False
    found: list[_Candidate] = []
    for index, line in enumerate(lines):
        if announced and domain and (match := _USER.fullmatch(line)) is not None:
            found.append(_Candidate(f"{match.group(1)}@{domain}", index))
        announced = announced or ANNOUNCED.search(line) is not None
    return found


def _distinct(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    seen: dict[str, _Candidate] = {}
    for one in candidates:
        seen.setdefault(one.address.lower(), one)
    return list(seen.values())


# ── What it says of each ────────────────────────────────────────────────────────────────────────────────────────────


def _segments(lines: Sequence[str], candidates: Sequence[_Candidate]) -> dict[str, str]:
    """The lines that speak of each recipient: from where it is named to where another one is."""
    found: dict[str, list[str]] = {}
    places = sorted(candidates, key=lambda one: one.line)
    for place, following in zip(places, [*places[1:], None], strict=False):
        end = following.line if following is not None else len(lines)
        found.setdefault(place.address.lower(), []).extend(lines[place.line : max(end, place.line + 1)])
    return {address: "\n".join(dict.fromkeys(said)) for address, said in found.items()}


def _sessions(lines: Sequence[str], candidates: Sequence[_Candidate]) -> dict[str, str]:
    """In an old sendmail's transcript the line that names a recipient sums up the session before it."""
    found: dict[str, list[str]] = {}
    start = 0
    for one in candidates:
        found.setdefault(one.address.lower(), []).extend(lines[start : one.line + 1])
        start = one.line + 1
    return {address: "\n".join(said) for address, said in found.items()}


def _describe(address: str, words: str, wider: Refusal, *, late: bool) -> ReportedRecipient:
    """Understand what is said about a recipient: in the words about it, else in all of the text."""
    quoted = QUOTED_REPLY.search(" ".join(words.split())[:6_000])
    refusal = understand(quoted["reply"], context=words) if quoted else understand(words)
    if quoted and refusal.reason is Reason.UNSPECIFIED:
        refusal = understand(words)
    if refusal.reason is Reason.UNSPECIFIED:
        refusal = Refusal(refusal.code or wider.code, refusal.status or wider.status, wider.reason)
    outcome = Outcome.HARD if refusal.is_dead else Outcome.SOFT
    diagnostic = " ".join(words.split())[:MAX_DIAGNOSTIC]
    return ReportedRecipient(
        address, Outcome.DELAYED if late else outcome, refusal.status, refusal.code, refusal.reason, diagnostic
    )
