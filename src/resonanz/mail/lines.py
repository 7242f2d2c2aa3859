"""Keeping lines within the 998 octets of RFC 5322 section 2.1.1 where a body is sent as it stands.

Relays break longer lines wherever they are. White space around an attribute's URL is allowed (WHATWG HTML section
2.4.1, "potentially surrounded by spaces"), so a line that would grow too long is broken inside the quotes, before and
after the URL; the tag and the text around it stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from resonanz.mail.plan import PlannedLink

MAX_LINE = 998


@dataclass(frozen=True, slots=True)
class Change:
    """Replace the decoded bytes from `start` to `end` by the ASCII text `new`; `link` is None for an image."""

    start: int
    end: int
    new: str
    link: PlannedLink | None

    @property
    def url(self) -> str:
        """The URL without line breaks around it."""
        return self.new.strip()


def fit(
    data: bytes, changes: Sequence[Change], encoding: str, unit: int, eol: bytes
) -> tuple[list[Change], list[PlannedLink]]:
    """Break lines that the changes would make too long; return the changes that fit and the links that cannot."""
    if encoding not in ("7bit", "8bit") or unit > 1:
        return list(changes), []
    fitting: list[Change] = []
    dropped: list[PlannedLink] = []
    position = 0
    while position < len(changes):
        start, end = _line_around(data, changes[position])
        together = [changes[position]]
        while position + len(together) < len(changes) and changes[position + len(together)].start <= end:
            together.append(changes[position + len(together)])
            end = max(end, _line_around(data, together[-1])[1])
        position += len(together)
        kept, left = _fit_line(data, start, end, together, eol.decode("ascii"))
        fitting += kept
        dropped += left
    return fitting, dropped


def _line_around(data: bytes, change: Change) -> tuple[int, int]:
    start = data.rfind(b"\n", 0, change.start) + 1
    end = data.find(b"\n", change.end)
    return start, len(data) if end < 0 else end


def _fit_line(
    data: bytes, start: int, end: int, changes: list[Change], eol: str
) -> tuple[list[Change], list[PlannedLink]]:
    if end - start > MAX_LINE or _longest(data, start, end, changes) <= MAX_LINE:
        return changes, []  # a line that was too long before is nobody's to mend
    broken = [_with_breaks(data, change, eol) for change in changes]
    if _longest(data, start, end, broken) <= MAX_LINE:
        return broken, []
    kept = [change for change in broken if change.link is None]
    dropped = [change.link for change in broken if change.link is not None]
    return kept, dropped


def _with_breaks(data: bytes, change: Change, eol: str) -> Change:
    if change.start == change.end:
        return replace(change, new=eol + change.new)
    is_quoted = data[change.start - 1 : change.start] == data[change.end : change.end + 1] and (
        data[change.end : change.end + 1] in (b'"', b"'")
    )
    return replace(change, new=eol + change.new + eol) if is_quoted else change


def _longest(data: bytes, start: int, end: int, changes: Sequence[Change]) -> int:
    pieces: list[bytes] = []
    position = start
    for change in changes:
        pieces += (data[position : change.start], change.new.encode("ascii"))
        position = change.end
    return max(map(len, b"".join((*pieces, data[position:end])).split(b"\n")))
