"""Campaigns: written, tried, scheduled, and followed while they are sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from resonanz import model
from resonanz.api.access import Caller, Parts
from resonanz.api.campaign_shapes import (
    AudienceOut,
    CampaignIn,
    CampaignOut,
    CampaignPage,
    FaultOut,
    PreviewOut,
    RankingOut,
    ReportOut,
    ScheduleIn,
    TrialIn,
)
from resonanz.api.shapes import Accepted, AcceptedMessage
from resonanz.insight import By, rank_campaigns, results_of, table
from resonanz.model import InvalidInput, NotFound
from resonanz.sending import campaigns, trial
from resonanz.store import campaigns as rows

router = APIRouter(tags=["Campaigns"])

PAGE = 50


@router.get("/campaigns", response_model=CampaignPage, summary="Campaigns, newest first")
def list_campaigns(
    parts: Parts, _caller: Caller, before: Annotated[UUID | None, Query(description="`next` of a page")] = None
) -> CampaignPage:
    """Return up to 50 campaigns, from the one behind `before`."""
    with parts.database.read() as tx:
        found = rows.list_campaigns(tx, limit=PAGE + 1, before=before)
        shown = [CampaignOut.of(one, rows.lists_of(tx, one.id)) for one in found[:PAGE]]
    return CampaignPage(campaigns=shown, next=shown[-1].id if len(found) > PAGE else None)


@router.get("/campaigns/ranking", response_model=RankingOut, summary="Campaigns by opened or clicked rate")
def get_ranking(
    parts: Parts, _caller: Caller, by: Annotated[By, Query(description="The rate to rank by")] = By.OPENED
) -> RankingOut:
    """Return the newest 200 campaigns that were sent, the best first. Each is ranked by its `score`, its rate drawn
    towards the history of its account: (part + mean × weight) ÷ (whole + weight)."""
    return RankingOut.of(rank_campaigns(parts.database, by))


@router.post("/campaigns", status_code=201, response_model=CampaignOut, summary="Write a campaign")
def post_campaign(wanted: CampaignIn, parts: Parts, caller: Caller) -> CampaignOut:
    """Store a draft. Nothing is sent before it is scheduled."""
    made = campaigns.create(parts.database, wanted.plan(), account_id=caller.id, now=model.now())
    return _shown(parts, made.id)


@router.get("/campaigns/{campaign}", response_model=CampaignOut, summary="One campaign, and how far it has come")
def get_campaign(campaign: UUID, parts: Parts, _caller: Caller) -> CampaignOut:
    """Return a campaign with its content, its state and its progress."""
    return _shown(parts, campaign)


@router.put("/campaigns/{campaign}", response_model=CampaignOut, summary="Write a draft anew")
def put_campaign(campaign: UUID, wanted: CampaignIn, parts: Parts, _caller: Caller) -> CampaignOut:
    """Put this in place of a draft. 409 for what is scheduled or was sent."""
    campaigns.change(parts.database, campaign, wanted.plan(), now=model.now())
    return _shown(parts, campaign)


@router.delete("/campaigns/{campaign}", status_code=204, summary="Delete a draft")
def delete_campaign(campaign: UUID, parts: Parts, _caller: Caller) -> None:
    """Delete a draft. 409 for what was sent: its results are kept."""
    campaigns.remove(parts.database, campaign)


@router.get("/campaigns/{campaign}/check", response_model=list[FaultOut], summary="What is wrong with a campaign")
def get_check(campaign: UUID, parts: Parts, _caller: Caller) -> list[FaultOut]:
    """Return what keeps it from being sent, and what should be looked at before; empty when all is well."""
    with parts.database.read() as tx:
        plan = campaigns.plan_of(tx, campaigns.find(tx, campaign))
        return [FaultOut.model_validate(one) for one in trial.findings(tx, plan, model.now())]


@router.get("/campaigns/{campaign}/audience", response_model=AudienceOut, summary="Whom it would reach now")
def get_audience(campaign: UUID, parts: Parts, _caller: Caller) -> AudienceOut:
    """Count the contacts on its lists by whether they may be written to. Takes a second per 100,000 or so."""
    with parts.database.read() as tx:
        plan = campaigns.plan_of(tx, campaigns.find(tx, campaign))
    return AudienceOut.model_validate(trial.count_audience(parts.database, plan.lists, model.now()))


@router.get("/campaigns/{campaign}/preview", response_model=PreviewOut, summary="One contact's copy")
def get_preview(
    campaign: UUID,
    parts: Parts,
    _caller: Caller,
    contact: Annotated[str, Query(max_length=320, description="An address; empty: somebody on its lists")] = "",
) -> PreviewOut:
    """Render subject, HTML and text as this contact would get them, without tracking."""
    with parts.database.read() as tx:
        plan = campaigns.plan_of(tx, campaigns.find(tx, campaign))
        return PreviewOut.model_validate(trial.preview(tx, plan, contact))


@router.post("/campaigns/{campaign}/test", status_code=202, response_model=Accepted, summary="Send a test")
def post_test(campaign: UUID, wanted: TrialIn, parts: Parts, caller: Caller) -> Accepted:
    """Send a copy to each of these addresses, marked `[Test]` and not tracked: it counts nowhere in the results."""
    with parts.database.read() as tx:
        plan = campaigns.plan_of(tx, campaigns.find(tx, campaign))
        draft = trial.trial_draft(tx, plan, wanted.to, wanted.contact, account_id=caller.id, source="api")
    receipt = parts.submit(draft, model.now())
    return Accepted(
        submission=receipt.submission_id,
        repeated=False,
        messages=[AcceptedMessage(id=id, recipient=to) for id, to in receipt.messages],
    )


@router.post("/campaigns/{campaign}/send", status_code=202, response_model=CampaignOut, summary="Send, or schedule")
def post_send(campaign: UUID, wanted: ScheduleIn, parts: Parts, _caller: Caller) -> CampaignOut:
    """Let it start at `at`, or now. 422 with everything that is wrong with it; then it stays a draft."""
    campaigns.schedule(parts.database, campaign, at=_moment(wanted.at), now=model.now())
    return _shown(parts, campaign)


@router.post("/campaigns/{campaign}/unschedule", response_model=CampaignOut, summary="Take back a schedule")
def post_unschedule(campaign: UUID, parts: Parts, _caller: Caller) -> CampaignOut:
    """Make a draft again of what has not started."""
    campaigns.unschedule(parts.database, campaign, now=model.now())
    return _shown(parts, campaign)


@router.post("/campaigns/{campaign}/pause", response_model=CampaignOut, summary="Pause")
def post_pause(campaign: UUID, parts: Parts, _caller: Caller) -> CampaignOut:
    """Let nothing more go out, but for the few mails on their way."""
    campaigns.pause(parts.database, campaign, now=model.now())
    return _shown(parts, campaign)


@router.post("/campaigns/{campaign}/resume", response_model=CampaignOut, summary="Resume")
def post_resume(campaign: UUID, parts: Parts, _caller: Caller) -> CampaignOut:
    """Go on where it was paused."""
    campaigns.resume(parts.database, campaign, now=model.now())
    return _shown(parts, campaign)


@router.post("/campaigns/{campaign}/cancel", response_model=CampaignOut, summary="Cancel for good")
def post_cancel(campaign: UUID, parts: Parts, _caller: Caller) -> CampaignOut:
    """End it: what has not gone out does not go out."""
    campaigns.cancel(parts.database, campaign, now=model.now())
    return _shown(parts, campaign)


@router.get("/campaigns/{campaign}/report", response_model=ReportOut, summary="What became of it")
def get_report(campaign: UUID, parts: Parts, _caller: Caller) -> ReportOut:
    """Return its figures: states, opens as a range and an estimate, clicks by link, bounces by reason."""
    found = results_of(parts.database, _submission(parts, campaign))
    if found is None:
        raise NotFound("nothing has been sent yet", where="campaign")
    return ReportOut.of(found)


@router.get(
    "/campaigns/{campaign}/recipients.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    summary="What became of it, recipient by recipient",
)
def get_recipients(campaign: UUID, parts: Parts, _caller: Caller) -> StreamingResponse:
    """Return a CSV file. What is counted without names stands for nobody: those cells are empty."""
    rows_of = table(parts.database, _submission(parts, campaign))
    return StreamingResponse(rows_of, media_type="text/csv; charset=utf-8")


def _submission(parts: Parts, campaign_id: UUID) -> UUID:
    with parts.database.read() as tx:
        found = campaigns.find(tx, campaign_id).submission_id
    if found is None:
        raise NotFound("nothing has been sent yet", where="campaign")
    return found


def _shown(parts: Parts, campaign_id: UUID) -> CampaignOut:
    with parts.database.read() as tx:
        return CampaignOut.of(campaigns.find(tx, campaign_id), rows.lists_of(tx, campaign_id))


def _moment(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise InvalidInput("a time without a time zone", where="at", remedy="write it like 2026-05-04T12:00:00Z")
    return at.astimezone(UTC) if at is not None else None
