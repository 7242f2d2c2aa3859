"""Hits of the edge, on their way to becoming events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from resonanz.ingest.judge import JUDGE_VERSION, Evidence, Identity, Judgement
from resonanz.ingest.sources.site import Visit, read_visit
from resonanz.model import BLOCKED, Event, EventKind, Hit, HitKind, Place, from_microseconds
from resonanz.store.evidence import Kept
from resonanz.store.standings import Standing
from resonanz.store.text import storable

SOURCE = "edge"

EVENT_KINDS = {
    HitKind.OPEN: EventKind.OPENED,
    HitKind.CLICK: EventKind.CLICKED,
    HitKind.FILE: EventKind.DOWNLOADED,
    HitKind.UNSUBSCRIBE: EventKind.UNSUBSCRIBED,
    HitKind.PREFERENCES: EventKind.PREFERRED,
    HitKind.BEACON: EventKind.VISITED,
    HitKind.VIEW: EventKind.SHOWN,
}

_NOBODY = Identity()

CHOICES = frozenset({"off", "on"})  # what a preference hit may say of tracking


@dataclass(slots=True)
class Draft:
    """A hit while the pipeline's steps fill in what they find out. Mutable; lives for one batch."""

    hit: Hit
    id: int  # reserved for its event
    occurred_at: datetime
    standing: Standing | None = None
    identity: Identity = _NOBODY
    evidence: Evidence | None = None
    alone: Judgement | None = None  # what it says by itself
    judgement: Judgement | None = None
    kept: Kept | None = None  # of who asked, until the verdict is settled
    place: Place | None = None
    repeat_of: int | None = None
    visit: Visit | None = None  # what a beacon reports

    @classmethod
    def of(cls, hit: Hit, id: int) -> Draft:
        """Begin with a hit. Raises OverflowError for a time beyond every calendar."""
        if hit.kind is HitKind.OPEN and hit.link is not None:
            # The author's own image stood in for the pixel. Where it lies is no link that anybody followed.
            hit = replace(hit, link=None, destination="")
        visit = read_visit(hit) if hit.kind is HitKind.BEACON else None
        return cls(hit, id, from_microseconds(hit.occurred_us), visit=visit)


def to_event(draft: Draft, received_at: datetime) -> Event:
    """Return the fact that a finished draft stands for. The address and the user agent are not in it."""
    hit, standing, judgement = draft.hit, draft.standing, draft.judgement
    return Event(
        EVENT_KINDS[hit.kind],
        draft.occurred_at,
        received_at,
        SOURCE,
        "",
        draft.id,
        standing.id if standing is not None else None,
        standing.submission_id if standing is not None else hit.id,
        standing.recipient if standing is not None else "",
        judgement.verdict if judgement is not None else None,
        judgement.confidence if judgement is not None else None,
        judgement.reasons if judgement is not None else (),
        draft.identity.client if standing is not None and judgement is not None else None,
        draft.place,
        hit.link,
        _url(draft),
        draft.repeat_of,
        _detail(draft),
    )


def _url(draft: Draft) -> str:
    """Where a link led, or which page was visited; a document has no address that could be told."""
    if draft.visit is not None:
        return draft.visit.url
    return storable(draft.hit.destination) if draft.hit.kind is not HitKind.FILE else ""


def tracking_chosen(hit: Hit) -> str:
    """Return what a preference hit says of tracking: one of `CHOICES`, unless a newer edge wrote it."""
    return hit.body.partition(" ")[0]


def wording_seen(hit: Hit) -> str:
    """Return which wording of the page the choice was made before, as the edge names it."""
    return storable(hit.body.partition(" ")[2])


def _detail(draft: Draft) -> dict[str, object]:
    if draft.hit.kind is HitKind.PREFERENCES:
        return {"tracking": tracking_chosen(draft.hit)}
    detail: dict[str, object] = {"judge": JUDGE_VERSION} if draft.judgement is not None else {}
    if draft.judgement is not None and draft.evidence is not None and draft.evidence.network is not None:
        detail["network"] = draft.evidence.network.kind.value  # the class alone: the address is forgotten
    if draft.hit.body == BLOCKED:
        detail["blocked"] = True
    if draft.visit is not None:
        detail |= draft.visit.detail
    if draft.hit.kind is HitKind.FILE:
        detail["document"] = storable(draft.hit.destination)  # the key of its content
    return detail
