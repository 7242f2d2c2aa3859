"""Compile once, send many: a campaign's mail as constant bytes with slots for what differs between recipients.

The content is parsed, planned and encoded once. One copy is then the constant segments, the tokens and the personal
fields, joined. A token is constant but for its first 24 characters (head, key, id) and its last 16 to 19 (the tag),
because 18 bytes and every three after them are whole base64 groups; so the long middle, the destination, is part of the
constant segments too, already wrapped in quoted-printable.

Slots begin and end at soft line breaks, which keeps every line legal whatever is put in.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import quote
from uuid import UUID

from resonanz.mail import pixel
from resonanz.mail.composing import write_header
from resonanz.mail.gate import refuse_message, refuse_part
from resonanz.mail.headers import Header
from resonanz.mail.instrumenting import instrument
from resonanz.mail.links import Later, host_of
from resonanz.mail.plan import PartPlan, PlannedLink, plan_message
from resonanz.mail.references import escape
from resonanz.mail.routes import IMAGE_ROUTE, ROUTES, names_nobody
from resonanz.mail.structure import Structure, parse
from resonanz.mail.tracking import CLIPPED_AT, Caution, Reason, Tracking
from resonanz.mail.transfer import (
    QuotedPrintable,
    Splice,
    apply,
    decode_body,
    encode_quoted_printable,
    wrap_quoted_printable,
)
from resonanz.model import InvalidInput, TrackingMode
from resonanz.tokens import TokenKind, link_suffix, sealed_prefix

_FIELD = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
_FIELD_BYTES = re.compile(rb"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
_SOFT_BREAK = b"=\r\n"
_ROOM = 75  # characters of a line that ends in a soft break
_HEAD_CHARACTERS = 24  # of a token: version and kind, key id, message id
_OWN_FIELDS = frozenset({"unsubscribe_url", "preferences_url", "browser_url"})

Values = Mapping[str, str]
"""Personal fields by name, as plain text."""


@dataclass(slots=True)
class _Copy:
    """What one recipient's copy is made of: the token heads by kind, and the personal values."""

    heads: Mapping[TokenKind, bytes]
    values: Values
    tag: Callable[[bytes], bytes]


@dataclass(slots=True)
class _Layout:
    """Constant pieces of the whole body, with None where a slot goes; `slots` tells what goes where."""

    pieces: list[bytes] = field(default_factory=list)
    heads: list[tuple[int, TokenKind]] = field(default_factory=list)
    tails: list[tuple[int, TokenKind, bytes, bytes]] = field(default_factory=list)
    others: list[tuple[int, Callable[[_Copy], bytes]]] = field(default_factory=list)

    def slot(self) -> int:
        """Open a slot and return its number."""
        self.pieces.append(b"")
        return len(self.pieces) - 1


