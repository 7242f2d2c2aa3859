"""The home page: what happened today."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from resonanz.dashboard import chart
from resonanz.dashboard.visit import Visit
from resonanz.insight import Activity, Day, Query, activity, message_list, today
from resonanz.model import EventKind, Who
from resonanz.store import events
from resonanz.store.messages import Message
from resonanz.store.webhook_endpoints import troubled_endpoints

FEED = 10
LATEST = 6


def show(visit: Visit) -> Response:
    """Today's counts, its hours, the latest messages, and what happened last.

    `part` is `counts`, `hours`, `latest` or `feed`.
    """
    if visit.part == "feed":
        return visit.render("_feed.html", feed=_feed(visit))
    if visit.part == "latest":
        return visit.render("_latest.html", latest=_latest(visit))
    position = _position(visit)
    answer = today(visit.parts.database, now=visit.now, timezone=visit.parts.zone)
    counts: dict[str, Any] = {
        "figures": _figures(answer.today),
        "machine": _machine(answer.today),
        "yesterday": _figures(answer.yesterday),
        "chart": chart.draw(answer.today),
    }
    if visit.part:
        return visit.render("_hours.html" if visit.part == "hours" else "_counts.html", **counts)
    latest = _latest(visit)
    with visit.parts.database.read() as tx:
        troubled = troubled_endpoints(tx, visit.account.id)
    return visit.render(
        "home.html",
        position=position,
        feed=_feed(visit),
        latest=latest,
        is_new=not latest,
        troubled=troubled,
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


def _feed(visit: Visit) -> list[Activity]:
    """What happened last. That a mail was queued is no news to whoever wrote it: it is left to the mail's own page."""
    found = activity(visit.parts.database, FEED * 4)
    return [item for item in found if item.event.kind is not EventKind.QUEUED][:FEED]


def _position(visit: Visit) -> int:
    """The newest event before the page was made: the live stream goes on from there, and nothing falls between."""
    with visit.parts.database.read() as tx:
        return events.last_id(tx)


def _latest(visit: Visit) -> tuple[Message, ...]:
    return message_list(visit.parts.database, Query(limit=LATEST)).rows
