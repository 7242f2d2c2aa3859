"""Campaigns as rows: what is to be sent to whom, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, or_, select, update

from resonanz.model import TrackingMode
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.tables import campaign_lists, campaigns, lists


class CampaignState(StrEnum):
    """Where a campaign is on its way."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"  # starts by itself when its time has come
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"  # every mail had its first attempt; what was deferred is still tried again
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Campaign:
    """One content for the contacts of some lists.

    `text` empty means: made from the HTML, and the other way round there is no HTML part. `per_minute` None sends as
    fast as it goes. From `started_at` on content and audience stand; `cursor` is the last contact that was looked at,
    `release_at` when the next mail may go out. Of those looked at, `audience` got a message, `suppressed` and
    `unwilling` (no consent to mailing) did not.
    """

    id: UUID
    account_id: UUID | None
    name: str
    sender: str
    reply_to: str
    subject: str
    preheader: str
    html: str
    text: str
    track_opens: TrackingMode
    track_clicks: TrackingMode
    per_minute: int | None
    state: CampaignState
    state_at: datetime
    created_at: datetime
    changed_at: datetime
    start_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    submission_id: UUID | None = None
    cursor: UUID | None = None
    expanded: bool = False
    release_at: datetime | None = None
    audience: int = 0
    suppressed: int = 0
    unwilling: int = 0


def add_campaign(tx: Tx, campaign: Campaign, list_ids: Collection[UUID]) -> None:
    """Insert a campaign and the lists it goes to."""
    tx.execute(insert(campaigns).values(**{name: getattr(campaign, name) for name in campaign.__slots__}))
    set_lists(tx, campaign.id, list_ids)


def set_lists(tx: Tx, campaign_id: UUID, list_ids: Collection[UUID]) -> None:
    """Let a campaign go to these lists and no others. Unknown ones are left out."""
    tx.execute(delete(campaign_lists).where(campaign_lists.c.campaign_id == campaign_id))
    known = sorted(tx.execute(select(lists.c.id).where(lists.c.id.in_(list(list_ids)))).scalars())
    if known:
        tx.execute(insert(campaign_lists), [{"campaign_id": campaign_id, "list_id": one} for one in known])


def lists_of(tx: Tx, campaign_id: UUID) -> list[UUID]:
    """Return the lists that a campaign goes to."""
    found = select(campaign_lists.c.list_id).where(campaign_lists.c.campaign_id == campaign_id)
    return list(tx.execute(found.order_by(campaign_lists.c.list_id)).scalars())


def change(tx: Tx, campaign_id: UUID, values: Mapping[str, Any]) -> None:
    """Set columns of a campaign."""
    tx.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(**values))


def delete_campaign(tx: Tx, campaign_id: UUID) -> bool:
    """Delete a campaign; what it has sent stays. Returns whether there was one."""
    return tx.execute(delete(campaigns).where(campaigns.c.id == campaign_id)).rowcount > 0


def get_campaign(tx: Tx, campaign_id: UUID, *, lock: bool = False) -> Campaign | None:
    """Return a campaign; with `lock`, nobody else changes it until the transaction ends."""
    query = select(campaigns).where(campaigns.c.id == campaign_id)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _campaign(row)


def list_campaigns(tx: Tx, *, limit: int, before: UUID | None = None) -> list[Campaign]:
    """Return campaigns, newest first, from the one behind `before`."""
    query = select(campaigns).order_by(campaigns.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(campaigns.c.id < before)
    return [_campaign(row) for row in tx.execute(query)]


def sent_campaigns(tx: Tx, *, limit: int) -> list[Campaign]:
    """Return the campaigns that have begun to be sent, newest first."""
    query = select(campaigns).where(campaigns.c.submission_id.is_not(None)).order_by(campaigns.c.id.desc()).limit(limit)
    return [_campaign(row) for row in tx.execute(query)]


def at_work(tx: Tx, now: datetime) -> list[Campaign]:
    """Return the campaigns that a worker has something to do for: those whose time has come, those that are sending,
    and those that were cancelled and not put away yet."""
    wanted = or_(
        campaigns.c.state == CampaignState.SENDING,
        (campaigns.c.state == CampaignState.SCHEDULED) & (campaigns.c.start_at <= now),
        (campaigns.c.state == CampaignState.CANCELLED) & campaigns.c.expanded.is_(False),
    )
    return [_campaign(row) for row in tx.execute(select(campaigns).where(wanted).order_by(campaigns.c.id))]


def standing_still(tx: Tx, submission_ids: Collection[UUID]) -> dict[UUID, CampaignState]:
    """Return the state of those of these submissions whose campaign is paused or cancelled."""
    still = (CampaignState.PAUSED, CampaignState.CANCELLED)
    return {
        row.submission_id: CampaignState(row.state)
        for portion in in_portions(submission_ids)
        for row in tx.execute(
            select(campaigns.c.submission_id, campaigns.c.state).where(
                campaigns.c.submission_id.in_(portion), campaigns.c.state.in_(still)
            )
        )
    }


def _campaign(row: Any) -> Campaign:
    values = dict(row._mapping)
    return Campaign(**{**values, "state": CampaignState(values["state"])})