class Compiled:
    """One content, ready to be sent to many. `fields` are the personal fields it needs; `reason` says why it is not
    tracked, if it is not."""

    def __init__(self, structure: Structure, tracking: Tracking, fields: frozenset[str]) -> None:
        self.fields = fields
        self.reason: Reason | None = refuse_message(structure, tracking)
        self.warnings: tuple[Caution, ...] = ()
        self._structure = structure
        self._tracking = tracking
        self._layouts: dict[tuple[bool, bool], _Layout] = {}
        self._headers = _split_headers(structure, fields)

    def render(
        self,
        message: UUID,
        *,
        values: Values | None = None,
        headers: Mapping[str, str] | None = None,
        opens: TrackingMode | None = None,
        clicks: TrackingMode | None = None,
    ) -> bytes:
        """Return one recipient's whole message.

        `headers` come on top and replace those of the content (`To`, `Message-ID`, `List-Unsubscribe`, …). `opens` and
        `clicks` override the campaign's modes for this copy. Raises InvalidInput for a field without a value and for a
        header that cannot be written.
        """
        opens, clicks = opens or self._tracking.opens, clicks or self._tracking.clicks
        if self.reason is not None:
            opens = clicks = TrackingMode.OFF
        copy = _Copy(self._heads(message, opens, clicks), values or {}, self._tracking.keys.signing.tag)
        missing = self.fields - copy.values.keys()
        if missing:
            raise InvalidInput(f"no value for {{{{{min(missing)}}}}}", where="fields")
        layout = self._layout(opens is TrackingMode.OFF, clicks is TrackingMode.OFF)
        return self._render_headers(headers or {}, copy.values) + _fill(layout, copy)

    def _heads(self, message: UUID, opens: TrackingMode, clicks: TrackingMode) -> dict[TokenKind, bytes]:
        key, campaign = self._tracking.keys.signing, self._tracking.campaign or self._tracking.message
        heads = {kind: sealed_prefix(key, kind, message) for kind in (TokenKind.UNSUBSCRIBE, TokenKind.PREFERENCES)}
        for kind, mode in ((TokenKind.OPEN, opens), (TokenKind.FILE, opens), (TokenKind.CLICK, clicks)):
            anonymous = mode is TrackingMode.ANONYMOUS
            heads[kind] = sealed_prefix(key, kind, campaign if anonymous else message, anonymous=anonymous)
        anonymous = names_nobody(TokenKind.VIEW, opens, clicks)
        heads[TokenKind.VIEW] = sealed_prefix(
            key, TokenKind.VIEW, campaign if anonymous else message, anonymous=anonymous
        )
        return heads

    def _layout(self, opens_off: bool, clicks_off: bool) -> _Layout:
        layout = self._layouts.get((opens_off, clicks_off))
        if layout is None:
            tracking = replace(
                self._tracking,
                opens=TrackingMode.OFF if opens_off else TrackingMode.INDIVIDUAL,
                clicks=TrackingMode.OFF if clicks_off else TrackingMode.INDIVIDUAL,
            )
            maker = _LayoutMaker(self._structure, tracking, self.fields)
            layout = self._layouts[opens_off, clicks_off] = maker.make()
            self.warnings = self.warnings or tuple(maker.warnings)
        return layout

    def _render_headers(self, headers: Mapping[str, str], values: Values) -> bytes:
        replaced = {name.lower() for name in headers}
        pieces = [write_header(name, value) for name, value in headers.items()]
        for name, raw, template in self._headers:
            if name.lower() in replaced:
                continue
            if template is None:
                pieces.append(raw)
            else:
                pieces.append(write_header(name, _FIELD.sub(lambda found: _value(found, values), template)))
        return b"".join((*pieces, b"\r\n"))


def compile_campaign(message: bytes, tracking: Tracking, *, fields: Iterable[str] = ()) -> Compiled:
    """Compile a mail that `compose` made, with `{{name}}` where a personal field goes: in headers, text, HTML, links.

    `fields` names those that are fields; other placeholders stay as they are. A field inside a link is percent-encoded,
    in HTML it is escaped. What comes out was held against what `instrument` makes of the same mail; on a difference the
    campaign goes out untracked and `reason` says so. Raises InvalidInput for a mail whose text is not UTF-8 in
    quoted-printable with CRLF line endings.
    """
    structure = parse(message)
    for part in structure.leaves:
        is_composed = part.encoding == "quoted-printable" and (part.charset or "").lower() == "utf-8"
        if refuse_part(part) is None and not is_composed:
            raise InvalidInput("not UTF-8 in quoted-printable", where=f"part {part.path}", remedy="use compose()")
    if structure.eol != b"\r\n" or message.count(b"\n") != message.count(b"\r\n"):
        raise InvalidInput("line endings are not CRLF", where="message", remedy="use compose()")
    known = frozenset(fields) - _OWN_FIELDS
    compiled = Compiled(structure, tracking, known & _used_fields(structure))
    if compiled.reason is None and not _agrees(compiled, structure, tracking):
        compiled.reason = Reason.VERIFICATION_FAILED
    return compiled


