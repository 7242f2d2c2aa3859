"""Holding a result against its input: decoded again, by other means than those that made it."""

from __future__ import annotations

from collections.abc import Sequence

from resonanz.mail.charset import Text, UnusableCharset, open_text
from resonanz.mail.plan import PartPlan
from resonanz.mail.structure import Part, Structure, parse
from resonanz.mail.tracking import Instrumented, Link, PartReport, Tracking
from resonanz.mail.transfer import DamagedEncoding, decode_body, undo
from resonanz.model import ResonanzError
from resonanz.tokens import TokenKind, read


def is_faithful(before: Structure, plans: Sequence[PartPlan], result: Instrumented, tracking: Tracking) -> bool:
    """Tell whether the result says the same as the input but for what the report lists.

    Checked: undoing gives the input; the structure is the same; parts that were not changed are equal byte for byte;
    changed parts, decoded again, are equal once the listed values are put back; every destination is in its token.
    """
    if undo(result.message, result.splices) != before.message:
        return False
    after_parts = _parts_after(before, result)
    if after_parts is None or len(after_parts) != len(plans):
        return False
    return all(
        _is_part_faithful(before, plan, report, result.message, part, tracking)
        for plan, report, part in zip(plans, result.parts, after_parts, strict=True)
    )


def _parts_after(before: Structure, result: Instrumented) -> Sequence[Part] | None:
    """Parse the result anew; a document without headers keeps its one part."""
    if not before.headers and before.root.encoding == "binary":
        root = before.root
        return [Part(root.path, root.block, 0, len(result.message), root.type, root.parameters, root.encoding)]
    after = parse(result.message)
    kept = [field for field in before.headers if field.name.lower() not in ("dkim-signature", "domainkey-signature")]
    now = [field for field in after.headers if field.name.lower() not in ("dkim-signature", "domainkey-signature")]
    same = [(field.name, field.raw) for field in kept] == [(field.name, field.raw) for field in now]
    return after.leaves if same else None


def _is_part_faithful(
    before: Structure, plan: PartPlan, report: PartReport, message: bytes, after: Part, tracking: Tracking
) -> bool:
    old, new = before.body(plan.part), message[after.body_start : after.end]
    if (plan.part.path, plan.part.type, plan.part.encoding) != (after.path, after.type, after.encoding):
        return False
    if not report.links and report.pixel is None:
        return old == new
    try:
        old_decoded, new_decoded = (decode_body(body, plan.part.encoding) for body in (old, new))
        text = open_text(new_decoded, plan.part.charset, markup=plan.is_html)
    except (DamagedEncoding, UnusableCharset):
        return False
    if plan.text is None or text.charset != plan.text.charset:
        return False
    return _put_back(text, report) == old_decoded and all(_leads_home(link, tracking) for link in report.links)


def _put_back(text: Text, report: PartReport) -> bytes | None:
    """Return the decoded bytes with every listed value replaced by its original and the image taken out."""
    data = text.data
    for new, original in _replaced(report):
        found = text.write(new)
        if data.count(found) != 1:
            return None
        data = data.replace(found, original.encode(text.charset))
    return data


def _replaced(report: PartReport) -> list[tuple[str, str]]:
    return [(link.replacement, link.original) for link in report.links] + ([(report.pixel, "")] if report.pixel else [])


def _leads_home(link: Link, tracking: Tracking) -> bool:
    if link.kind is not TokenKind.CLICK:
        return True
    try:
        token = read(tracking.keys, link.url.rpartition("/")[2])
    except ResonanzError:
        return False
    return (token.kind, token.link, token.destination) == (TokenKind.CLICK, link.index, link.destination)
