"""Campaigns: the list, the editor with its preview, and one campaign while and after it is sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from starlette.responses import Response, StreamingResponse

from resonanz.dashboard.pages.report import report_of
from resonanz.dashboard.preview import campaign_token
from resonanz.dashboard.visit import Visit, errors_of, not_found, read_id, told
from resonanz.insight import By, figures_of, rank_campaigns, table
from resonanz.mail.address import Address
from resonanz.model import Conflict, InvalidInput, TrackingMode
from resonanz.sending import campaigns, trial
from resonanz.sending.campaigns import Plan
from resonanz.sending.sender_checks import domain_of, last_look, look
from resonanz.store import campaigns as rows
from resonanz.store import contacts, events, lists
from resonanz.store.campaigns import Campaign, CampaignState

PAGE = 50
_LIST = "list-"
_FIELDS = {
    "name": "name",
    "sender": "from",
    "reply_to": "reply_to",
    "subject": "subject",
    "preheader": "preheader",
    "html": "html",
    "text": "text",
    "lists": "lists",
    "per_minute": "per_minute",
    "at": "at",
    "contact": "contact",
    "recipients": "to",
}


def show_list(visit: Visit) -> Response:
    """Campaigns, newest first, or the best first by a rate."""
    with suppress(ValueError):
        return _render_ranking(visit, By(visit.query("by")))
    before = read_id(visit.query("before"))
    with visit.parts.database.read() as tx:
        found = rows.list_campaigns(tx, limit=PAGE + 1, before=before)
        figures = figures_of(tx, [one.submission_id for one in found[:PAGE] if one.submission_id is not None])
        position = events.last_id(tx)
    values: dict[str, Any] = {"campaigns": found[:PAGE], "more": len(found) > PAGE, "figures": figures, "ranking": None}
    return visit.render("campaigns.html", position=position, **values)


def _render_ranking(visit: Visit, by: By) -> Response:
    found = rank_campaigns(visit.parts.database, by)
    with visit.parts.database.read() as tx:
        position = events.last_id(tx)
    figures = {row.campaign.submission_id: row.figures for row in found.rows}
    values: dict[str, Any] = {"campaigns": [row.campaign for row in found.rows], "more": False, "figures": figures}
    return visit.render("campaigns.html", position=position, ranking=found, **values)


def show_new(visit: Visit) -> Response:
    """An empty editor."""
    local, _, domain = visit.account.address.rpartition("@")
    blank = {"from": str(Address(visit.account.name, local, domain)), "opens": "individual", "clicks": "individual"}
    return _render_editor(visit, None, blank, {})


def create(visit: Visit) -> Response:
    """Store a new draft."""
    try:
        made = campaigns.create(visit.parts.database, _plan(visit), account_id=visit.account.id, now=visit.now)
    except InvalidInput as refused:
        return _render_editor(visit, None, visit.form.fields, errors_of(refused, _FIELDS, otherwise="name"))
    return visit.go(f"/campaigns/{made.id}", done="saved")


def show(visit: Visit) -> Response:
    """A draft in its editor; anything else with its progress and results."""
    campaign = _campaign(visit)
    if campaign.state is CampaignState.DRAFT:
        if visit.part == "audience":
            return visit.render("_audience.html", audience=_audience(visit, campaign))
        return _render_editor(visit, campaign, _values(visit, campaign), {})
    return _render_progress(visit, campaign)


def save(visit: Visit) -> Response:
    """Put what was written in place of a draft, and do what the pressed button says: nothing more, test it, look at its
    sender's domain, go on to sending it, or delete it."""
    campaign = _campaign(visit)
    form, now, database = visit.form, visit.now, visit.parts.database
    try:
        if form.text("act") == "delete":
            campaigns.remove(database, campaign.id)
            return visit.go("/campaigns")
        plan = _plan(visit)
        campaigns.change(database, campaign.id, plan, now=now)
        match form.text("act"):
            case "test":
                _send_test(visit, plan)
                return visit.go(f"/campaigns/{campaign.id}", done="tested", contact=form.text("contact")[:320])
            case "look":
                _look_at_domain(visit, plan.sender)
                return visit.go(f"/campaigns/{campaign.id}", done="looked", contact=form.text("contact")[:320])
            case "send":
                with database.read() as tx:
                    campaigns.check(tx, plan, at=_moment(visit, form.text("at")), now=now)
                return visit.go(f"/campaigns/{campaign.id}/send", at=form.text("at").strip())
            case _:
                return visit.go(f"/campaigns/{campaign.id}", done="saved", contact=form.text("contact")[:320])
    except InvalidInput as refused:
        return _render_editor(visit, campaign, form.fields, errors_of(refused, _FIELDS, otherwise="html"))
    except Conflict:
        return visit.go(f"/campaigns/{campaign.id}")


