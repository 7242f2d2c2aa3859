"""`resonanz campaign …`: writing, trying, sending and following campaigns from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from resonanz import model
from resonanz.app.instance import opened, opened_instance
from resonanz.model import InvalidInput, MessageState, NotFound, TrackingMode

if TYPE_CHECKING:
    from resonanz.app.settings import Settings
    from resonanz.sending.campaigns import Plan
    from resonanz.store import Database, Tx
    from resonanz.store.campaigns import Campaign

_modes = click.Choice([mode.value for mode in TrackingMode])
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_id = click.argument("campaign_id", metavar="CAMPAIGN", type=click.UUID)


@click.group()
def campaign() -> None:
    """Campaigns: one content for the contacts of some lists."""


@campaign.command()
@click.option("--name", required=True, help="For you; recipients do not see it.")
@click.option("--from", "sender", required=True, help="An address, or a name with an address.")
@click.option("--subject", required=True)
@click.option("--preheader", default="", help="What lists of mails show behind the subject.")
@click.option("--html", type=click.File(encoding="utf-8"), help="File with the HTML; - for standard input.")
@click.option("--text", type=click.File(encoding="utf-8"), help="File with the text. Default: made from the HTML.")
@click.option("--list", "lists", multiple=True, required=True, help="Name or id of a list; repeat it.")
@click.option("--reply-to", default="", help="Where answers go, if not to the sender.")
@click.option("--opens", type=_modes, default="individual", show_default=True, help="The most opens may be tracked.")
@click.option("--clicks", type=_modes, default="individual", show_default=True, help="The most clicks may be tracked.")
@click.option("--per-minute", type=int, help="Mails a minute, at most. Default: as fast as it goes.")
@_as_json
def create(
    lists: tuple[str, ...], html: Any, text: Any, opens: str, clicks: str, *, as_json: bool, **values: Any
) -> None:
    """Write a draft. Nothing is sent before `resonanz campaign send`."""
    from resonanz.sending import campaigns
    from resonanz.sending.campaigns import Plan

    with opened() as database:
        with database.read() as tx:
            list_ids = tuple(_list_id(tx, each) for each in lists)
        plan = Plan(
            **values,
            html=html.read() if html else "",
            text=text.read() if text else "",
            lists=list_ids,
            track_opens=TrackingMode(opens),
            track_clicks=TrackingMode(clicks),
        )
        made = campaigns.create(database, plan, account_id=None, now=model.now())
        _tell_findings(database, plan)
        _print(made, as_json=as_json)


@campaign.command("list")
@_as_json
def list_campaigns(*, as_json: bool) -> None:
    """Print the newest 50 campaigns."""
    from resonanz.store import campaigns as rows

    with opened() as database, database.read() as tx:
        found = rows.list_campaigns(tx, limit=50)
    if as_json:
        click.echo(json.dumps([_values(one) for one in found], indent=2))
        return
    for one in found:
        click.echo(f"{one.id}  {one.state:<9}  {one.audience:>9,}  {one.name}")


@campaign.command()
@_id
@_as_json
def show(campaign_id: UUID, *, as_json: bool) -> None:
    """Print one campaign, and what is wrong with it if it is a draft."""
    from resonanz.sending import campaigns
    from resonanz.store.campaigns import CampaignState

    with opened() as database:
        with database.read() as tx:
            found = campaigns.find(tx, campaign_id)
            plan = campaigns.plan_of(tx, found)
        _print(found, as_json=as_json)
        if found.state is CampaignState.DRAFT:
            _tell_findings(database, plan)


@campaign.command("test")
@_id
@click.option("--to", multiple=True, required=True, help="Where the test goes; repeat it.")
@click.option("--contact", default="", help="Whose values fill the placeholders. Default: somebody on its lists.")
def send_test(campaign_id: UUID, to: tuple[str, ...], contact: str) -> None:
    """Send a copy marked [Test]; it is not tracked and counts nowhere."""
    from resonanz.app.wiring import submitter
    from resonanz.sending import campaigns, trial

    with opened_instance() as (settings, database):
        with database.read() as tx:
            plan = campaigns.plan_of(tx, campaigns.find(tx, campaign_id))
            draft = trial.trial_draft(tx, plan, to, contact, account_id=None, source="cli")
        for message_id, address in submitter(settings, database)(draft, model.now()).messages:
            click.echo(f"queued  {message_id}  {address}")


@campaign.command()
@_id
@click.option("--at", help="When, such as 2026-05-04T12:00; without an offset in RESONANZ_TIMEZONE. Default: now.")
@_as_json
def send(campaign_id: UUID, at: str | None, *, as_json: bool) -> None:
    """Let a draft start, now or at a time. A running worker does the sending."""
    from resonanz.sending import campaigns

    with opened_instance() as (settings, database):
        moment = _moment(at, settings) if at else None
        scheduled = campaigns.schedule(database, campaign_id, at=moment, now=model.now())
        with database.read() as tx:
            plan = campaigns.plan_of(tx, scheduled)
        _tell_findings(database, plan)
        _print(scheduled, as_json=as_json)


def _act(name: str, text: str) -> click.Command:
    """One of the acts that take nothing but a campaign."""

    def act(campaign_id: UUID, *, as_json: bool) -> None:
        from resonanz.sending import campaigns

        does: Callable[..., Campaign] = getattr(campaigns, name)
        with opened() as database:
            _print(does(database, campaign_id, now=model.now()), as_json=as_json)

    return campaign.command(name, help=text)(_id(_as_json(act)))


_act("unschedule", "Make a draft again of what has not started.")
_act("pause", "Let nothing more go out until it is resumed.")
_act("resume", "Go on where it was paused.")
_act("cancel", "End it for good: what has not gone out does not go out.")


@campaign.command()
@click.option("--by", type=click.Choice(["opened", "clicked"]), default="opened", show_default=True)
@_as_json
def ranking(by: str, *, as_json: bool) -> None:
    """Print the newest 200 campaigns by the rate that opened or clicked, the best first.

    Each is ranked by its rate drawn towards the history of its account, so that a small one does not lead by chance:
    (part + mean × weight) ÷ (whole + weight). Rates are of the copies that arrived and are tracked by name, with
    Wilson's interval at 95 %.
    """
    from resonanz.insight import By, rank_campaigns

    with opened() as database:
        found = rank_campaigns(database, By(by))
    if as_json:
        from resonanz.api.campaign_shapes import RankingOut

        click.echo(RankingOut.of(found).model_dump_json(indent=2))
        return
    for place, row in enumerate(found.rows, 1):
        rate = row.figures.by(found.by)
        assert rate is not None
        click.echo(
            f"{place:>4}  {rate.part / rate.whole:6.1%} ({rate.around.low:.1%} to {rate.around.high:.1%}) "
            f"of {rate.whole:,}, ranked as {row.score:.1%}  {row.campaign.name}"
        )
    if found.unmeasured:
        click.echo(f"{found.unmeasured} without a rate: nothing of them arrived that is tracked by name")


@campaign.command()
@_id
@click.option("--csv", "as_csv", is_flag=True, help="Print every recipient as CSV instead.")
@_as_json
def report(campaign_id: UUID, *, as_csv: bool, as_json: bool) -> None:
    """Print what became of a campaign's mails."""
    from resonanz.insight import results_of, table
    from resonanz.sending import campaigns

    with opened_instance() as (settings, database):
        with database.read() as tx:
            submission_id = campaigns.find(tx, campaign_id).submission_id
        found = results_of(database, submission_id) if submission_id is not None else None
        if found is None or submission_id is None:
            raise NotFound("nothing has been sent yet", where="campaign")
        if as_csv:
            for portion in table(database, submission_id):
                click.echo(portion, nl=False)
            return
    estimate = found.page.opens.estimate
    values: dict[str, Any] = {
        "recipients": found.page.submission.recipients,
        **{state.value: number for state, number in found.page.states.items()},
        "openers_seen": found.page.openers,
        "openers_possible": estimate.possible if estimate else 0,
        "clickers": found.page.clickers,
        "unsubscribed": found.answers.unsubscribed,
        "complained": found.answers.complained,
        "replied": found.answers.replied,
        "bounced_hard": found.bounces.hard,
        "bounced_soft": found.bounces.soft,
        "bounces": dict(found.bounces.reasons),
        "links": [{"url": one.url, "clickers": one.clickers, "nameless": one.nameless} for one in found.links],
    }
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for name, value in values.items():
        if not isinstance(value, (dict, list)):
            click.echo(f"{name:<18} {value:>9,}")
    for reason, number in found.bounces.reasons.items():
        click.echo(f"bounced, {reason:<9} {number:>9,}")
    for link in found.links:
        click.echo(f"{link.clickers:>9,} clicked  {link.url or link.label}")
    if found.page.states.get(MessageState.SENT) and not settings.return_path_domain:
        click.echo(
            "No server is asked to confirm a delivery: set RESONANZ_RETURN_PATH_DOMAIN (docs/reports.md).", err=True
        )


