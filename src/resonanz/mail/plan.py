"""What is to be changed in one part, before any token exists: the same plan serves one mail or a whole campaign."""

from __future__ import annotations

from dataclasses import dataclass, field

from resonanz.mail import links as link_rules
from resonanz.mail import plaintext
from resonanz.mail.charset import Text, UnusableCharset, open_text
from resonanz.mail.gate import refuse_part
from resonanz.mail.markup import MAX_LINKS, Element, Scan, scan
from resonanz.mail.readable import text_of
from resonanz.mail.structure import Part, Structure
from resonanz.mail.tracking import LinkReason, Reason, Tracking, Untracked
from resonanz.mail.transfer import Body, DamagedEncoding, open_body
from resonanz.model import TrackingMode
from resonanz.tokens import TokenKind

MAX_MARKUP = 10_000_000  # bytes of one part, decoded
MAX_LINK_TEXT = 4000  # bytes of markup looked at for what one link says


@dataclass(slots=True)
class PlannedLink:
    """One attribute value (or URL in text) to be replaced: its place in the mask, and where it leads."""

    start: int
    end: int
    original: str
    destination: str
    kind: TokenKind
    text: str
    index: int = 0


@dataclass(slots=True)
class PartPlan:
    """What was found in one leaf. `reason` says why there is nothing to change in it."""

    part: Part
    reason: Reason | None = None
    body: Body | None = None
    text: Text | None = None
    scan: Scan | None = None
    links: list[PlannedLink] = field(default_factory=list)
    untracked: list[Untracked] = field(default_factory=list)
    takes_pixel: bool = False

    @property
    def is_html(self) -> bool:
        """Whether the part is HTML."""
        return self.part.type == "text/html"


def plan_message(structure: Structure, tracking: Tracking) -> list[PartPlan]:
    """Plan every leaf of a message that may be touched. Indices count HTML parts first, so that they stay the same
    whether links in text are tracked or not."""
    policy = link_rules.Policy(tracking, declared_unsubscribes(structure))
    plans = [plan_part(structure, part, tracking, policy) for part in structure.leaves]
    number(plans)
    _choose_pixel_part(plans)
    return plans


def declared_unsubscribes(structure: Structure) -> frozenset[str]:
    """Return the addresses of the List-Unsubscribe header (RFC 2369)."""
    values = structure.header_all("List-Unsubscribe")
    return frozenset(piece.strip(" \t<>") for value in values for piece in value.split(","))


def number(plans: list[PartPlan]) -> None:
    """Give every link that is counted its index."""
    ordered = [plan for plan in plans if plan.is_html] + [plan for plan in plans if not plan.is_html]
    index = 0
    for plan in ordered:
        for link in plan.links:
            if link.kind is TokenKind.CLICK:
                link.index = index
                index += 1


def _choose_pixel_part(plans: list[PartPlan]) -> None:
    """One pixel a mail: in the first HTML part that is shown; of several alternatives the last one is."""
    candidates = [plan for plan in plans if plan.is_html and plan.reason is None]
    if not candidates:
        return
    parent = candidates[0].part.parent
    if parent is not None and parent.type == "multipart/alternative":
        candidates = [plan for plan in candidates if plan.part.parent is parent][-1:]
    candidates[0].takes_pixel = True


