"""The page of whoever runs the instance: hits, journals, ingest, queue and roles, as the last look found them."""

from __future__ import annotations

from starlette.responses import Response

from resonanz.dashboard import chart
from resonanz.dashboard.visit import Visit

_DROPS = {
    "unknown_message": "Mail that is not known here",
    "not_an_act": "A page was looked at, nothing was done",
    "no_choice": "A wish that this version does not know",
    "no_contact": "A choice of somebody who was erased",
    "no_consent": "No consent to be recorded",
    "continued": "A download went on (counted once)",
    "set_aside": "Set aside: could not be turned into an event",
}


def show(visit: Visit) -> Response:
    """The page, or the part of it that is asked for again and again."""
    seen = visit.parts.operations()
    drops = None if seen.drops is None else [(_DROPS.get(reason, reason), n) for reason, n in seen.drops.items() if n]
    return visit.render(
        "_operations.html" if visit.part else "operations.html",
        seen=seen,
        spark=chart.spark(seen.history),
        drops=drops,
    )


def show_alarms(visit: Visit) -> Response:
    """The banner of every page; empty as long as hits can be stored."""
    return visit.render("_alarms.html")
