"""Campaigns: what is planned, and what is done with a plan: schedule, pause, resume, cancel.

A campaign is a draft until it is scheduled; from then on a worker does the sending (`sending.expansion`). Each act is
one guarded transaction, so that two people, or a person and the worker, cannot do two things at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from resonanz.mail.address import Address, parse_address
from resonanz.model import Conflict, InvalidInput, NotFound, TrackingMode, new_id
from resonanz.sending.copies import compose_copy, header_id_for
from resonanz.sending.fields import Fields
from resonanz.sending.placeholders import Template
from resonanz.store import Database, Tx, contacts, queue
from resonanz.store import campaigns as rows
from resonanz.store.campaigns import Campaign, CampaignState
from resonanz.store.text import storable

MAX_NAME_CHARACTERS = 200
MAX_LINE_CHARACTERS = 2_000
MAX_CONTENT_BYTES = 2_000_000
MAX_PER_MINUTE = 100_000
MAX_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person decides about a campaign. Texts may hold placeholders; what is empty may still be filled in, for
    only scheduling asks for a whole one."""

    name: str
    sender: str = ""
    reply_to: str = ""
    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    lists: Sequence[UUID] = ()
    track_opens: TrackingMode = TrackingMode.INDIVIDUAL
    track_clicks: TrackingMode = TrackingMode.INDIVIDUAL
    per_minute: int | None = None


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def create(database: Database, plan: Plan, *, account_id: UUID | None, now: datetime) -> Campaign:
    """Store a plan as a draft. Raises InvalidInput for what could never be sent, everything at once."""
    _check_limits(plan)
    campaign = Campaign(
        id=new_id(),
        account_id=account_id,
        state=CampaignState.DRAFT,
        state_at=now,
        created_at=now,
        changed_at=now,
        **_values(plan),
    )
    with database.write() as tx:
        rows.add_campaign(tx, campaign, plan.lists)
    return campaign


def change(database: Database, campaign_id: UUID, plan: Plan, *, now: datetime) -> Campaign:
    """Put another plan in place of a draft's. Raises NotFound, InvalidInput, and Conflict for what is no draft."""
    _check_limits(plan)
    with database.write() as tx:
        _held(tx, campaign_id, CampaignState.DRAFT)
        rows.change(tx, campaign_id, {**_values(plan), "changed_at": now})
        rows.set_lists(tx, campaign_id, plan.lists)
        return find(tx, campaign_id)


def remove(database: Database, campaign_id: UUID) -> None:
    """Delete a draft. Raises NotFound, and Conflict for what was sent: its results are kept."""
    with database.write() as tx:
        _held(tx, campaign_id, CampaignState.DRAFT)
        rows.delete_campaign(tx, campaign_id)


def find(tx: Tx, campaign_id: UUID) -> Campaign:
    """Return a campaign. Raises NotFound."""
    found = rows.get_campaign(tx, campaign_id)
    if found is None:
        raise NotFound("there is no such campaign", where="campaign")
    return found


def plan_of(tx: Tx, campaign: Campaign) -> Plan:
    """Return the plan that a campaign was made from, with its lists as they are now."""
    return Plan(
        name=campaign.name,
        sender=campaign.sender,
        reply_to=campaign.reply_to,
        subject=campaign.subject,
        preheader=campaign.preheader,
        html=campaign.html,
        text=campaign.text,
        lists=rows.lists_of(tx, campaign.id),
        track_opens=campaign.track_opens,
        track_clicks=campaign.track_clicks,
        per_minute=campaign.per_minute,
    )


def fields_of(campaign: Campaign | Plan) -> Fields:
    """Return the content of a campaign as copies are made from it."""
    return Fields(
        sender=campaign.sender,
        subject=campaign.subject,
        text=campaign.text or None,
        html=campaign.html or None,
        reply_to=campaign.reply_to or None,
        preheader=campaign.preheader,
    )


