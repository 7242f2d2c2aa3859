"""Instrumenting one mail: links rewritten, a pixel added, every other byte as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from resonanz.mail import documents, pixel
from resonanz.mail.changes import Change, What, edits, fit, turns_guess
from resonanz.mail.documents import Document
from resonanz.mail.gate import refuse_message
from resonanz.mail.plan import PartPlan, PlannedLink, plan_message
from resonanz.mail.references import escape
from resonanz.mail.routes import Routes
from resonanz.mail.structure import Part, Structure, parse
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


def instrument(message: bytes, tracking: Tracking, *, structure: Structure | None = None) -> Instrumented:
    """Track one whole RFC 5322 message. Never raises; on any doubt it comes back as it was, with the reason. Whoever
    has parsed it already hands in its `structure`."""
    try:
        return instrument_structure(structure or parse(message), tracking)
    except Exception:  # a defect of ours must never cost the mail
        return Instrumented(message, False, Reason.INTERNAL_FAILURE)


def instrument_html(html: bytes, tracking: Tracking, *, charset: str | None = None) -> Instrumented:
    """Track one HTML document without a message around it; `charset` is what would stand in its Content-Type."""
    try:
        return instrument_structure(html_structure(html, charset), tracking)
    except Exception:  # as above
        return Instrumented(html, False, Reason.INTERNAL_FAILURE)


def html_structure(html: bytes, charset: str | None) -> Structure:
    """Return a structure of one part without headers whose body is the document."""
    part = parse(b"").root
    part.type, part.encoding, part.end = "text/html", "binary", len(html)
    part.parameters = {"charset": charset} if charset else {}
    return Structure(html, part, (part,), False, b"\r\n" if b"\r\n" in html else b"\n", is_document=True)


def instrument_structure(structure: Structure, tracking: Tracking) -> Instrumented:
    """Do the work: look whether it may be touched, plan, change, and hold the result against the input."""
    reason = refuse_message(structure, tracking)
    if reason is not None:
        return Instrumented(structure.message, False, reason)
    work = Work(structure, tracking, plan_message(structure, tracking))
    work.run()
    result = work.result()
    if tracking.verify and result.splices and not is_faithful(structure, work.done, work.removed, result, tracking):
        return Instrumented(structure.message, False, Reason.VERIFICATION_FAILED)
    return result


@dataclass(frozen=True, slots=True)
class Done:
    """What was done in one part: its plan, the changes that fitted, and the same as edits of its decoded bytes."""

    plan: PartPlan
    changes: Sequence[Change] = ()
    edits: Sequence[Edit] = ()
    report: PartReport = field(default_factory=lambda: PartReport("", "", ""))


class Work:
    """The changes of one message as they are made, part after part."""

    def __init__(self, structure: Structure, tracking: Tracking, plans: Sequence[PartPlan]) -> None:
        self.structure = structure
        self.tracking = tracking
        self.plans = plans
        self.routes = Routes(tracking)
        self.done: list[Done] = []
        self.splices: list[Splice] = []
        self.warnings: list[Caution] = []
        self.removed: list[Part] = []
        self.documents: list[Document] = []

    def run(self) -> None:
        """Make every change."""
        self._take_documents()
        self.done = [self._change(plan) for plan in self.plans]
        if self.splices:
            self.splices += _removed_signatures(self.structure)
        self.splices.sort()

    def result(self) -> Instrumented:
        """Say what came of it."""
        reports = [done.report for done in self.done]
        tracked = bool(self.splices) and not self.tracking.is_off
        return Instrumented(
            apply(self.structure.message, self.splices),
            tracked,
            None if tracked else _nothing_done(self.tracking, reports),
            tuple(reports),
            tuple(self.splices),
            self._coverage(reports),
            tuple(self.warnings),
            tuple(self.documents),
        )

    def _coverage(self, reports: Sequence[PartReport]) -> Coverage:
        if Caution.CLIPPED in self.warnings:
            return Coverage.CLIPPED_RISK
        counted = [report for report in reports if report.pixel or any(map(_is_counted, report.links))]
        if not counted:
            return Coverage.NOT_TRACKED
        return Coverage.TRACKABLE if any(report.type == "text/html" for report in counted) else Coverage.TEXT_ONLY

    # ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_documents(self) -> None:
        """Take chosen attachments out, if there is a part in which links can stand for them."""
        wanted = self.tracking.documents
        if wanted is None or self.tracking.clicks is TrackingMode.OFF or not self._block_parts():
            return
        links = sum(link.kind is TokenKind.CLICK for plan in self.plans for link in plan.links)
        for number, (part, content) in enumerate(documents.choose(self.structure, wanted), 1):
            index = links + number - 1
            self.documents.append(documents.document(index, number, part, content, self.routes.file))
            self.removed.append(part)
            self.splices.append(documents.removal(self.structure, part))

    def _block_parts(self) -> list[PartPlan]:
        """The parts a reader may see first: the one with the pixel's place, and the first text part."""
        texts = [plan for plan in self.plans if not plan.is_html and plan.text is not None and plan.text.mask.strip()]
        return [plan for plan in self.plans if plan.takes_pixel and plan.text and _has_place(plan)] + texts[:1]

    def _block(self, plan: PartPlan) -> list[Change]:
        if not self.documents or plan not in self._block_parts() or plan.text is None:
            return []
        if plan.is_html:
            assert plan.scan is not None
            assert plan.scan.image_end is not None
            offset = plan.text.offset(plan.scan.image_end)
            return [Change(offset, offset, documents.html_block(self.documents), What.DOCUMENTS)]
        offset = plan.text.offset(len(plan.text.mask))
        block = documents.text_block(self.documents, self.structure.eol.decode("ascii"))
        return [Change(offset, offset, block, What.DOCUMENTS)]

    # ── One part ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _change(self, plan: PartPlan) -> Done:
        """Turn a plan into splices and say what was done."""
        part = plan.part
        if plan.text is None or plan.body is None:
            return Done(plan, report=PartReport(part.path, part.type, part.charset or "", reason=plan.reason))
        changes = [self._link_change(plan, link) for link in plan.links]
        changes += self._block(plan)
        changes += self._image(plan, changes)
        changes.sort(key=lambda change: (change.start, change.end, change.what.value * -1))
        fitting, overlong = fit(plan, changes, self.structure.eol)
        made = edits(plan, fitting)
        if plan.text.is_guess and turns_guess(plan.text, made):
            return Done(plan, report=PartReport(part.path, part.type, "", reason=Reason.UNUSABLE_CHARSET))
        offset = part.body_start
        self.splices += [
            Splice(start + offset, end + offset, original, new) for start, end, original, new in plan.body.splices(made)
        ]
        left = (*plan.untracked, *(Untracked(link.original, LinkReason.TOO_LONG) for link in overlong))
        links = tuple(_link(change) for change in fitting if change.what is What.LINK)
        image = next((change.new for change in fitting if change.what is What.IMAGE), None)
        report = PartReport(part.path, part.type, plan.text.charset, links, left, image, plan.reason)
        return Done(plan, fitting, made, report)

    def _link_change(self, plan: PartPlan, link: PlannedLink) -> Change:
        assert plan.text is not None
        url = self._url(link)
        new = escape(url) if plan.is_html else url
        return Change(plan.text.offset(link.start), plan.text.offset(link.end), new, What.LINK, link, url)

    def _url(self, link: PlannedLink) -> str:
        if link.kind is TokenKind.CLICK:
            return self.routes.click(link.index, link.destination)
        return self.tracking.own_url(link.kind) or self.routes.own(link.kind)

    def _image(self, plan: PartPlan, changes: Sequence[Change]) -> list[Change]:
        """Return the logo's or the pixel's change, if this part is to carry the open token."""
        if not plan.takes_pixel or self.tracking.opens is TrackingMode.OFF or plan.text is None:
            return []
        if self.tracking.logo:
            span = pixel.find_logo(plan.text, self.tracking.logo)
            if span is not None:
                start, end = (plan.text.offset(position) for position in span)
                return [Change(start, end, self.routes.image(self.tracking.logo), What.IMAGE)]
            self.warnings.append(Caution.LOGO_NOT_FOUND)
        return self._pixel(plan, changes)

    def _pixel(self, plan: PartPlan, changes: Sequence[Change]) -> list[Change]:
        assert plan.text is not None
        assert plan.scan is not None
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
        return [Change(offset, offset, tag, What.IMAGE)]


def _has_place(plan: PartPlan) -> bool:
    return plan.scan is not None and plan.scan.image_end is not None


def _is_counted(link: Link) -> bool:
    return link.kind is TokenKind.CLICK


def _link(change: Change) -> Link:
    link = change.link
    assert link is not None
    return Link(link.index, link.original, link.destination, change.url, change.new, link.text, link.kind)


def _nothing_done(tracking: Tracking, reports: Sequence[PartReport]) -> Reason:
    if tracking.is_off:
        return Reason.TRACKING_OFF
    telling = (Reason.DAMAGED_ENCODING, Reason.UNUSABLE_CHARSET, Reason.TOO_LARGE)
    return next((report.reason for report in reports if report.reason in telling), None) or Reason.NOTHING_TO_TRACK


def _removed_signatures(structure: Structure) -> list[Splice]:
    """The gate let only signatures through that are made anew; the old ones would be broken."""
    block = structure.root.block
    fields = block.all("DKIM-Signature") + block.all("DomainKey-Signature")
    return [Splice(found.start, found.end, structure.message[found.start : found.end], b"") for found in fields]