def show_sending(visit: Visit) -> Response:
    """What sending a draft would do, in figures, and the button that does it."""
    campaign = _campaign(visit)
    if campaign.state is not CampaignState.DRAFT:
        return visit.go(f"/campaigns/{campaign.id}")
    return _render_sending(visit, campaign, visit.query("at"), {})


def send(visit: Visit) -> Response:
    """Let a draft start, or say what keeps it from that. What somebody else did meanwhile is shown."""
    campaign, at = _campaign(visit), visit.form.text("at")
    try:
        campaigns.schedule(visit.parts.database, campaign.id, at=_moment(visit, at), now=visit.now)
    except InvalidInput as refused:
        return _render_sending(visit, campaign, at, errors_of(refused, _FIELDS, otherwise="html"))
    except Conflict:
        pass
    return visit.go(f"/campaigns/{campaign.id}")


def act(visit: Visit) -> Response:
    """Unschedule, pause, resume or cancel; or look at the sender's domain. What somebody else did meanwhile is shown,
    and nothing is done twice."""
    if visit.form.text("act") == "look":
        campaign = _campaign(visit)
        _look_at_domain(visit, campaign.sender)
        return visit.go(f"/campaigns/{campaign.id}")
    acts: dict[str, Callable[..., Campaign]] = {
        "unschedule": campaigns.unschedule,
        "pause": campaigns.pause,
        "resume": campaigns.resume,
        "cancel": campaigns.cancel,
    }
    does = acts.get(visit.form.text("act"))
    if does is None:
        raise InvalidInput("no such act", where="act")
    campaign_id = visit.path("campaign")
    with suppress(Conflict):
        does(visit.parts.database, campaign_id, now=visit.now)
    return visit.go(f"/campaigns/{campaign_id}")


def download(visit: Visit) -> Response:
    """What became of each mail, as a file for spreadsheets."""
    campaign = _campaign(visit)
    if campaign.submission_id is None:
        raise not_found("campaign")
    headers = {"content-disposition": 'attachment; filename="recipients.csv"'}
    rows_of = table(visit.parts.database, campaign.submission_id)
    return StreamingResponse(rows_of, media_type="text/csv; charset=utf-8", headers=headers)


# ── Reading the form ────────────────────────────────────────────────────────────────────────────────────────────────


def _plan(visit: Visit) -> Plan:
    form = visit.form
    return Plan(
        name=form.text("name"),
        sender=form.text("from"),
        reply_to=form.text("reply_to"),
        subject=form.text("subject"),
        preheader=form.text("preheader"),
        html=form.text("html"),
        text=form.text("text"),
        lists=tuple(_list_ids(form.fields)),
        track_opens=_mode(form.text("opens")),
        track_clicks=_mode(form.text("clicks")),
        per_minute=_number(form.text("per_minute")),
    )


def _list_ids(fields: dict[str, str]) -> list[UUID]:
    found = []
    for name in fields:
        if name.startswith(_LIST):
            with suppress(ValueError):
                found.append(UUID(name.removeprefix(_LIST)))
    return found


