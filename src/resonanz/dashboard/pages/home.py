"""The home page: what happened today."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from resonanz.dashboard import chart
from resonanz.dashboard.visit import Visit
from resonanz.insight import Day, activity, today
from resonanz.model import EventKind, Who
from resonanz.store import events, messages

FEED = 30


def show(visit: Visit) -> Response:
    """Today's counts, its hours, and what happened last; `part` is `counts` or `feed`."""
    parts = visit.parts
    position = 0 if visit.part else _position(visit)
    if visit.part == "feed":
        return visit.render("_feed.html", feed=activity(parts.database, FEED))
    answer = today(parts.database, now=visit.now, timezone=parts.zone)
    counts: dict[str, Any] = {
        "figures": _figures(answer.today),
        "machine": _machine(answer.today),
        "yesterday": _figures(answer.yesterday),
        "chart": chart.draw(answer.today),
    }
    if visit.part == "counts":
        return visit.render("_counts.html", **counts)
    return visit.render(
        "home.html",
        position=position,
        feed=activity(parts.database, FEED),
        is_new=_is_new(visit),
        **counts,
    )


def _figures(day: Day) -> dict[str, tuple[int, int]]:
    """What people read first: from what is proven to what is possible; both are the same where nothing is in doubt."""
    opened = day.count(EventKind.OPENED, Who.HUMAN)
    clicked = day.count(EventKind.CLICKED, Who.HUMAN)
    counted = {kind: day.count(kind) for kind in (EventKind.SENT, EventKind.DELIVERED, EventKind.BOUNCED)}
    return {
        "sent": (counted[EventKind.SENT],) * 2,
        "delivered": (counted[EventKind.DELIVERED],) * 2,
        "opened": (opened, opened + day.count(EventKind.OPENED, Who.INDETERMINATE)),
        "clicked": (clicked, clicked + day.count(EventKind.CLICKED, Who.INDETERMINATE)),
        "bounced": (counted[EventKind.BOUNCED],) * 2,
    }


def _machine(day: Day) -> dict[str, int]:
    return {
        "opens": day.count(EventKind.OPENED, Who.MACHINE),
        "clicks": day.count(EventKind.CLICKED, Who.MACHINE),
    }


def _position(visit: Visit) -> int:
    """The newest event before the page was made: the live stream goes on from there, and nothing falls between."""
    with visit.parts.database.read() as tx:
        return events.last_id(tx)


def _is_new(visit: Visit) -> bool:
    with visit.parts.database.read() as tx:
        return not messages.list_messages(tx, limit=1)
