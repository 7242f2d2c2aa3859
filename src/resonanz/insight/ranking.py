"""Which campaigns were opened and clicked most, small ones seen beside what their account's earlier mailings tell.

By its bare rate a campaign to ten people would lead or trail all others by chance. So each is ranked by its rate drawn
towards the account's history, the more the fewer copies it has (`rates.shrunk`); what is shown is its own rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from resonanz.insight.rates import FEWEST, Prior, Rate, prior_of, rate, shrunk
from resonanz.insight.turnout import rates
from resonanz.store import Database, Tx
from resonanz.store.campaigns import Campaign, sent_campaigns
from resonanz.store.tallies import tallies_among

COMPARED = 20  # what was usual longer ago is not what is usual
RANKED = 200  # the newest campaigns: more than anybody compares, and a page of constant cost


class By(StrEnum):
    """What campaigns are ranked by."""

    OPENED = "opened"
    CLICKED = "clicked"


@dataclass(frozen=True, slots=True)
class Figures:
    """A campaign's rates, each None where nothing is tracked by name."""

    opened: Rate | None
    clicked: Rate | None

    def by(self, which: By) -> Rate | None:
        """Return the rate that is ranked by."""
        return self.opened if which is By.OPENED else self.clicked


@dataclass(frozen=True, slots=True)
class Ranked:
    """A campaign at its place. `score` (0…1) is what it is ranked by: its rate beside the `prior` of its account, or
    its bare rate where there is none."""

    campaign: Campaign
    figures: Figures
    score: float
    prior: Prior | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Campaigns, the best first, and how many were left out because nothing of them is tracked by name."""

    by: By
    rows: tuple[Ranked, ...]
    unmeasured: int


def figures_of(tx: Tx, submission_ids: Iterable[UUID]) -> dict[UUID, Figures]:
    """Return the rates of these submissions."""
    found = {id: rates(tallies) for id, tallies in tallies_among(tx, list(submission_ids)).items()}
    return {id: Figures(each.opened, each.clicked) for id, each in found.items()}


@dataclass(frozen=True, slots=True)
class Usual:
    """What an account's other campaigns came to, all their copies taken together: the newest `campaigns` of them."""

    campaigns: int
    opened: Rate | None
    clicked: Rate | None


def usual_beside(tx: Tx, campaign: Campaign) -> Usual | None:
    """Return what is usual for the account of a campaign by its others, or None where they are too few to tell; two
    statements."""
    others = [
        one.submission_id
        for one in sent_campaigns(tx, limit=RANKED)
        if one.submission_id is not None and one.account_id == campaign.account_id and one.id != campaign.id
    ][:COMPARED]
    if len(others) < FEWEST:
        return None
    theirs = list(figures_of(tx, others).values())
    return Usual(len(others), *(_together(one.by(which) for one in theirs) for which in (By.OPENED, By.CLICKED)))


def _together(rates: Iterable[Rate | None]) -> Rate | None:
    known = [one for one in rates if one is not None]
    return rate(sum(one.part for one in known), sum(one.whole for one in known), "arrived by name")


def rank_campaigns(database: Database, by: By) -> Ranking:
    """Rank the newest campaigns of which mail went out; three statements."""
    with database.read() as tx:
        found = sent_campaigns(tx, limit=RANKED)
        figures = figures_of(tx, [one.submission_id for one in found if one.submission_id is not None])
    measured = [
        (one, figures[one.submission_id], own)
        for one in found
        if one.submission_id is not None and (own := figures[one.submission_id].by(by)) is not None
    ]
    priors = _priors((one, own) for one, _, own in measured)
    rows = [
        Ranked(one, theirs, shrunk(own.part, own.whole, priors[one.account_id]), priors[one.account_id])
        for one, theirs, own in measured
    ]
    rows.sort(key=lambda row: (-row.score, row.campaign.id))
    return Ranking(by, tuple(rows), len(found) - len(rows))


def _priors(measured: Iterable[tuple[Campaign, Rate]]) -> Mapping[UUID | None, Prior | None]:
    """Return what the mailings of each account let one expect of another by it."""
    history: defaultdict[UUID | None, list[tuple[int, int]]] = defaultdict(list)
    for campaign, own in measured:
        history[campaign.account_id].append((own.part, own.whole))
    return {account_id: prior_of(theirs) for account_id, theirs in history.items()}