def _values(plan: Plan) -> dict[str, Any]:
    return {
        "name": storable(" ".join(plan.name.split())),
        "sender": storable(plan.sender.strip()),
        "reply_to": storable(plan.reply_to.strip()),
        "subject": storable(" ".join(plan.subject.split())),
        "preheader": storable(" ".join(plan.preheader.split())),
        "html": storable(plan.html) if plan.html.strip() else "",
        "text": storable(plan.text) if plan.text.strip() else "",
        "track_opens": plan.track_opens,
        "track_clicks": plan.track_clicks,
        "per_minute": plan.per_minute,
    }


def _check_limits(plan: Plan) -> None:
    refused = []
    if not plan.name.strip():
        refused.append(InvalidInput("give the campaign a name", where="name", remedy="recipients do not see it"))
    for name in ("name", "subject", "preheader", "sender", "reply_to"):
        most = MAX_NAME_CHARACTERS if name == "name" else MAX_LINE_CHARACTERS
        if len(getattr(plan, name)) > most:
            refused.append(InvalidInput(f"has more than {most:,} characters", where=name))
    for name in ("html", "text"):
        if len(getattr(plan, name).encode("utf-8", "surrogatepass")) > MAX_CONTENT_BYTES:
            refused.append(InvalidInput(f"has more than {MAX_CONTENT_BYTES:,} bytes", where=name))
    if plan.per_minute is not None and not 1 <= plan.per_minute <= MAX_PER_MINUTE:
        refused.append(InvalidInput(f"must be 1 to {MAX_PER_MINUTE:,}", where="per_minute"))
    if refused:
        raise InvalidInput.together(refused)


# ── What keeps a plan from being sent ───────────────────────────────────────────────────────────────────────────────


def faults(tx: Tx, plan: Plan, now: datetime) -> list[InvalidInput]:
    """Return everything that keeps this plan from being sent, each naming its field (`where`)."""
    found: list[InvalidInput] = []
    found += _checked(lambda: parse_address(plan.sender), "sender", "who is it from?", plan.sender)
    if plan.reply_to.strip():
        found += _checked(lambda: parse_address(plan.reply_to), "reply_to", "", plan.reply_to)
    if not plan.subject.strip():
        found.append(InvalidInput("a mail without a subject looks like spam", where="subject", remedy="write one"))
    if not plan.html.strip() and not plan.text.strip():
        found.append(InvalidInput("there is nothing in it", where="html", remedy="write HTML, text, or both"))
    if not plan.lists:
        found.append(InvalidInput("it goes to no list", where="lists", remedy="choose at least one"))
    template = Template(fields_of(plan))
    for problem in template.problems(contacts.attribute_names(tx)):
        line = f"line {problem.line}: " if problem.field in ("html", "text") else ""
        found.append(InvalidInput(f"{line}{problem.what}", where=problem.field, remedy=problem.remedy))
    return found or _composed(template, plan, now)


def _checked(read: Callable[[], Address], where: str, missing: str, text: str) -> list[InvalidInput]:
    if not text.strip() and missing:
        return [InvalidInput(missing, where=where, remedy="an address, or a name with an address")]
    try:
        read()
    except InvalidInput as error:
        return [InvalidInput(error.what, where=where, remedy=error.remedy)]
    return []


def _composed(template: Template, plan: Plan, now: datetime) -> list[InvalidInput]:
    """Compose one copy: what keeps it from being composed now would keep the worker from it later."""
    sender = parse_address(plan.sender)
    try:
        fields = template.render(None)
        compose_copy(fields, to=sender.spec, header_id=header_id_for(new_id(), sender.domain), date=now)
    except InvalidInput as error:
        where = {"From": "sender", "Reply-To": "reply_to", "Subject": "subject"}.get(error.where, error.where)
        return [InvalidInput(error.what, where=where, remedy=error.remedy)]
    return []


# ── Doing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def schedule(database: Database, campaign_id: UUID, *, at: datetime | None, now: datetime) -> Campaign:
    """Let a draft start at a time, or now. Raises NotFound, Conflict, and InvalidInput with everything that is wrong
    with it."""
    with database.write() as tx:
        campaign = _held(tx, campaign_id, CampaignState.DRAFT)
        check(tx, plan_of(tx, campaign), at=at, now=now)
        return _moved(tx, campaign, CampaignState.SCHEDULED, now, start_at=at or now)


