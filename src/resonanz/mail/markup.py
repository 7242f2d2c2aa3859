"""Where the links are: a scanner that follows the WHATWG tokenizer and reports byte offsets (HTML section 13.2.5).

It knows what a mail client knows: quotes, comments, raw-text elements, script escapes, foreign content. It differs from
a browser in two places, as mail does: `<noscript>` holds ordinary markup, because no mail client runs scripts, and the
inside of MSO conditional comments is scanned for what Outlook shows.

Ordinary tags are skipped inside one regular expression. Every quantifier is possessive, so that the time is linear in
the size whatever the bytes are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_LINKS = 10_000

_WS = rb"\t\n\f\r "
_VALUE = rb"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^%b>"'][^%b>]*+|(?=>))""" % (_WS, _WS)
# Well-written attributes first, which is most of them; then whatever the standard lets pass for one.
_ATTRIBUTES = rb"(?:[%b]++[A-Za-z:\-]++=\"[^\"]*+\")*+(?:[%b/]++|[^%b/>][^%b/>=]*+(?:[%b]*+=[%b]*+%b)?+)*+" % (
    *(_WS,) * 6, _VALUE
)  # fmt: skip
_NAME = rb"[A-Za-z][^%b/>]*+" % _WS

_RAW_TEXT = {b"style", b"xmp", b"iframe", b"noembed", b"noframes", b"title", b"textarea"}
_OPENS_FOREIGN = {b"svg", b"math"}
# Inside these, foreign content holds HTML again (section 13.2.4.2).
_INTEGRATION = {
    b"svg": {b"foreignobject", b"desc", b"title"},
    b"math": {b"mi", b"mo", b"mn", b"ms", b"mtext"},
}
_INTEGRATION_ENDS = _INTEGRATION[b"svg"] | _INTEGRATION[b"math"]
# What must not be open where an image is put: nothing is shown, or something else, inside these.
_HOLDS_NO_IMAGE = {b"select", b"template"}
_SHOWN_RAW = {b"xmp", b"plaintext"}
_WATCHED = (
    _RAW_TEXT | _OPENS_FOREIGN | _HOLDS_NO_IMAGE | {b"a", b"area", b"base", b"body", b"html", b"head", b"script"}
    | {b"plaintext", b"frameset"}
)  # fmt: skip
_ENDS_WATCHED = _OPENS_FOREIGN | _HOLDS_NO_IMAGE | {b"body", b"html", b"head"}


def _names(names: set[bytes]) -> bytes:
    """An expression for tag names in either case; the flag for that would make every other part of it slower."""
    either = [b"".join(b"[%c%c]" % (letter, letter & ~0x20) for letter in name) for name in sorted(names)]
    return rb"(?:%b)(?=[%b/>])" % (b"|".join(either), _WS)


