"""What a report shows of a mailing, on the page of a campaign and of any other submission."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from resonanz.dashboard.chart import draw_course
from resonanz.dashboard.summary import opened_at_most, summary, waiting
from resonanz.dashboard.visit import Visit, read_id
from resonanz.insight import Choice, course_of, results_of, usual_beside
from resonanz.store.campaigns import Campaign
from resonanz.store.results import Which


def report_of(visit: Visit, submission_id: UUID, campaign: Campaign | None = None) -> dict[str, Any] | None:
    """Return what the templates of a report are made of, or None when there is no such submission. Raises InvalidInput
    for a place in its list of recipients that is none."""
    choice = _choice(visit)
    results = results_of(visit.parts.database, submission_id, choice)
    if results is None:
        return None
    course = course_of(visit.parts.database, results.page, zone=visit.parts.zone, now=visit.now)
    with visit.parts.database.read() as tx:
        unknown = visit.parts.unknown_mode(tx)
        usual = usual_beside(tx, campaign) if campaign is not None else None
    return {
        "results": results,
        "page": results.page,
        "course": course,
        "chart": draw_course(course) if course is not None else None,
        "unknown": unknown,
        "usual": usual,
        "choice": choice,
        "kept": _kept(choice),
        "summary": summary(results, in_outbox=bool(visit.parts.outbox)),
        "waiting": waiting(results),
        "opened_at_most": opened_at_most(results),
    }


def _choice(visit: Visit) -> Choice:
    which = None
    with suppress(ValueError):
        which = Which(visit.query("who"))
    return Choice(which, read_id(visit.query("after"), where="after"))


def _kept(choice: Choice) -> str:
    """The choice as the part of an address that follows others: a live update shows the same recipients."""
    fields = {"who": choice.which.value if choice.which else "", "after": str(choice.after or "")}
    return "".join(f"&{urlencode({name: value})}" for name, value in fields.items() if value)
