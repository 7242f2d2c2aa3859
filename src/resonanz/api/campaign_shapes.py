"""Campaigns as they go in and out of the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from resonanz.api.figure_shapes import BehindOut, OpensOut, RateOut, UnmeasuredOut
from resonanz.api.shapes import TrackingIn
from resonanz.api.shaping import Incoming, Line, Outgoing, Text
from resonanz.insight import By, Ranking, Results
from resonanz.model import MessageState, TrackingMode
from resonanz.sending.campaigns import Plan
from resonanz.store.campaigns import Campaign, CampaignState

ListId = Annotated[UUID, Field(strict=False)]


class CampaignIn(Incoming):
    """What is to be sent to whom. Subject, preheader, HTML and text may hold placeholders (minijinja)."""

    name: Annotated[Line, Field(description="For you; recipients do not see it")]
    sender: Annotated[Line, Field(alias="from", description="`name <address>` or an address")] = ""
    reply_to: Line = ""
    subject: Line = ""
    preheader: Annotated[Line, Field(description="What lists of mails show behind the subject")] = ""
    html: Text = ""
    text: Annotated[Text, Field(description="Empty: made from the HTML")] = ""
    lists: Annotated[list[ListId], Field(max_length=100)] = Field(default_factory=list)
    tracking: TrackingIn = Field(default_factory=TrackingIn)
    per_minute: Annotated[int | None, Field(description="Mails; null: as fast as it goes")] = None

    def plan(self) -> Plan:
        """The plan that this is."""
        return Plan(
            name=self.name,
            sender=self.sender,
            reply_to=self.reply_to,
            subject=self.subject,
            preheader=self.preheader,
            html=self.html,
            text=self.text,
            lists=tuple(self.lists),
            track_opens=self.tracking.opens,
            track_clicks=self.tracking.clicks,
            per_minute=self.per_minute,
        )


class ScheduleIn(Incoming):
    """When to start; without a time, now."""

    at: Annotated[datetime | None, Field(strict=False, description="With a time zone")] = None


class TrialIn(Incoming):
    """Where a test goes, and whose copy it is."""

    to: Annotated[list[Line], Field(min_length=1, max_length=20)]
    contact: Annotated[Line, Field(description="Whose values fill the placeholders; empty: somebody on its lists")] = ""


class ProgressOut(Outgoing):
    """How far a campaign has come: contacts that have a mail, and that have none and why."""

    messages: int
    suppressed: int
    without_consent: int
    everybody: bool = Field(description="Whether the whole audience was gone through")


class CampaignOut(Outgoing):
    """A campaign, its content and its progress."""

    id: UUID
    name: str
    sender: str = Field(serialization_alias="from")
    reply_to: str
    subject: str
    preheader: str
    html: str
    text: str
    lists: list[UUID]
    tracking: dict[str, TrackingMode]
    per_minute: int | None
    state: CampaignState
    state_at: datetime
    start_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    submission: UUID | None = Field(description="Its mails: GET /submissions/{submission}")
    progress: ProgressOut

    @classmethod
    def of(cls, row: Campaign, lists: Sequence[UUID]) -> CampaignOut:
        """The shape of a stored campaign."""
        return cls(
            id=row.id,
            name=row.name,
            sender=row.sender,
            reply_to=row.reply_to,
            subject=row.subject,
            preheader=row.preheader,
            html=row.html,
            text=row.text,
            lists=list(lists),
            tracking={"opens": row.track_opens, "clicks": row.track_clicks},
            per_minute=row.per_minute,
            state=row.state,
            state_at=row.state_at,
            start_at=row.start_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            submission=row.submission_id,
            progress=ProgressOut(
                messages=row.audience,
                suppressed=row.suppressed,
                without_consent=row.unwilling,
                everybody=row.expanded and row.state is not CampaignState.CANCELLED,
            ),
        )


class CampaignPage(Outgoing):
    """Some campaigns; `next` goes on behind them, null at the end."""

    campaigns: list[CampaignOut]
    next: UUID | None


class FaultOut(Outgoing):
    """One thing to look at. What `blocks` keeps the campaign from being sent."""

    field: str
    what: str
    remedy: str
    blocks: bool


class AudienceOut(Outgoing):
    """Contacts on a campaign's lists, each counted once."""

    willing: int
    suppressed: int
    unwilling: int


class PreviewOut(Outgoing):
    """One contact's copy."""

    contact: str
    subject: str
    html: str
    text: str


class LinkOut(Outgoing):
    """One link, as its author wrote it; how many recipients followed it, by name and by proof, and how many clicks on
    it carry no name: null where none do, or so few recipients got the mail that it is withheld."""

    link: int
    url: str
    label: str
    clickers: int
    nameless: int | None


class ReportOut(Outgoing):
    """What became of a campaign's mails. `openers` and `clickers` are recipients, by name and by proof."""

    recipients: int
    states: dict[MessageState, int]
    arrived: int = Field(description="Copies that were handed over and did not come back.")
    opens: OpensOut | None
    unmeasured: list[UnmeasuredOut]
    gateways: list[BehindOut] = Field(description="Who stands before the recipients, the most first.")
    openers: int
    clickers: int
    links: list[LinkOut]
    bounces: dict[str, int] = Field(description="By reason")
    bounced_hard: int = Field(description="Mails whose address is dead")
    bounced_soft: int = Field(description="Mails that came back for another reason")
    unsubscribed: int
    complained: int
    replied: int

    @classmethod
    def of(cls, found: Results) -> ReportOut:
        """The shape of a report."""
        opens = found.page.opens
        return cls(
            recipients=found.page.submission.recipients,
            states=found.page.states,
            arrived=opens.arrived,
            opens=OpensOut.of(opens.estimate) if opens.estimate is not None else None,
            unmeasured=[UnmeasuredOut.of(each) for each in opens.unmeasured],
            gateways=[BehindOut.of(each, opens.arrived) for each in opens.gateways],
            openers=found.page.openers,
            clickers=found.page.clickers,
            links=[LinkOut.model_validate(one) for one in found.links],
            bounces=dict(found.bounces.reasons),
            bounced_hard=found.bounces.hard,
            bounced_soft=found.bounces.soft,
            unsubscribed=found.answers.unsubscribed,
            complained=found.answers.complained,
            replied=found.answers.replied,
        )


class PriorOut(Outgoing):
    """What the mailings of an account let one expect of another: as if `weight` recipients had shown `mean` (0…1)."""

    mean: float
    weight: float


class RankedOut(Outgoing):
    """A campaign at its place. `score` is what it is ranked by; without a `prior` (fewer than three mailings of its
    account were measured) its bare rate."""

    id: UUID
    name: str
    subject: str
    submission: UUID | None
    opened: RateOut | None
    clicked: RateOut | None
    score: float
    prior: PriorOut | None


class RankingOut(Outgoing):
    """Campaigns, the best first; `unmeasured` were left out because nothing of them is tracked by name."""

    by: By
    campaigns: list[RankedOut]
    unmeasured: int

    @classmethod
    def of(cls, found: Ranking) -> RankingOut:
        """The shape of a ranking."""
        return cls(
            by=found.by,
            campaigns=[
                RankedOut(
                    id=row.campaign.id,
                    name=row.campaign.name,
                    subject=row.campaign.subject,
                    submission=row.campaign.submission_id,
                    opened=RateOut.of_rate(row.figures.opened),
                    clicked=RateOut.of_rate(row.figures.clicked),
                    score=row.score,
                    prior=PriorOut.model_validate(row.prior) if row.prior is not None else None,
                )
                for row in found.rows
            ],
            unmeasured=found.unmeasured,
        )