def _number(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidInput("not a number", where="per_minute", remedy="leave it empty for no limit") from None


def _mode(text: str) -> TrackingMode:
    """What was chosen; what is no choice tracks nothing."""
    with suppress(ValueError):
        return TrackingMode(text)
    return TrackingMode.OFF


def _moment(visit: Visit, text: str) -> datetime | None:
    """Read a time in the dashboard's time zone; empty means now."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput("not a time", where="at", remedy="leave it empty to send now") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=visit.parts.zone)).astimezone(UTC)


def _send_test(visit: Visit, plan: Plan) -> None:
    to = visit.form.text("to").replace(",", "\n").splitlines()
    contact = visit.form.text("contact")
    with visit.parts.database.read() as tx:
        draft = trial.trial_draft(tx, plan, to, contact, account_id=visit.account.id, source="dashboard")
    visit.parts.submit(draft, visit.now)


def _look_at_domain(visit: Visit, sender: str) -> None:
    """Ask DNS about the sender's domain, and keep what it says. Raises InvalidInput (`sender`) without a domain."""
    domain = domain_of(sender)
    if not domain:
        raise InvalidInput("has no domain to look at", where="sender", remedy="write an address")
    parts = visit.parts
    try:
        look(
            parts.database,
            domain,
            edge_url=parts.edge_url,
            look_up=parts.look_up,
            actor=visit.account.address,
            now=visit.now,
        )
    except InvalidInput as refused:
        raise InvalidInput(refused.what, where="sender", remedy=refused.remedy) from None


# ── Rendering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _campaign(visit: Visit) -> Campaign:
    with visit.parts.database.read() as tx:
        found = rows.get_campaign(tx, visit.path("campaign"))
    if found is None:
        raise not_found("campaign")
    return found


def _audience(visit: Visit, campaign: Campaign) -> trial.Audience:
    with visit.parts.database.read() as tx:
        list_ids = rows.lists_of(tx, campaign.id)
    return trial.count_audience(visit.parts.database, list_ids, visit.now)


def _values(visit: Visit, campaign: Campaign) -> dict[str, str]:
    """A draft as its form's fields."""
    with visit.parts.database.read() as tx:
        chosen = rows.lists_of(tx, campaign.id)
    return {
        "name": campaign.name,
        "from": campaign.sender,
        "reply_to": campaign.reply_to,
        "subject": campaign.subject,
        "preheader": campaign.preheader,
        "html": campaign.html,
        "text": campaign.text,
        "opens": campaign.track_opens.value,
        "clicks": campaign.track_clicks.value,
        "per_minute": str(campaign.per_minute or ""),
        "contact": visit.query("contact")[:320],
        "to": visit.account.address,
        **{f"{_LIST}{one}": "yes" for one in chosen},
    }


_DONE = {
    "saved": "Saved. Nothing has been sent.",
    "tested": "Saved, and the test is on its way.",
    "looked": "Saved, and DNS was asked: what it said stands under “Before sending”.",
}


def _render_editor(visit: Visit, campaign: Campaign | None, values: dict[str, str], errors: dict[str, str]) -> Response:
    shown: dict[str, Any] = {"findings": [], "preview": None, "frame": "", "trouble": "", "domain": "", "seen": None}
    with visit.parts.database.read() as tx:
        known = lists.list_lists(tx)
        attributes = contacts.attribute_names(tx)
        unknown = visit.parts.unknown_mode(tx)
        if campaign is not None:
            plan = campaigns.plan_of(tx, campaign)
            shown["findings"] = trial.findings(tx, plan, visit.now)
            shown["domain"] = domain_of(campaign.sender)
            shown["seen"] = last_look(tx, shown["domain"])
            try:
                shown["preview"] = trial.preview(tx, plan, values.get("contact", ""))
                token = campaign_token(visit.parts.secret, campaign.id, shown["preview"].contact_id, visit.now)
                shown["frame"] = f"{visit.parts.preview_url}/{token}"
            except InvalidInput as refused:
                shown["trouble"] = told(refused)
    return visit.render(
        "campaign_edit.html",
        status=422 if errors else 200,
        campaign=campaign,
        values=values,
        errors=errors,
        lists=known,
        attributes=attributes,
        unknown=unknown,
        modes=list(TrackingMode),
        done=_DONE.get(visit.query("done"), ""),
        **shown,
    )


def _render_sending(visit: Visit, campaign: Campaign, at: str, errors: dict[str, str]) -> Response:
    try:
        start_at = _moment(visit, at)
    except InvalidInput as refused:
        start_at, errors = None, errors_of(refused, _FIELDS, otherwise="at")
    with visit.parts.database.read() as tx:
        plan = campaigns.plan_of(tx, campaign)
        chosen = [one.name for one, _ in lists.list_lists(tx) if one.id in plan.lists]
        found = trial.findings(tx, plan, visit.now)
        seen = last_look(tx, domain_of(campaign.sender))
    return visit.render(
        "campaign_send.html",
        status=422 if errors else 200,
        campaign=campaign,
        audience=_audience(visit, campaign),
        lists=chosen,
        findings=found,
        failing=seen is not None and bool(seen.failing),
        start_at=start_at,
        at=at.strip(),
        errors=errors,
    )


def _render_progress(visit: Visit, campaign: Campaign) -> Response:
    with visit.parts.database.read() as tx:
        position = events.last_id(tx)
        domain = domain_of(campaign.sender)
        seen = last_look(tx, domain)
    report = report_of(visit, campaign.submission_id, campaign) if campaign.submission_id else None
    values: dict[str, Any] = {
        "campaign": campaign,
        "domain": domain,
        "seen": seen,
        "report": report,
        **(report or {"kept": "", "waiting": 0}),
    }
    if visit.part:
        return visit.render("_campaign.html", **values)
    return visit.render("campaign.html", position=position, **values)