def plan_part(structure: Structure, part: Part, tracking: Tracking, policy: link_rules.Policy) -> PartPlan:
    """Decode one leaf and find what is to be changed in it."""
    plan = PartPlan(part, refuse_part(part))
    if plan.reason is not None:
        return plan
    try:
        plan.body = open_body(structure.body(part), part.encoding, structure.eol)
        if len(plan.body.decoded) > MAX_MARKUP:
            plan.reason, plan.body = Reason.TOO_LARGE, None
            return plan
        plan.text = open_text(plan.body.decoded, part.charset, markup=plan.is_html)
    except DamagedEncoding:
        plan.reason = Reason.DAMAGED_ENCODING
    except UnusableCharset:
        plan.reason = Reason.UNUSABLE_CHARSET
    else:
        if plan.is_html:
            _plan_html(plan, plan.text, policy)
        else:
            _plan_text(plan, plan.text, policy, tracking)
    return plan


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _plan_html(plan: PartPlan, text: Text, policy: link_rules.Policy) -> None:
    plan.scan = scan(text.mask)
    if plan.scan.is_endless:
        plan.reason, plan.body, plan.text = Reason.TOO_LARGE, None, None
        return
    base = _base_url(text, plan.scan)
    found = plan.scan.links
    for element, following in zip(found, [*found[1:], None], strict=False):
        limit = following.start if following else len(text.mask)
        _plan_element(plan, text, element, min(limit, element.end + MAX_LINK_TEXT), base, policy)


def _base_url(text: Text, found: Scan) -> str:
    written = text.read(*found.base.values[b"href"]) if found.base else None
    return link_rules.base_of(written) if written else ""


def _plan_element(
    plan: PartPlan, text: Text, element: Element, limit: int, base: str, policy: link_rules.Policy
) -> None:
    start, end = element.values[b"href"]
    written = text.read(start, end)
    if written is None:
        plan.untracked.append(Untracked(text.read_leniently(start, end), LinkReason.UNDECODABLE))
        return

    def marker(name: bytes) -> str | None:
        span = element.values.get(name)
        return None if span is None else text.read_leniently(*span)

    said = _Said(text, element, limit)
    decision = policy.judge(written, base=base, markers=marker, text=said)
    if decision.reason is None and not _is_clickable(element):
        decision = link_rules.Decision(reason=LinkReason.NOT_CLICKABLE)
    if decision.reason is not None:
        plan.untracked.append(Untracked(written, decision.reason))
    else:
        plan.links.append(PlannedLink(start, end, written, decision.destination, decision.kind, said()))


def _is_clickable(element: Element) -> bool:
    """In MSO comments, what is clicked is `<a>`, `<area>` and the shapes of VML."""
    return not element.is_conditional or element.name in (b"a", b"area") or b":" in element.name


class _Said:
    """What a reader sees of a link, read once and only when somebody asks."""

    def __init__(self, text: Text, element: Element, limit: int) -> None:
        self._text = text
        self._element = element
        self._limit = limit
        self._said: str | None = None

    def __call__(self) -> str:
        if self._said is None:
            self._said = self._read()
        return self._said

    def _read(self) -> str:
        element, mask = self._element, self._text.mask
        if element.name == b"area":
            span = element.values.get(b"alt")
            return self._text.read_leniently(*span) if span else ""
        needles = (b"</" + element.name, b"</" + element.name.upper())
        ends = [mask.find(needle, element.end, self._limit) for needle in needles]
        end = min((found for found in ends if found >= 0), default=self._limit)
        return text_of(self._text.read_leniently(element.end, end))


# ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _plan_text(plan: PartPlan, text: Text, policy: link_rules.Policy, tracking: Tracking) -> None:
    found = plaintext.find_own(text.mask)
    if tracking.text_links and tracking.clicks is not TrackingMode.OFF:
        found = sorted((*found, *plaintext.find_links(text.mask)))
    elif not found:
        plan.reason = Reason.TEXT_LINKS_OFF
    if len(found) > MAX_LINKS:
        plan.reason, plan.body, plan.text = Reason.TOO_LARGE, None, None
        return
    for start, end in found:
        written = text.read(start, end)
        if written is None:
            plan.untracked.append(Untracked(text.read_leniently(start, end), LinkReason.UNDECODABLE))
            continue
        # `&` means itself in text: written as a reference, it survives the judging as an attribute value.
        decision = policy.judge(written.replace("&", "&amp;"), markers=lambda _: None, text=lambda: "")
        if decision.reason is not None:
            plan.untracked.append(Untracked(written, decision.reason))
        else:
            plan.links.append(PlannedLink(start, end, written, decision.destination, decision.kind, ""))