# Everything that is of no interest: text, and whole tags whose name is not watched.
_BORING = re.compile(
    rb"[^<]*+(?:<++(?:/(?!%b)%b(?:>|%b>)|(?!%b)%b%b>|(?![A-Za-z/!?]))[^<]*+)*+"
    % (_names(_ENDS_WATCHED), _NAME, _ATTRIBUTES, _names(_WATCHED), _NAME, _ATTRIBUTES)
)
_RUN = re.compile(rb"<++")
_TAG = re.compile(rb"<(/?)(%b)(%b)(>?)" % (_NAME, _ATTRIBUTES))
_NEXT_TAG = re.compile(rb"<(?=[A-Za-z/!?])")
_ATTRIBUTE = re.compile(
    rb"""([^%b/>][^%b/>=]*+)(?:[%b]*+=[%b]*+(?:"([^"]*+)(?:"|\Z)|'([^']*+)(?:'|\Z)|([^%b>"'][^%b>]*+)|(?=>)))?+"""
    % (_WS, _WS, _WS, _WS, _WS, _WS)
)
_COMMENT_END = re.compile(rb"--!?>")
_CONDITION = re.compile(rb"[%b]*+\[if[^\]>]{0,200}+\]>" % _WS, re.IGNORECASE)
_SCRIPT_STEP = re.compile(rb"<!--|-->|<(/?)script(?=[%b/>])" % _WS, re.IGNORECASE)
# A start tag that ends foreign content (HTML section 13.2.6.5).
_BREAKOUT = re.compile(
    rb"(?:b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|embed|h[1-6]|head|hr|i|img|li|listing|menu|meta|nobr|ol|p"
    rb"|pre|ruby|s|small|span|strong|strike|sub|sup|table|tt|u|ul|var)\Z",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Element:
    """One start tag with attributes. Offsets are positions in the mask; `values` maps a lower-case attribute name to
    where its value lies, the first of several winning, as the standard says."""

    name: bytes
    start: int
    end: int
    values: dict[bytes, tuple[int, int]]
    is_conditional: bool = False


@dataclass(slots=True)
class Scan:
    """What was found. `image_end` is the last place inside the body where an image can stand, `image_start` the first;
    None means nowhere."""

    links: list[Element] = field(default_factory=list)
    base: Element | None = None
    image_start: int | None = None
    image_end: int | None = None
    is_endless: bool = False  # more links than any letter has; the scan was given up


def scan(mask: bytes) -> Scan:
    """Scan a whole document or a fragment. Never raises."""
    return _Scanner(mask).run()


class Tag(NamedTuple):
    """One tag, by its lower-case name: from `start` to `end`, its attributes in between (positions in the mask)."""

    name: bytes
    is_end: bool
    start: int
    end: int
    attributes: tuple[int, int]


def tags(mask: bytes) -> Iterator[Tag | tuple[int, int]]:
    """Yield a document's tags, and the ranges of text between them, in order.

    Comments, declarations and what scripts, styles and the like hold are left out, as is a tag that never ends. Foreign
    content is taken for HTML.
    """
    scanner = _Scanner(mask)
    position, size = 0, len(mask)
    while position < size:
        opening = _NEXT_TAG.search(mask, position)
        start = opening.start() if opening else size
        if start > position:
            yield position, start
        if opening is None:
            return
        tag = _TAG.match(mask, start)
        if tag is None:
            after = scanner.pass_by(start)
        elif not tag.group(4):
            return
        else:
            name, is_end = tag.group(2).lower(), bool(tag.group(1))
            yield Tag(name, is_end, start, tag.end(), tag.span(3))
            after = tag.end() if is_end else scanner.pass_content(name, tag.end())
            if name in _SHOWN_RAW and not is_end:
                yield tag.end(), size if after is None else after
        if after is None:
            return
        position = after


def attributes(mask: bytes, start: int, end: int) -> dict[bytes, tuple[int, int]]:
    """Return the attributes between two positions inside a tag, by lower-case name."""
    values: dict[bytes, tuple[int, int]] = {}
    for match in _ATTRIBUTE.finditer(mask, start, end):
        which = match.lastindex or 1
        span = match.span(which) if which > 1 else (match.end(), match.end())
        values.setdefault(match.group(1).lower(), span)
    return values


class _Scanner:
    """One run over one document."""

    def __init__(self, mask: bytes) -> None:
        self.mask = mask
        self.found = Scan()
        self.foreign: list[bytes] = []  # innermost last: b"svg", b"math", or b"html" inside an integration point
        self.blocked: list[tuple[bytes, int]] = []  # open elements that hold no image, and where they began
        self.depth: Counter[bytes] = Counter()  # how many of each are open in `foreign`, with "!" in `blocked`
        self.body_end: int | None = None
        self.html_end: int | None = None
        self.head_end: int | None = None
        self.has_frames = False

    def run(self) -> Scan:
        position, size = 0, len(self.mask)
        end = size
        while position < size:
            position = self._skip(position)
            if position >= size:
                break
            if len(self.found.links) > MAX_LINKS:
                self.found.is_endless = True
                return self.found
            after = self._step(position)
            if after is None:  # the rest is inside a tag, a comment or raw text that is never closed
                end = position
                break
            position = after
        self._place_image(end)
        return self.found

    def _skip(self, position: int) -> int:
        if self.foreign:  # inside foreign content every tag may matter
            match = _NEXT_TAG.search(self.mask, position)
            return match.start() if match else len(self.mask)
        match = _BORING.match(self.mask, position)
        end = match.end() if match else position
        run = _RUN.match(self.mask, end)  # of several brackets in a row only the last can open a tag
        return run.end() - 1 if run else end

    def _step(self, position: int) -> int | None:
        """Consume the tag, comment or declaration at `position`; return the position after it."""
        tag = _TAG.match(self.mask, position)
        if tag is None:
            return self.pass_by(position)
        if not tag.group(4):
            return None
        name = tag.group(2).lower()
        if tag.group(1):
            return self._end_tag(name, position, tag.end())
        return self._start_tag(name, tag)

    def pass_by(self, position: int) -> int | None:
        """Return the position after what begins like a tag and is none: a declaration, a comment, or a bogus comment
        (`</` or `<?` before something else) up to the next bracket; None when it never ends."""
        if self.mask.startswith(b"<!", position):
            return self._declaration(position)
        return self._after(b">", position + 2)

    def pass_content(self, name: bytes, position: int) -> int | None:
        """Return where to go on after a start tag: at the end tag, where what follows is no markup."""
        if name in _RAW_TEXT:
            return self._after_raw_text(name, position)
        if name == b"script":
            return self._after_script(position)
        return None if name == b"plaintext" else position

    def _after(self, needle: bytes, position: int) -> int | None:
        found = self.mask.find(needle, position)
        return None if found < 0 else found + len(needle)

    # ── Comments and declarations ───────────────────────────────────────────────────────────────────────────────────

    def _declaration(self, position: int) -> int | None:
        mask = self.mask
        if mask.startswith(b"<!--", position):
            return self._comment(position + 4)
        if self.foreign and self.foreign[-1] != b"html" and mask.startswith(b"<![CDATA[", position):
            return self._after(b"]]>", position + 9)
        return self._after(b">", position + 2)

    def _comment(self, start: int) -> int | None:
        mask = self.mask
        if mask.startswith(b">", start):
            return start + 1
        if mask.startswith(b"->", start):
            return start + 2
        match = _COMMENT_END.search(mask, start)
        end = match.start() if match else len(mask)
        condition = _CONDITION.match(mask, start, end)
        if condition:
            self._scan_conditional(condition.end(), end)
        return match.end() if match else None

    def _scan_conditional(self, start: int, end: int) -> None:
        """Find what Outlook shows inside an MSO conditional comment."""
        position = start
        while True:
            opening = _NEXT_TAG.search(self.mask, position, end)
            if opening is None:
                return
            tag = _TAG.match(self.mask, opening.start(), end)
            if tag is None:
                closing = self.mask.find(b">", opening.end(), end)
                if closing < 0 or self.mask.startswith(b"<!--", opening.start()):
                    return  # a comment inside the comment ends with it
                position = closing + 1
                continue
            if not tag.group(4):
                return
            position = tag.end()
            name = tag.group(2).lower()
            if not tag.group(1):
                self._note_conditional(name, tag)
                if name == b"plaintext":
                    return
                if name in _RAW_TEXT or name == b"script":
                    closing_tag = _closing(name).search(self.mask, position, end)
                    if closing_tag is None:
                        return
                    position = closing_tag.start()

    def _note_conditional(self, name: bytes, tag: re.Match[bytes]) -> None:
        values = attributes(self.mask, tag.start(3), tag.end(3))
        if b"href" in values:
            self.found.links.append(Element(name, tag.start(), tag.end(), values, is_conditional=True))

    # ── Tags ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _start_tag(self, name: bytes, tag: re.Match[bytes]) -> int | None:
        after = tag.end()
        in_foreign = bool(self.foreign) and self.foreign[-1] != b"html"
        if in_foreign and _BREAKOUT.match(name):
            self._leave_foreign()
            in_foreign = False
        if name in (b"a", b"area"):
            self._note_link(name, tag)
        elif name in _OPENS_FOREIGN or in_foreign or self.foreign:
            return self._foreign_start_tag(name, tag, in_foreign)
        elif name in _RAW_TEXT or name in (b"script", b"plaintext"):
            return self.pass_content(name, after)
        else:
            self._note_frame(name, tag)
        return after

    def _foreign_start_tag(self, name: bytes, tag: re.Match[bytes], in_foreign: bool) -> int | None:
        after = tag.end()
        is_closed = self.mask[after - 2 : after] == b"/>"
        if in_foreign or name in _OPENS_FOREIGN:
            if is_closed:
                return after
            if name in _OPENS_FOREIGN:
                if not self.foreign:
                    self._block(name, tag.start())
                self._enter_foreign(name)
            elif name in _INTEGRATION[self.foreign[-1]]:
                self._enter_foreign(b"html")
            return after
        if name in _RAW_TEXT:
            return self._after_raw_text(name, after)
        return self._after_script(after) if name == b"script" else after

    def _note_link(self, name: bytes, tag: re.Match[bytes]) -> None:
        values = attributes(self.mask, tag.start(3), tag.end(3))
        if b"href" in values:
            self.found.links.append(Element(name, tag.start(), tag.end(), values))

    def _note_frame(self, name: bytes, tag: re.Match[bytes]) -> None:
        """Note the tags that frame the document: base, body, frameset, and what may hold no image."""
        if name == b"base" and self.found.base is None:
            values = attributes(self.mask, tag.start(3), tag.end(3))
            if b"href" in values:
                self.found.base = Element(name, tag.start(), tag.end(), values)
        elif name == b"body" and self.found.image_start is None:
            self.found.image_start = tag.end()
        elif name == b"frameset":
            self.has_frames = True
        elif name in _HOLDS_NO_IMAGE:
            self._block(name, tag.start())

    def _end_tag(self, name: bytes, start: int, after: int) -> int:
        if name == b"body":
            self.body_end = self._unblocked(start)
        elif name == b"html":
            self.html_end = self._unblocked(start)
        elif name == b"head":
            self.head_end = after
        elif name in _OPENS_FOREIGN and self.depth[name]:
            self._close_foreign(name)
        elif name in _INTEGRATION_ENDS and self.foreign and self.foreign[-1] == b"html":
            self._close_foreign(b"html")
        elif name in _HOLDS_NO_IMAGE:
            self._unblock(name)
        return after

    def _enter_foreign(self, name: bytes) -> None:
        self.foreign.append(name)
        self.depth[name] += 1

    def _close_foreign(self, name: bytes) -> None:
        """Leave everything up to the innermost element of this name."""
        while True:
            left = self.foreign.pop()
            self.depth[left] -= 1
            if left == name:
                break
        if not self.foreign:
            self._unblock(name)

    def _leave_foreign(self) -> None:
        """A tag of HTML's own ends foreign content up to the next integration point."""
        while self.foreign and self.foreign[-1] != b"html":
            left = self.foreign.pop()
            self.depth[left] -= 1
            self._unblock(left)

    def _block(self, name: bytes, start: int) -> None:
        self.blocked.append((name, start))
        self.depth[b"!" + name] += 1

    def _unblock(self, name: bytes) -> None:
        """Forget the innermost element of this name that holds no image, and those inside it."""
        while self.depth[b"!" + name]:
            left = self.blocked.pop()[0]
            self.depth[b"!" + left] -= 1
            if left == name:
                return

    def _unblocked(self, position: int) -> int:
        return self.blocked[0][1] if self.blocked else position

    # ── Raw text ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _after_raw_text(self, name: bytes, position: int) -> int | None:
        match = _closing(name).search(self.mask, position)
        return match.start() if match else None

    def _after_script(self, position: int) -> int | None:
        """Find the end tag of a script, minding the escaped and double-escaped states (section 13.2.5.20 ff.)."""
        is_escaped = is_double = False
        while True:
            step = _SCRIPT_STEP.search(self.mask, position)
            if step is None:
                return None
            text, position = step.group(), step.end()
            if text == b"<!--":
                if not is_escaped:
                    is_escaped = True
                    position -= 2  # its dashes may be those of the end: `<!-->`
            elif text == b"-->":
                is_escaped = is_double = False
            elif not step.group(1):
                is_double = is_escaped
            elif is_double:
                is_double = False
            else:
                return step.start()

    # ── The place of an image ───────────────────────────────────────────────────────────────────────────────────────

    def _place_image(self, end: int) -> None:
        if self.has_frames:
            self.found.image_start = None
            return
        if self.found.image_start is None:
            self.found.image_start = self.head_end
        place = self.body_end if self.body_end is not None else self.html_end
        if place is None:
            place = self._unblocked(end)
            place = len(self.mask[:place].rstrip(b"\t\n\f\r "))
        self.found.image_end = place or None  # an empty document shows nothing


_CLOSING = {name: re.compile(rb"</%b(?=[%b/>])" % (name, _WS), re.IGNORECASE) for name in (*_RAW_TEXT, b"script")}


def _closing(name: bytes) -> re.Pattern[bytes]:
    return _CLOSING[name]


_IMAGE = re.compile(rb"<img(?=[%b/])(%b)>" % (_WS, _ATTRIBUTES), re.IGNORECASE)


def image_tags(mask: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the attributes of each image lie, comments and raw text skipped."""
    for match in _IMAGE.finditer(mask):
        yield match.span(1)
