"""Holding a result against its input: decoded again, by other means than those that made it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from resonanz.mail.changes import Change, What
from resonanz.mail.charset import Text, UnusableCharset, open_text
from resonanz.mail.markup import scan
from resonanz.mail.references import resolve_references
from resonanz.mail.structure import Part, Structure, parse
from resonanz.mail.tracking import Instrumented, Tracking
from resonanz.mail.transfer import DamagedEncoding, Edit, decode_body, undo
from resonanz.model import ResonanzError
from resonanz.tokens import TokenKind, head, link_in, verify

if TYPE_CHECKING:
    from resonanz.mail.instrumenting import Done

_CLICKS = (head(TokenKind.CLICK), head(TokenKind.CLICK, anonymous=True))
_SIGNATURES = ("dkim-signature", "domainkey-signature")


def is_faithful(
    before: Structure, done: Sequence[Done], removed: Sequence[Part], result: Instrumented, tracking: Tracking
) -> bool:
    """Tell whether the result says the same as the input but for what was changed on purpose.

    Checked: undoing gives the input; headers and structure are the same; parts that were not changed are equal byte for
    byte; changed parts, decoded again, differ only by the changes; an HTML part scanned again has the same links at the
    same places; every destination is in its token.
    """
    if undo(result.message, result.splices) != before.message:
        return False
    after = _parts_after(before, result)
    stayed = [step for step in done if not any(step.plan.part is part for part in removed)]
    return (
        after is not None
        and len(after) == len(stayed)
        and all(
            _is_part_faithful(before, step, result.message, part, tracking)
            for step, part in zip(stayed, after, strict=True)
        )
    )


def _parts_after(before: Structure, result: Instrumented) -> Sequence[Part] | None:
    """Parse the result anew; None when its headers are not those of the input. A bare document keeps its one part."""
    if before.is_document:
        root = before.root
        return [Part(root.path, root.block, 0, len(result.message), root.type, root.parameters, root.encoding)]
    after = parse(result.message)
    return after.leaves if _kept_headers(before) == _kept_headers(after) else None


def _kept_headers(structure: Structure) -> list[tuple[str, bytes]]:
    return [(found.name, found.raw) for found in structure.headers if found.name.lower() not in _SIGNATURES]


def _is_part_faithful(before: Structure, step: Done, message: bytes, after: Part, tracking: Tracking) -> bool:
    part = step.plan.part
    old, new = before.body(part), message[after.body_start : after.end]
    if (part.type, part.encoding, part.charset) != (after.type, after.encoding, after.charset):
        return False
    if not step.edits or step.plan.text is None:
        return old == new
    try:
        decoded = decode_body(new, part.encoding)
        text = open_text(decoded, part.charset, markup=step.plan.is_html)
    except (DamagedEncoding, UnusableCharset):
        return False
    if text.charset != step.plan.text.charset and not decoded.isascii():  # a guess that the changes turned
        return False
    if decoded != _applied(step.plan.text.data, step.edits):
        return False
    return _do_links_agree(step, text, tracking)


def _applied(data: bytes, edits: Sequence[Edit]) -> bytes:
    pieces: list[bytes] = []
    position = 0
    for start, end, new in edits:
        pieces += (data[position:start], new)
        position = end
    return b"".join((*pieces, data[position:]))


def _do_links_agree(step: Done, text: Text, tracking: Tracking) -> bool:
    """Read every link out of the new markup, and what its token says."""
    expected = {start: change for start, change in _new_places(step, text) if change.what is What.LINK}
    if step.plan.is_html:
        found = scan(text.mask)
        places = [element.values[b"href"] for element in found.links]
        block = sum(change.new.count("<a ") for change in step.changes if change.what is What.DOCUMENTS)
        if step.plan.scan is None or len(places) != len(step.plan.scan.links) + block:
            return False
        spans = dict(places)
        if not expected.keys() <= spans.keys():
            return False
        values = {start: text.read(start, spans[start]) for start in expected}
    else:
        values = {start: text.read(start, start + len(change.new)) for start, change in expected.items()}
    return all(_leads_home(values[start], change, tracking) for start, change in expected.items())


def _new_places(step: Done, text: Text) -> list[tuple[int, Change]]:
    """Return where each change stands in the new mask."""
    places: list[tuple[int, Change]] = []
    shift = 0
    for change, edit in zip(step.changes, step.edits, strict=True):
        places.append(((edit.start + shift - text.skip) // text.unit, change))
        shift += len(edit.new) - (edit.end - edit.start)
    return places


def _leads_home(value: str | None, change: Change, tracking: Tracking) -> bool:
    link = change.link
    if value is None or link is None or value != change.new or resolve_references(value).strip() != change.url:
        return False
    if link.kind is not TokenKind.CLICK:
        return True
    try:
        signed = verify(tracking.keys, change.url.rpartition("/")[2])
        return signed[0] in _CLICKS and link_in(signed) == (link.index, link.destination)
    except ResonanzError:
        return False
