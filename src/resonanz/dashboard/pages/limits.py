"""What cannot be known: the limits of e-mail tracking, said in the product."""

from __future__ import annotations

from starlette.responses import Response

from resonanz.dashboard.visit import Visit


def show(visit: Visit) -> Response:
    """The page."""
    with visit.parts.database.read() as tx:
        mode = visit.parts.unknown_mode(tx)
    return visit.render("limits.html", mode=mode)
