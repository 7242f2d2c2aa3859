"""Traces written as small tables, and what the judge must say of each line.

    0     sent
    1.5   delivered
    25    open      google   gmail_prefetch   machine_prefetch
    30    open      google   gmail            human_proxied counted
    3600  click:2   home     chrome           human_likely counted placed

Columns: seconds after sending, kind (`click:2` is link 2, `m2/open` belongs to message m2), where it came from, which
program, and what is expected: the verdict, then `counted` and `placed` where they must be true (they must be false
where they are not named), a confidence, or a `reason`. Further words `HEAD`, `own`, `text` and `Sec-Purpose=prefetch`
say how it was asked. A comment begins with `#`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from resonanz.ingest.judge import Reason
from resonanz.model import Confidence, Verdict
from tests.kit.cast import APPLE_PRIVACY, BROWSER, GMAIL, OUTLOOK

SAFARI_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Safari/605.1.15"
)
SAFARI_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)

AGENTS = {
    "-": "",
    "chrome": BROWSER,
    "chrome120": BROWSER.replace("141.0.0.0", "120.0.0.0"),
    "edge": f"{BROWSER} Edg/141.0.0.0",
    "chrome_android": "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Mobile Safari/537.36",
    "firefox_linux": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "safari": SAFARI_MAC,
    "safari_iphone": SAFARI_IPHONE,
    "apple": APPLE_PRIVACY,
    "apple_mail": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "iphone_mail": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148",
    "outlook": OUTLOOK,
    "office": "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "thunderbird": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.3.0",
    "gmail": GMAIL,
    "gmail_prefetch": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
    "yahoo": "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "hey": "hey.com/imageproxy Mozilla/5.0 (compatible)",
    "fastmail": "FastmailUA/1.0",
    "barracuda": "Barracuda Sentinel (EE)",
    "requests": "python-requests/2.32.3",
    "slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "whatsapp": "WhatsApp/2.23.20.0",
    "linkedin": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "skype": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "safelinks": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.6099.199 Safari/537.36",
}

# Where hits come from: an address, and the number of its autonomous system where its rows are written that way.
PLACES: Mapping[str, tuple[str, int | None]] = {
    "nowhere": ("", None),
    "home": ("203.0.113.7", 3320),
    "home2": ("203.0.113.99", 3320),  # the same neighbourhood
    "home6": ("2001:db8:7:1::7", 7922),
    "mobile": ("198.51.100.23", 3209),
    "mobile2": ("192.0.2.44", 6805),
    "office": ("198.51.100.250", 680),
    "relay": ("172.225.10.20", None),  # Apple's way out
    "google": ("66.249.84.10", 15169),
    "yahoo": ("98.137.11.20", 36646),
    "hey": ("204.62.115.9", None),
    "fastmail": ("202.12.124.216", None),
    "eop": ("40.92.10.1", 8075),
    "microsoft": ("20.50.7.7", 8075),
    "microsoft2": ("20.51.8.8", 8075),
    "barracuda": ("209.222.82.5", 16509),
    "proofpoint": ("148.163.10.5", 22843),
    "mimecast": ("207.211.31.9", 30031),
    "aws": ("3.80.4.4", 16509),
    "aws2": ("52.23.9.9", 16509),
    "aws3": ("54.80.1.2", 14618),
    "ovh": ("51.75.3.3", 16276),
}

_CONFIDENCES = {confidence.value for confidence in Confidence}
_VERDICTS = {verdict.value for verdict in Verdict}
_REASONS = {reason.value for reason in Reason}


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be said of one hit."""

    verdict: str
    counted: bool
    placed: bool
    confidence: str = ""
    reasons: frozenset[str] = frozenset()


@dataclass(slots=True)
class Written:
    """A trace as lines of JSON, and what is expected of its hits by id."""

    lines: list[str] = field(default_factory=list)
    expected: dict[str, Expected] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


def written(table: str, *, links: int = 6) -> Written:
    """Read a table. `links` is how many links each mail has."""
    found = Written()
    for number, line in enumerate(table.strip().splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            row, expected = _row(words, f"line {number}", links)
            found.lines.append(json.dumps(row))
            if expected is not None:
                found.expected[row["id"]] = expected
    return found


def _row(words: list[str], id: str, links: int) -> tuple[dict[str, Any], Expected | None]:
    t, kind, *rest = words
    message, _, kind = kind.rpartition("/")
    kind, _, link = kind.partition(":")
    message = message or "m1"
    row: dict[str, Any] = {
        "id": id,
        "message": message,
        "recipient": f"{message}@firm.example",
        "t": float(t),
        "kind": kind,
        "link": int(link) if link else None,
        "links_total": links,
    }
    if not rest:
        return row, None
    place, agent, verdict, *more = rest
    assert verdict in _VERDICTS, verdict
    row |= {"ip": PLACES[place][0], "asn": PLACES[place][1], "ua": AGENTS[agent], "method": "GET", "headers": {}}
    expected = Expected(
        verdict,
        counted="counted" in more,
        placed="placed" in more,
        confidence=next((word for word in more if word in _CONFIDENCES), ""),
        reasons=frozenset(word for word in more if word in _REASONS),
    )
    for word in more:
        _ask(row, word)
    return row, expected


def _ask(row: dict[str, Any], word: str) -> None:
    name, equals, value = word.partition("=")
    if equals:
        row["headers"][name] = value
    elif word in ("HEAD", "OPTIONS", "POST"):
        row["method"] = word
    elif word == "own":
        row["own"] = True
    elif word == "text":
        row["part"] = "text"
    else:
        assert word in {"counted", "placed"} | _CONFIDENCES | _REASONS, word


def differences(expected: Mapping[str, Expected], lines: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what the judge said otherwise, in words."""
    said = {line["id"]: line for line in lines if "id" in line}
    assert said.keys() == expected.keys()
    for id, wanted in expected.items():
        line = said[id]
        if line["verdict"] != wanted.verdict:
            yield f"{id}: {line['verdict']} {line['reasons']}, not {wanted.verdict}"
        if wanted.confidence and line["confidence"] != wanted.confidence:
            yield f"{id}: {line['confidence']}, not {wanted.confidence}"
        for name, wish, got in (
            ("counted", wanted.counted, line["counted"]),
            ("placed", wanted.placed, line["place_allowed"]),
        ):
            if got != wish:
                yield f"{id}: {'' if got else 'not '}{name}"
        if not wanted.reasons <= set(line["reasons"]):
            yield f"{id}: reasons {line['reasons']}, not {sorted(wanted.reasons)}"


def unnoticed(trace: Written, lines: list[dict[str, Any]]) -> list[str]:
    """Return the hits whose expectation could be turned round without `differences` seeing it: there must be none."""
    said = {line["id"]: line for line in lines if "id" in line}
    return [
        id
        for id, wanted in trace.expected.items()
        for wrong in (replace(wanted, verdict=_other(wanted.verdict)), replace(wanted, counted=not wanted.counted))
        if not list(differences({id: wrong}, [said[id]]))
    ]


def _other(verdict: str) -> str:
    return (Verdict.MACHINE_SCANNER if verdict != Verdict.MACHINE_SCANNER else Verdict.HUMAN_LIKELY).value