# ── Reading and printing ────────────────────────────────────────────────────────────────────────────────────────────


def _list_id(tx: Tx, text: str) -> UUID:
    from resonanz.store import lists

    found = lists.find_list(tx, text)
    if found is not None:
        return found.id
    try:
        id = UUID(text)
    except ValueError:
        id = None
    if id is None or lists.get_list(tx, id) is None:
        raise InvalidInput(f"there is no list `{text[:100]}`", where="--list")
    return id


def _moment(text: str, settings: Settings) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput("not a time", where="--at", remedy="write it like 2026-05-04T12:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=settings.zone)


def _tell_findings(database: Database, plan: Plan) -> None:
    from resonanz.sending import trial

    with database.read() as tx:
        for one in trial.findings(tx, plan, model.now()):
            mark = "cannot be sent" if one.blocks else "to mind"
            click.echo(f"{mark}: {one.field}: {one.what}{f' ({one.remedy})' if one.remedy else ''}", err=True)


def _print(found: Campaign, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_values(found), indent=2))
        return
    for name, value in _values(found).items():
        if value not in (None, ""):
            click.echo(f"{name:<16} {value}")


def _values(found: Campaign) -> dict[str, Any]:
    moments = ("created_at", "start_at", "started_at", "finished_at")
    return {
        "id": str(found.id),
        "name": found.name,
        "state": found.state.value,
        "from": found.sender,
        "subject": found.subject,
        "per_minute": found.per_minute,
        **{name: moment.isoformat() if (moment := getattr(found, name)) else None for name in moments},
        "submission": str(found.submission_id) if found.submission_id else None,
        "messages": found.audience,
        "suppressed": found.suppressed,
        "without_consent": found.unwilling,
    }


commands = (campaign,)
