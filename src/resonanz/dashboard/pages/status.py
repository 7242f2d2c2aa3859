"""The status page: what this instance leans on, with the remedy for what is wrong."""

from __future__ import annotations

from starlette.responses import Response

from resonanz.dashboard.visit import Visit


def show(visit: Visit) -> Response:
    """The page at once; the checks, which may take seconds, as a fragment it asks for."""
    findings = visit.parts.examine() if visit.part or visit.query("run") else None
    return visit.render("_findings.html" if visit.part else "status.html", findings=findings)