def _used_fields(structure: Structure) -> frozenset[str]:
    texts = [header.decoded for header in structure.headers]
    for part in structure.leaves:
        if part.type in ("text/plain", "text/html"):
            texts.append(decode_body(structure.body(part), part.encoding).decode("utf-8", "replace"))
    return frozenset(name for text in texts for name in _FIELD.findall(text))


def _split_headers(structure: Structure, fields: frozenset[str]) -> list[tuple[str, bytes, str | None]]:
    """Return name, bytes and, where a personal field stands in it, the template of each header."""
    message = structure.message
    return [
        (header.name, message[header.start : header.end], header.decoded if _holds_field(header, fields) else None)
        for header in structure.headers
    ]


def _holds_field(header: Header, fields: frozenset[str]) -> bool:
    return any(name in fields for name in _FIELD.findall(header.decoded))


def _value(found: re.Match[str], values: Values) -> str:
    return values.get(found.group(1), found.group())


# ── Filling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _fill(layout: _Layout, copy: _Copy) -> bytes:
    pieces = layout.pieces.copy()
    encode, tag = binascii.b2a_base64, copy.tag
    heads = {kind: base64.urlsafe_b64encode(head) for kind, head in copy.heads.items()}
    for position, kind in layout.heads:
        pieces[position] = heads[kind]
    for position, kind, suffix, remainder in layout.tails:
        letters = encode(remainder + tag(copy.heads[kind] + suffix), newline=False)
        pieces[position] = letters.translate(_URL_SAFE, b"=")
    for position, make in layout.others:
        pieces[position] = make(copy)
    return b"".join(pieces)


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


# ── Laying out ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Slot:
    """Decoded bytes from `start` to `end` give way to what `lay` writes into the layout."""

    start: int
    end: int
    lay: Callable[[_Layout], None]


