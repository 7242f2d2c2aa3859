"""The pages about messages: the list, one message with its story, and one submission."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from resonanz.dashboard.pages.report import report_of
from resonanz.dashboard.visit import Visit, errors_of, not_found, read_id
from resonanz.insight import Query, message_list, message_page
from resonanz.model import EventKind, InvalidInput, MessageState, TrackingMode
from resonanz.sending.blocking import block, standing, unblock
from resonanz.store import events

PAGE = 50
MAX_SEARCH_CHARACTERS = 200


def show_list(visit: Visit) -> Response:
    """Messages, newest first, by state and search. Raises InvalidInput for what names no state or no message."""
    before = read_id(visit.query("before"))
    state = _state(visit.query("state"))
    search = visit.query("search")[:MAX_SEARCH_CHARACTERS]
    position = _position(visit)
    found = message_list(visit.parts.database, Query(PAGE, before, state, search))
    values: dict[str, Any] = {"list": found, "state": state, "search": search, "before": before}
    if visit.part:
        return visit.render("_message_rows.html", **values)
    return visit.render("messages.html", states=list(MessageState), position=position, **values)


def show_message(visit: Visit) -> Response:
    """One message: what happened to it, when, where and with what; and what cannot be known about it."""
    position = _position(visit)
    page = message_page(visit.parts.database, visit.path("message"))
    if page is None:
        raise not_found("message")
    newest_first = tuple(reversed(page.timeline))
    in_outbox = any(attempt.transport == "outbox" and attempt.outcome is EventKind.SENT for attempt in page.attempts)
    unknown = _unknown_mode(visit)
    values: dict[str, Any] = {"page": page, "timeline": newest_first, "in_outbox": in_outbox, "unknown": unknown}
    if visit.part:
        return visit.render("_message.html", **values)
    return visit.render("message.html", position=position, **values)


def show_submission(visit: Visit) -> Response:
    """What was handed in at one time, and what became of it."""
    position = _position(visit)
    return _render_submission(visit, position)


def block_submission(visit: Visit) -> Response:
    """Block a submission's links, or unblock them. For operators only."""
    id = visit.path("submission")
    decide = unblock if visit.form.text("wanted") == "unblock" else block
    try:
        decide(visit.parts.database, id, reason=visit.form.text("reason"), actor=visit.account.address, now=visit.now)
    except InvalidInput as refused:
        return _render_submission(visit, 0, errors_of(refused, {}, otherwise="reason"))
    return visit.go(f"/submissions/{id}")


def _render_submission(visit: Visit, position: int, errors: dict[str, str] | None = None) -> Response:
    report = report_of(visit, visit.path("submission"))
    if report is None:
        raise not_found("submission")
    with visit.parts.database.read() as tx:
        blocked, decisions = standing(tx, visit.path("submission"))
    values: dict[str, Any] = report | {
        "new": visit.query("new") == "yes",
        "blocked": decisions[0] if blocked else None,
        "decisions": decisions,
        "errors": errors or {},
    }
    if visit.part:
        return visit.render("_report.html", **values)
    return visit.render("submission.html", status=422 if errors else 200, position=position, **values)


def _position(visit: Visit) -> int:
    """The newest event before the page was made, for the live stream to go on from; a fragment needs none."""
    if visit.part:
        return 0
    with visit.parts.database.read() as tx:
        return events.last_id(tx)


def _unknown_mode(visit: Visit) -> TrackingMode:
    with visit.parts.database.read() as tx:
        return visit.parts.unknown_mode(tx)


def _state(text: str) -> MessageState | None:
    if not text:
        return None
    try:
        return MessageState(text)
    except ValueError:
        states = ", ".join(MessageState)
        raise InvalidInput(f"`{text[:50]}` is no state of a message", where="state", remedy=f"use {states}") from None
