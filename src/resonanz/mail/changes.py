"""From a plan to bytes: what is written where in one part, within the line limits of its transfer encoding.

Where a body is sent as it stands, lines stay within the 998 octets of RFC 5322 section 2.1.1, because relays break
longer ones wherever they are. White space around an attribute's URL is allowed (WHATWG HTML section 2.4.1,
"potentially surrounded by spaces"), so a line that would grow too long is broken inside the quotes, before and after
the URL; the tag and the text around it stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto

from resonanz.mail.charset import Text, is_valid
from resonanz.mail.plan import PartPlan, PlannedLink
from resonanz.mail.transfer import Edit
from resonanz.model import value

MAX_LINE = 998


class What(Enum):
    """What a change is for."""

    LINK = auto()
    IMAGE = auto()  # the pixel, or the address of the logo
    DOCUMENTS = auto()  # the block of links that stands for attachments


@value
class Change:
    """Replace the decoded bytes from `start` to `end` by the text `new`."""

    start: int
    end: int
    new: str
    what: What
    link: PlannedLink | None = None
    url: str = ""  # what the link's new value says once character references are resolved


def edits(plan: PartPlan, changes: Sequence[Change]) -> list[Edit]:
    """Encode changes in the part's charset."""
    assert plan.text is not None
    return [Edit(change.start, change.end, plan.text.write(change.new)) for change in changes]


def turns_guess(text: Text, made: Sequence[Edit]) -> bool:
    """Tell whether a reader's program would guess another charset once the edits are made.

    That happens when the bytes that ruled UTF-8 out stand in an address: without them the rest would be read anew.
    """
    if text.charset == "utf-8":
        return False
    pieces: list[bytes] = []
    position = 0
    for start, end, new in made:
        pieces += (text.data[position:start], new)
        position = end
    data = b"".join((*pieces, text.data[position:]))
    return not data.isascii() and is_valid(data, "utf-8")


def fit(plan: PartPlan, changes: Sequence[Change], eol: bytes) -> tuple[list[Change], list[PlannedLink]]:
    """Break lines that the changes would make too long; return the changes that fit and the links that cannot."""
    assert plan.text is not None
    if plan.part.encoding in ("quoted-printable", "base64", "binary") or plan.text.unit > 1:
        return list(changes), []
    data = plan.text.data
    fitting: list[Change] = []
    dropped: list[PlannedLink] = []
    position = 0
    while position < len(changes):
        together, start, end = _on_one_line(data, changes, position)
        position += len(together)
        kept, left = _fit_line(data, start, end, together, eol.decode("ascii"), is_html=plan.is_html)
        fitting += kept
        dropped += left
    return fitting, dropped


def _on_one_line(data: bytes, changes: Sequence[Change], position: int) -> tuple[list[Change], int, int]:
    """Return the changes that share lines with the one at `position`, and where those lines begin and end."""
    start = data.rfind(b"\n", 0, changes[position].start) + 1
    end = _line_end(data, changes[position].end)
    together = [changes[position]]
    for change in changes[position + 1 :]:
        if change.start > end:
            break
        together.append(change)
        if change.end > end:
            end = _line_end(data, change.end)
    return together, start, end


def _line_end(data: bytes, position: int) -> int:
    found = data.find(b"\n", position)
    return len(data) if found < 0 else found


def _fit_line(
    data: bytes, start: int, end: int, changes: list[Change], eol: str, *, is_html: bool
) -> tuple[list[Change], list[PlannedLink]]:
    if end - start > MAX_LINE or _longest(data, start, end, changes) <= MAX_LINE:
        return changes, []  # a line that was too long before is nobody's to mend
    broken = [_with_breaks(data, change, eol) for change in changes] if is_html else changes
    if _longest(data, start, end, broken) <= MAX_LINE:
        return broken, []
    kept = [change for change in broken if change.what is not What.LINK]
    return kept, [change.link for change in broken if change.link is not None]


def _with_breaks(data: bytes, change: Change, eol: str) -> Change:
    if change.start == change.end:
        return replace(change, new=eol + change.new)
    quote = data[change.end : change.end + 1]
    is_quoted = quote in (b'"', b"'") and data[change.start - 1 : change.start] == quote
    return replace(change, new=eol + change.new + eol) if is_quoted else change


def _longest(data: bytes, start: int, end: int, changes: Sequence[Change]) -> int:
    pieces: list[bytes] = []
    position = start
    for change in changes:
        pieces += (data[position : change.start], change.new.encode("utf-8"))
        position = change.end
    return max(map(len, b"".join((*pieces, data[position:end])).split(b"\n")))
