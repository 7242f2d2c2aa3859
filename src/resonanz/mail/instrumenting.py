"""Instrumenting one mail: links rewritten, a pixel added, every other byte as it was."""

from __future__ import annotations

from dataclasses import replace

from resonanz.mail import lines, pixel
from resonanz.mail.gate import refuse_message
from resonanz.mail.plan import PartPlan, PlannedLink, plan_message
from resonanz.mail.routes import Routes
from resonanz.mail.structure import Structure, parse
from resonanz.mail.tracking import (
    CLIPPED_AT,
    Caution,
    Instrumented,
    Link,
    LinkReason,
    PartReport,
    Reason,
    Tracking,
    Untracked,
)
from resonanz.mail.transfer import Edit, Splice, apply
from resonanz.mail.verify import is_faithful
from resonanz.model import Coverage, TrackingMode
from resonanz.tokens import TokenKind


def instrument(message: bytes, tracking: Tracking) -> Instrumented:
    """Track one whole RFC 5322 message. Never raises; on any doubt it comes back as it was, with the reason."""
    try:
        return _instrument(parse(message), tracking)
    except Exception:  # a defect of ours must never cost the mail
        return Instrumented(message, False, Reason.INTERNAL_FAILURE)


def instrument_html(html: bytes, tracking: Tracking, *, charset: str | None = None) -> Instrumented:
    """Track one HTML document without a message around it; `charset` is what would stand in its Content-Type."""
    try:
        return _instrument(html_structure(html, charset), tracking)
    except Exception:  # as above
        return Instrumented(html, False, Reason.INTERNAL_FAILURE)


def html_structure(html: bytes, charset: str | None) -> Structure:
    """Return a structure of one part without headers whose body is the document."""
    structure = parse(b"")
    part = structure.root
    part.type, part.encoding, part.end = "text/html", "binary", len(html)
    part.parameters = {"charset": charset} if charset else {}
    eol = b"\r\n" if b"\r\n" in html else b"\n"
    return Structure(html, part, (part,), False, eol)


def _instrument(structure: Structure, tracking: Tracking) -> Instrumented:
    reason = refuse_message(structure, tracking)
    if reason is not None:
        return Instrumented(structure.message, False, reason)
    plans = plan_message(structure, tracking)
    work = _Work(structure, tracking)
    reports = [work.change(plan) for plan in plans]
    splices = sorted((*work.splices, *_removed_signatures(structure))) if work.splices else []
    result = Instrumented(
        apply(structure.message, splices),
        bool(splices) and not tracking.is_off,
        None if splices and not tracking.is_off else _nothing_done(tracking, reports),
        tuple(reports),
        tuple(splices),
        _coverage(reports, work.warnings),
        tuple(work.warnings),
    )
    if tracking.verify and splices and not is_faithful(structure, plans, result, tracking):
        return Instrumented(structure.message, False, Reason.VERIFICATION_FAILED)
    return result


def _nothing_done(tracking: Tracking, reports: list[PartReport]) -> Reason:
    if tracking.is_off:
        return Reason.TRACKING_OFF
    telling = (Reason.DAMAGED_ENCODING, Reason.UNUSABLE_CHARSET)
    return next((report.reason for report in reports if report.reason in telling), None) or Reason.NOTHING_TO_TRACK


def _coverage(reports: list[PartReport], warnings: list[Caution]) -> Coverage:
    if Caution.CLIPPED in warnings:
        return Coverage.CLIPPED_RISK
    if any(report.pixel for report in reports):
        return Coverage.TRACKABLE
    if any(report.links and report.type == "text/html" for report in reports):
        return Coverage.TRACKABLE
    return Coverage.TEXT_ONLY if any(report.links for report in reports) else Coverage.NOT_TRACKED


def _removed_signatures(structure: Structure) -> list[Splice]:
    """The gate let only signatures through that are made anew; the old ones would be broken."""
    block = structure.root.block
    fields = block.all("DKIM-Signature") + block.all("DomainKey-Signature")
    return [Splice(field.start, field.end, structure.message[field.start : field.end], b"") for field in fields]


class _Work:
    """The changes of one message as they are made, part after part."""

    def __init__(self, structure: Structure, tracking: Tracking) -> None:
        self.structure = structure
        self.tracking = tracking
        self.routes = Routes(tracking)
        self.splices: list[Splice] = []
        self.warnings: list[Caution] = []

    def change(self, plan: PartPlan) -> PartReport:
        """Turn a plan into splices and say what was done."""
        part = plan.part
        report = PartReport(part.path, part.type, part.charset or "", reason=plan.reason)
        if plan.text is None or plan.body is None:
            return report
        report = replace(report, charset=plan.text.charset, untracked=tuple(plan.untracked))
        changes = [lines.Change(*self._span(plan, link.start, link.end), self._url(link), link) for link in plan.links]
        changes += self._image(plan, changes)
        changes.sort(key=lambda change: (change.start, change.end))
        fitting, overlong = lines.fit(plan.body.decoded, changes, part.encoding, plan.text.unit, self.structure.eol)
        edits = [Edit(change.start, change.end, plan.text.write(change.new)) for change in fitting]
        offset = part.body_start
        self.splices += [
            Splice(start + offset, end + offset, original, new)
            for start, end, original, new in plan.body.splices(edits)
        ]
        links = tuple(_link(change) for change in fitting if change.link is not None)
        image = next((change.new for change in fitting if change.link is None), None)
        left = (*plan.untracked, *(Untracked(link.original, LinkReason.TOO_LONG) for link in overlong))
        return replace(report, links=links, untracked=left, pixel=image)

    def _span(self, plan: PartPlan, start: int, end: int) -> tuple[int, int]:
        assert plan.text is not None
        return plan.text.offset(start), plan.text.offset(end)

    def _url(self, link: PlannedLink) -> str:
        if link.kind is TokenKind.CLICK:
            return self.routes.click(link.index, link.destination)
        if link.kind is TokenKind.UNSUBSCRIBE:
            return self.tracking.unsubscribe_url or self.routes.unsubscribe()
        return self.tracking.preferences_url or self.routes.preferences()

    def _image(self, plan: PartPlan, changes: list[lines.Change]) -> list[lines.Change]:
        """The logo's or the pixel's change, if this part is to carry the open token."""
        if not plan.takes_pixel or self.tracking.opens is TrackingMode.OFF or plan.text is None or plan.scan is None:
            return []
        if self.tracking.logo:
            span = pixel.find_logo(plan.text, self.tracking.logo)
            if span is not None:
                return [lines.Change(*self._span(plan, *span), self.routes.image(self.tracking.logo), None)]
            self.warnings.append(Caution.LOGO_NOT_FOUND)
        tag = pixel.pixel(self.routes.open())
        grown = sum(len(change.new) * plan.text.unit - change.end + change.start for change in changes)
        is_clipped = len(plan.text.data) + grown + len(tag) * plan.text.unit > CLIPPED_AT
        position = pixel.place(plan.scan, near_top=is_clipped)
        if position is None:
            self.warnings.append(Caution.NO_PLACE_FOR_PIXEL)
            return []
        if is_clipped:
            self.warnings.append(Caution.CLIPPED)
        offset = plan.text.offset(position)
        return [lines.Change(offset, offset, tag, None)]


def _link(change: lines.Change) -> Link:
    link = change.link
    assert link is not None
    return Link(link.index, link.original, link.destination, change.url, change.new, link.text, link.kind)