class _LayoutMaker:
    """Lays out the body of one campaign for one pair of modes."""

    def __init__(self, structure: Structure, tracking: Tracking, fields: frozenset[str]) -> None:
        self.structure = structure
        self.tracking = replace(tracking, resolve=partial(_resolve_later, fields, tracking.resolve))
        self.fields = fields
        self.warnings: list[Caution] = []
        self.layout = _Layout()

    def make(self) -> _Layout:
        """Go through the body from its start, constant bytes and slots in turn."""
        position = self.structure.root.body_start
        for plan in plan_message(self.structure, self.tracking):
            if plan.text is not None:
                position = self._lay_part(plan, position)
        self.layout.pieces.append(self.structure.message[position:])
        return self.layout

    def _lay_part(self, plan: PartPlan, position: int) -> int:
        slots = sorted(self._slots(plan), key=lambda slot: slot.start)
        assert isinstance(plan.body, QuotedPrintable)
        message, offset = self.structure.message, plan.part.body_start
        for slot in slots:
            start, end = plan.body.span(slot.start, slot.end)
            self.layout.pieces.append(_line_closed(message[position : offset + start]))
            slot.lay(self.layout)
            position = offset + end
            following = message[position : position + 1]
            self.layout.pieces.append(_SOFT_BREAK)
            if following in (b".", b"-"):  # it begins a line now
                self.layout.pieces.append(b"=%02X" % following[0])
                position += 1
        return position

    def _slots(self, plan: PartPlan) -> list[_Slot]:
        assert plan.text is not None
        text = plan.text
        slots = [
            _Slot(text.offset(link.start), text.offset(link.end), partial(self._lay_link, link, plan.is_html))
            for link in plan.links
        ]
        taken = [(slot.start, slot.end) for slot in slots]
        for found in _FIELD_BYTES.finditer(text.data):
            name = found.group(1).decode("utf-8", "replace")
            if name in self.fields and not any(start <= found.start() < end for start, end in taken):
                slots.append(_Slot(found.start(), found.end(), partial(_lay_field, name, plan.is_html)))
        return slots + self._pixel_slot(plan)

    def _pixel_slot(self, plan: PartPlan) -> list[_Slot]:
        if not plan.takes_pixel or self.tracking.opens is TrackingMode.OFF or plan.scan is None or plan.text is None:
            return []
        span = pixel.find_logo(plan.text, self.tracking.logo) if self.tracking.logo else None
        if span is not None:
            return [_Slot(plan.text.offset(span[0]), plan.text.offset(span[1]), self._lay_logo)]
        if self.tracking.logo:
            self.warnings.append(Caution.LOGO_NOT_FOUND)
        grown = sum(len(self.tracking.base_url) + 60 + len(link.destination) // 3 for link in plan.links)
        is_clipped = len(plan.text.data) + grown > CLIPPED_AT
        position = pixel.place(plan.scan, near_top=is_clipped)
        if position is None:
            self.warnings.append(Caution.NO_PLACE_FOR_PIXEL)
            return []
        if is_clipped:
            self.warnings.append(Caution.CLIPPED)
        offset = plan.text.offset(position)
        return [_Slot(offset, offset, self._lay_pixel)]

    def _lay_pixel(self, layout: _Layout) -> None:
        before, after = pixel.pixel("\0").split("\0")
        route, ending = ROUTES[TokenKind.OPEN]
        column = _lay_constant(layout, f"{before}{self.tracking.base_url}{route}", 0)
        column = _lay_token(layout, TokenKind.OPEN, b"", column)
        _lay_constant(layout, ending + after, column)

    def _lay_logo(self, layout: _Layout) -> None:
        column = _lay_constant(layout, self.tracking.base_url + IMAGE_ROUTE, 0)
        _lay_token(layout, TokenKind.FILE, link_suffix(0, self.tracking.logo), column)

    def _lay_link(self, link: PlannedLink, is_html: bool, layout: _Layout) -> None:
        if (elsewhere := self.tracking.own_url(link.kind)) is not None:
            _lay_constant(layout, _written(elsewhere, is_html), 0)
        elif link.kind is TokenKind.CLICK and _FIELD.search(link.destination):
            make = partial(_personal_link, self.tracking.base_url, link, is_html)
            position = layout.slot()
            layout.others.append((position, make))
        else:
            suffix = link_suffix(link.index, link.destination) if link.kind is TokenKind.CLICK else b""
            column = _lay_constant(layout, self.tracking.base_url + ROUTES[link.kind][0], 0)
            _lay_token(layout, link.kind, suffix, column)


def _resolve_later(fields: frozenset[str], resolve: Callable[[str], str | None] | None, placeholder: str) -> str | None:
    """Leave our own fields in a destination for later; other placeholders are whoever's they were."""
    found = _FIELD.fullmatch(placeholder)
    if found and found.group(1) in fields:
        return Later(placeholder)
    return resolve(placeholder) if resolve else None


def _written(url: str, is_html: bool) -> str:
    return escape(url) if is_html else url


def _line_closed(constant: bytes) -> bytes:
    """Return constant bytes ending where a line begins; a line that is full is broken once more, for its `=`."""
    line = constant[constant.rfind(b"\n") + 1 :]
    if constant and not line:
        return constant
    if len(line) <= _ROOM:
        return constant + _SOFT_BREAK
    unit = 3 if line[-3:-2] == b"=" else 1
    return constant[:-unit] + _SOFT_BREAK + constant[-unit:] + _SOFT_BREAK


def _lay_constant(layout: _Layout, text: str, column: int) -> int:
    encoded, column = wrap_quoted_printable(text.encode("utf-8"), column, b"\r\n")
    layout.pieces.append(encoded)
    return column


def _lay_token(layout: _Layout, kind: TokenKind, suffix: bytes, column: int) -> int:
    """Lay a token: its head, the groups that never change, and its tail with the tag."""
    whole = len(suffix) // 3 * 3
    middle = base64.urlsafe_b64encode(suffix[:whole])
    remainder = suffix[whole:]
    column = _room_for(layout, _HEAD_CHARACTERS, column)
    layout.heads.append((layout.slot(), kind))
    if middle:
        column = _lay_constant(layout, middle.decode("ascii"), column)
    width = 16 + (len(remainder) and len(remainder) + 1)
    column = _room_for(layout, width, column)
    layout.tails.append((layout.slot(), kind, suffix, remainder))
    return column


def _room_for(layout: _Layout, width: int, column: int) -> int:
    if column + width <= _ROOM:
        return column + width
    layout.pieces.append(_SOFT_BREAK)
    return width


def _lay_field(name: str, is_html: bool, layout: _Layout) -> None:
    position = layout.slot()
    layout.others.append((position, partial(_personal_text, name, is_html)))


# ── Slots that hold personal fields ─────────────────────────────────────────────────────────────────────────────────


def _personal_text(name: str, is_html: bool, copy: _Copy) -> bytes:
    value = copy.values[name]
    lines = (escape(value) if is_html else value).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    return wrap_quoted_printable(lines.encode("utf-8", "replace"), 0, b"\r\n")[0]


def personal_destination(template: str, values: Values) -> str:
    """Put personal fields into a destination: at its beginning as they are, further in percent-encoded."""

    def put(found: re.Match[str]) -> str:
        value = values.get(found.group(1))
        if value is None:
            return found.group()
        return value if found.start() == 0 else quote(value, safe="", errors="replace")

    return _FIELD.sub(put, template)


def _personal_link(base_url: str, link: PlannedLink, is_html: bool, copy: _Copy) -> bytes:
    destination = personal_destination(link.destination, copy.values)
    if host_of(destination.strip()):
        signed = copy.heads[TokenKind.CLICK] + link_suffix(link.index, destination)
        token = base64.urlsafe_b64encode(signed + copy.tag(signed)).rstrip(b"=").decode("ascii")
        written = f"{base_url}{ROUTES[TokenKind.CLICK][0]}{token}"
    else:  # the field did not make a web address of it: the reader gets what the author meant, untracked
        written = _written(destination, is_html)
    return wrap_quoted_printable(written.encode("utf-8", "replace"), 0, b"\r\n")[0]


# ── Verifying ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _agrees(compiled: Compiled, structure: Structure, tracking: Tracking) -> bool:
    """Hold a sample copy, decoded, against what `instrument` makes of the same mail with the same values.

    The values are letters only, which are the same in HTML, in a URL and in text.
    """
    values = {name: f"Sample{number}" * 20 for number, name in enumerate(sorted(compiled.fields))}
    sample = compiled.render(tracking.message, values=values)
    reference = instrument(_personalised(structure, values), tracking)
    if reference.reason not in (None, Reason.NOTHING_TO_TRACK, Reason.TRACKING_OFF):
        return False
    return _decoded_parts(sample) == _decoded_parts(reference.message)


def _decoded_parts(message: bytes) -> list[bytes]:
    """Return every part decoded, the pixel put first: where it stands near the size at which Gmail clips may differ."""
    structure = parse(message)
    parts = [decode_body(structure.body(part), part.encoding) for part in structure.leaves]
    before, after = (re.escape(piece.encode("ascii")) for piece in pixel.pixel("\0").split("\0"))
    tag = re.compile(before + rb"[^\"]*" + after)
    return [b"".join(tag.findall(part)) + tag.sub(b"", part) for part in parts]


def _personalised(structure: Structure, values: Values) -> bytes:
    """Return the mail with the values put in, by decoding and encoding whole parts."""
    edits: list[Splice] = []
    for part in structure.leaves:
        if part.type in ("text/plain", "text/html") and part.encoding == "quoted-printable":
            old = structure.body(part)
            text = _FIELD.sub(lambda found: _value(found, values), decode_body(old, part.encoding).decode("utf-8"))
            new = encode_quoted_printable(text.encode("utf-8"))
            edits.append(Splice(part.body_start, part.end, old, new))
    return apply(structure.message, edits)
