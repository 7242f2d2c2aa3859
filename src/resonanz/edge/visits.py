"""What is read on the sender's own sites after a click: the token that goes along, the script, and its reports.

A redirect to one of the sender's sites carries a token in the address's fragment, which browsers send to no server and
the script takes off the address bar at once. The script hands it back with what was looked at. Nothing is kept in the
browser beyond the tab, and whoever objects (Global Privacy Control, Do Not Track) gets no token and is not recorded.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from resonanz.edge import answers
from resonanz.edge.answers import Answer, HeaderList, Send, answer
from resonanz.edge.forms import Receive, read_form
from resonanz.edge.location import location
from resonanz.mail.links import host_of
from resonanz.mail.sites import is_of
from resonanz.model import HitKind
from resonanz.tokens import BadToken, Keys, Token, TokenKind, head, link_in, mint, verify

Scope = dict[str, Any]
Record = Callable[[HitKind, str, bytes, Scope, str], Awaitable[str]]
Count = Callable[[str, str], None]

MARK = "#rz="
MAX_REPORTS = 10  # of one request
# What a report may hold, and how long: words in characters, numbers up to.
_WORDS = {"at": 1000, "title": 150, "from": 300, "element": 60}
_SECONDS = 86_400
_ACTS = frozenset({"page", "time", "element"})

_VISIT = head(TokenKind.VISIT)
_OBJECTIONS = (b"sec-gpc", b"dnt")

_TEXT = (Path(__file__).with_name("static") / "s.js").read_bytes()
SCRIPT = answer(
    200,
    [
        (b"content-type", b"text/javascript; charset=utf-8"),
        (b"cache-control", b"public, max-age=3600"),
        (b"etag", f'"{hashlib.sha256(_TEXT).hexdigest()[:20]}"'.encode("ascii")),
        (b"cross-origin-resource-policy", b"cross-origin"),
        (b"access-control-allow-origin", b"*"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-robots-tag", b"noindex"),
    ],
    _TEXT,
)
TAKEN = Answer(
    {"type": "http.response.start", "status": 204, "headers": [(b"cache-control", b"no-store")]}, answers.NOTHING
)
"""The answer to every report, whatever became of it: nobody learns which tokens are ours."""


def objects(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a browser says that its user does not want to be tracked (GPC, DNT)."""
    return any(name in _OBJECTIONS and value.strip() == b"1" for name, value in headers)


def address_with_visit(
    sites: Collection[str], keys: Keys, signed: bytes, now_us: int, headers: HeaderList
) -> bytes | None:
    """Return where a click on a named link leads with a visit's token, None where it leads without one.

    `signed` are the signed bytes of the click's token. Only to one of `sites` (hosts, with all below them), never where
    the author's address has a fragment of its own, never against an objection.
    """
    link, destination = link_in(signed)
    to = location(destination)
    if to is None or b"#" in to or objects(headers) or not is_of(host_of(to.decode("ascii")), sites):
        return None
    token = Token(TokenKind.VISIT, id=UUID(bytes=signed[2:18]), link=link, destination=str(now_us // 1_000_000))
    return to + (MARK + mint(keys, token)).encode("ascii")


class Reports:
    """The door for what the script reports. `keys`, `record` and `count` are the edge's own."""

    def __init__(self, keys: Callable[[], Keys], record: Record, count: Count) -> None:
        self._keys = keys
        self._record = record
        self._count = count

    async def take(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request's reports; 204 once they are on disk, 503 when they cannot be."""
        answer, outcome = await self._take(scope, receive)
        self._count("beacon", outcome)
        await answer.send(send, scope["method"])

    async def _take(self, scope: Scope, receive: Receive) -> tuple[Answer, str]:
        if scope["method"] != "POST":
            return answers.NO_SUCH_METHOD[answers.ACTING], "refused"
        body = await read_form(receive)
        if isinstance(body, Answer):
            return body, "refused"
        if objects(scope["headers"]):
            return TAKEN, "objected"
        text, reports = read_reports(body)
        try:
            signed = verify(self._keys(), text)
        except BadToken:
            return TAKEN, "unknown"
        if signed[0] != _VISIT or not reports:
            return TAKEN, "unknown"
        outcomes = await asyncio.gather(
            *(self._record(HitKind.BEACON, text, signed, scope, report) for report in reports)
        )
        failed = next((outcome for outcome in outcomes if outcome == "unrecorded"), "")
        return (answers.UNAVAILABLE, failed) if failed else (TAKEN, outcomes[0])


def read_reports(body: bytes) -> tuple[str, list[str]]:
    """Return the token and the reports of a request, each as JSON of known fields within their bounds.

    What is no report is left out; nothing is raised, whatever the body holds.
    """
    try:
        said = json.loads(body)
        token, reports = said["visit"], said["reports"]
        if not isinstance(token, str) or not isinstance(reports, list):
            return "", []
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", []
    read = [_report(report) for report in reports[:MAX_REPORTS]]
    return token, [json.dumps(report) for report in read if report is not None]


def _report(said: object) -> dict[str, object] | None:
    if not isinstance(said, dict) or said.get("act") not in _ACTS or not isinstance(said.get("at"), str):
        return None
    report: dict[str, object] = {"act": said["act"]}
    for name, limit in _WORDS.items():
        if isinstance(value := said.get(name), str) and value:
            report[name] = value[:limit]
    seconds = said.get("seconds")
    if isinstance(seconds, int | float) and 0 <= seconds <= _SECONDS:  # false for what is no number
        report["seconds"] = int(seconds)
    return report
