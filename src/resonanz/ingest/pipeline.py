"""From hits to events: a literal list of steps, each looking at one hit and what is known around it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from resonanz.ingest.judge import identify, judge_now, judge_one, place_allowed
from resonanz.ingest.judge.folding import FOLDED_FOR_US, repeated_by
from resonanz.ingest.judging import Judging, evidence_of, judged_alone, matters_to_others, to_kept
from resonanz.ingest.own import NOTHING, Own
from resonanz.ingest.sources.edge import CHOICES, EVENT_KINDS, Draft, tracking_chosen
from resonanz.mail.sites import is_of
from resonanz.model import CONTINUED, EventKind, Hit, HitKind
from resonanz.store.events import First
from resonanz.store.standings import Standing


class DropReason(StrEnum):
    """Why a hit did not become an event."""

    UNKNOWN_MESSAGE = "unknown_message"
    NOT_AN_ACT = "not_an_act"  # a page was looked at; only a POST changes something
    NO_CHOICE = "no_choice"  # a wish that this version does not know
    NO_CONTACT = "no_contact"  # who chose was erased meanwhile: there is nobody to keep the choice of
    NO_CONSENT = "no_consent"
    NO_VISIT = "no_visit"  # a beacon that names no page
    VISIT_OVER = "visit_over"  # its click is too long ago
    FOREIGN_SITE = "foreign_site"  # a page of a site that is not (any more) one of the sender's own
    CONTINUED = "continued"  # an anonymous download went on; its beginning was counted, and nothing ties the two


@dataclass(slots=True)
class Surroundings:
    """What a batch of hits is seen against. `firsts` and `allowed` change as hits of the batch are taken in."""

    standings: Mapping[UUID, Standing]
    submissions: frozenset[UUID]
    allowed: dict[UUID, tuple[bool, bool]]
    firsts: dict[UUID, list[First]] = field(default_factory=dict)
    sites: frozenset[str] = frozenset()  # the sender's own; known where there is a beacon
    judging: Judging = field(default_factory=Judging)
    received_us: int = 0
    own: Own = NOTHING


Step = Callable[[Draft, Surroundings], DropReason | None]

# What tells that the mail was shown; everything else that needs consent tells that something in it was followed.
_SHOWN = frozenset({HitKind.OPEN, HitKind.VIEW})

# What a person does on one of our pages, by pressing a button. No consent is asked for it: it is how one is given.
_ACTS = frozenset({HitKind.UNSUBSCRIBE, HitKind.PREFERENCES})


def put_message(draft: Draft, around: Surroundings) -> DropReason | None:
    """Put in whose mail it was, if we know it; an anonymous hit is only of a submission."""
    if not draft.hit.anonymous:
        draft.standing = around.standings.get(draft.hit.id)
    return None


def drop_invalid(draft: Draft, around: Surroundings) -> DropReason | None:
    """Leave out what belongs to no mail of ours, and visits to pages that change nothing."""
    hit = draft.hit
    if hit.anonymous and _continues(hit):
        return DropReason.CONTINUED
    if hit.kind in _ACTS and (hit.method != "POST" or hit.anonymous):
        return DropReason.NOT_AN_ACT
    known = hit.id in around.submissions if hit.anonymous else draft.standing is not None
    if not known:
        return DropReason.UNKNOWN_MESSAGE
    further = _FURTHER.get(hit.kind)
    return further(draft, around) if further is not None else None


def _drop_choice(draft: Draft, _around: Surroundings) -> DropReason | None:
    if tracking_chosen(draft.hit) not in CHOICES:
        return DropReason.NO_CHOICE
    return DropReason.NO_CONTACT if draft.standing is None or draft.standing.contact_id is None else None


def _drop_visit(draft: Draft, around: Surroundings) -> DropReason | None:
    visit = draft.visit
    if visit is None:
        return DropReason.NO_VISIT
    if visit.is_over(draft.hit):
        return DropReason.VISIT_OVER
    return None if is_of(visit.host, around.sites) else DropReason.FOREIGN_SITE


_FURTHER = {HitKind.PREFERENCES: _drop_choice, HitKind.BEACON: _drop_visit}


def drop_without_consent(draft: Draft, around: Surroundings) -> DropReason | None:
    """Leave out what the contact does not allow (any more)."""
    hit = draft.hit
    if hit.anonymous or hit.kind in _ACTS:
        return None
    opens, clicks = around.allowed[hit.id]
    return None if (opens if hit.kind in _SHOWN else clicks) else DropReason.NO_CONSENT


def put_client(draft: Draft, _around: Surroundings) -> DropReason | None:
    """Put in which program asked; of who chooses how far to be seen, nothing but the choice is kept."""
    if draft.hit.kind is not HitKind.PREFERENCES:
        draft.identity = identify(draft.hit.user_agent)
    return None


def judge(draft: Draft, around: Surroundings) -> DropReason | None:
    """Put in who caused it, as far as can be said the moment it comes in; a choice is no evidence, it is in force.

    What only other hits can show comes later (`ingest.settle`): until then a click is pending.
    """
    hit = draft.hit
    if hit.kind is HitKind.PREFERENCES:
        return None
    draft.evidence = evidence = evidence_of(hit, around.judging, own=hit in around.own)
    draft.alone = alone = judged_alone(evidence, around.judging.silent)
    draft.judgement = judge_now(evidence, alone) if _settles(hit) else judge_one(evidence, alone)
    return None


def _settles(hit: Hit) -> bool:
    """Whether other hits are ever held against this one: not without names, and not what a script reports."""
    return not hit.anonymous and hit.kind is not HitKind.BEACON


def put_place(draft: Draft, around: Surroundings) -> DropReason | None:
    """Put in where somebody was, where that is already known to be somebody."""
    hit, judgement = draft.evidence, draft.judgement
    if hit is not None and judgement is not None and place_allowed(hit, judgement):
        draft.place = around.judging.place_of(hit.address)
    return None


def fold_repeats(draft: Draft, around: Surroundings) -> DropReason | None:
    """Put in which earlier event this one repeats, or make it one that others may repeat."""
    if draft.hit.anonymous or draft.judgement is None:
        return None
    earlier = around.firsts.get(draft.hit.id)
    if earlier is None:
        earlier = around.firsts[draft.hit.id] = []
    this = First(
        draft.id,
        draft.hit.id,
        EVENT_KINDS[draft.hit.kind],
        draft.hit.link,
        draft.judgement.verdict,
        draft.hit.occurred_us,
        draft.visit.about if draft.visit is not None else "",
    )
    alike = [first for first in earlier if first.about == this.about] if this.about else earlier
    first = repeated_by(this, alike, continues=_continues(draft.hit))
    if first is None:
        earlier.append(this)
    else:
        draft.repeat_of = first.id
    return None


def keep_evidence(draft: Draft, around: Surroundings) -> DropReason | None:
    """Put in what must be kept of who asked until the verdict is settled. Without names, nothing is."""
    hit, evidence, judging = draft.hit, draft.evidence, around.judging
    if evidence is None or not _settles(hit) or not (judging.keep or matters_to_others(evidence, draft.alone)):
        return None
    if draft.repeat_of is None or judging.few_repeats.lets(hit.id, hit.occurred_us):
        draft.kept = to_kept(evidence, draft.id, hit, around.received_us, judging.windows)
    else:  # nothing will come back to it
        draft.judgement = judge_one(evidence, draft.alone)
    return None


def span_folded(kind: EventKind, hits: Collection[Hit]) -> tuple[int, int] | None:
    """Return between which moments (microseconds) these hits' firsts may have occurred, None where that is any time."""
    window = FOLDED_FOR_US[kind]
    if window is None or any(_continues(hit) for hit in hits):
        return None
    moments = [hit.occurred_us for hit in hits]
    return min(moments) - window, max(moments) + window


def _continues(hit: Hit) -> bool:
    return hit.kind is HitKind.FILE and hit.body == CONTINUED


STEPS: tuple[Step, ...] = (
    put_message,
    drop_invalid,
    drop_without_consent,
    put_client,
    judge,
    put_place,
    fold_repeats,
    keep_evidence,
)