def check(tx: Tx, plan: Plan, *, at: datetime | None, now: datetime) -> None:
    """Raise InvalidInput with everything that keeps this plan from starting at a time, or now."""
    if at is not None and at > now + MAX_AHEAD:
        raise InvalidInput("more than a year ahead", where="at")
    if at is not None and at < now - timedelta(minutes=5):
        raise InvalidInput("this time is over", where="at", remedy="leave it out to send now")
    if found := faults(tx, plan, now):
        raise InvalidInput.together(found)


def unschedule(database: Database, campaign_id: UUID, *, now: datetime) -> Campaign:
    """Make a draft again of what has not started yet. Raises NotFound, Conflict."""
    with database.write() as tx:
        campaign = _held(tx, campaign_id, CampaignState.SCHEDULED)
        return _moved(tx, campaign, CampaignState.DRAFT, now, start_at=None)


def pause(database: Database, campaign_id: UUID, *, now: datetime) -> Campaign:
    """Let nothing more go out until it is resumed, but for the few mails on their way. Raises NotFound, Conflict."""
    with database.write() as tx:
        campaign = _held(tx, campaign_id, CampaignState.SENDING)
        assert campaign.submission_id is not None
        queue.hold(tx, campaign.submission_id, f"campaign {campaign.id}")
        return _moved(tx, campaign, CampaignState.PAUSED, now)


def resume(database: Database, campaign_id: UUID, *, now: datetime) -> Campaign:
    """Go on where it was paused, as fast as it was told to. Raises NotFound, Conflict."""
    with database.write() as tx:
        campaign = _held(tx, campaign_id, CampaignState.PAUSED)
        assert campaign.submission_id is not None
        waiting = queue.waiting_of(tx, campaign.submission_id)
        due, release_at = due_times(campaign.per_minute, None, now, len(waiting))
        queue.make_due(tx, dict(zip(waiting, due, strict=True)))
        return _moved(tx, campaign, CampaignState.SENDING, now, release_at=release_at)


def cancel(database: Database, campaign_id: UUID, *, now: datetime) -> Campaign:
    """End it for good: what has not gone out does not go out. Raises NotFound, Conflict."""
    with database.write() as tx:
        campaign = _held(tx, campaign_id, CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED)
        if campaign.submission_id is None:  # it had not begun, so that nothing has to be put away
            return _moved(tx, campaign, CampaignState.CANCELLED, now, finished_at=now, expanded=True)
        queue.hold(tx, campaign.submission_id, f"campaign {campaign.id}")
        return _moved(tx, campaign, CampaignState.CANCELLED, now, finished_at=now, expanded=False)


def due_times(
    per_minute: int | None, release_at: datetime | None, now: datetime, number: int
) -> tuple[list[datetime], datetime | None]:
    """Return when each of so many mails may go out, and when the one behind them may; spread evenly, never in bursts
    that make up for lost time."""
    if per_minute is None:
        return [now] * number, None
    first = max(release_at or now, now)
    apart = timedelta(minutes=1) / per_minute
    return [first + apart * position for position in range(number)], first + apart * number


def _held(tx: Tx, campaign_id: UUID, *wanted: CampaignState) -> Campaign:
    found = rows.get_campaign(tx, campaign_id, lock=True)
    if found is None:
        raise NotFound("there is no such campaign", where="campaign")
    if found.state not in wanted:
        needed = " or ".join(wanted)
        raise Conflict(f"the campaign is {found.state}", where="campaign", remedy=f"this is for one that is {needed}")
    return found


def _moved(tx: Tx, campaign: Campaign, state: CampaignState, now: datetime, **values: object) -> Campaign:
    changed = {"state": state, "state_at": now, **values}
    rows.change(tx, campaign.id, changed)
    return replace(campaign, **changed)  # type: ignore[arg-type]
