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

from resonanz.insight.rates import Prior, Rate, prior_of, shrunk
from resonanz.insight.turnout import rates
from resonanz.store import Database, Tx
from resonanz.store.campaigns import Campaign, sent_campaigns
from resonanz.store.tallies import tallies_among

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


def rank_campaigns(database: Database, by: By) -> Ranking:
    """Rank the newest campaigns of which mail went out; three statements."""
    with database.read() as tx:
        found = sent_campaigns(tx, limit=RANKED)
        figures = figures_of(tx, [one.submission_id for one in found if one.submission_id is not None])
    measured = [
        (one, figures[one.submission_id], rate)
        for one in found
        if one.submission_id is not None and (rate := figures[one.submission_id].by(by)) is not None
    ]
    priors = _priors((one, rate) for one, _, rate in measured)
    rows = [
        Ranked(one, theirs, shrunk(rate.part, rate.whole, priors[one.account_id]), priors[one.account_id])
        for one, theirs, rate in measured
    ]
    rows.sort(key=lambda row: (-row.score, row.campaign.id))
    return Ranking(by, tuple(rows), len(found) - len(rows))


def _priors(measured: Iterable[tuple[Campaign, Rate]]) -> Mapping[UUID | None, Prior | None]:
    """Return what the mailings of each account let one expect of another by it."""
    history: defaultdict[UUID | None, list[tuple[int, int]]] = defaultdict(list)
    for campaign, rate in measured:
        history[campaign.account_id].append((rate.part, rate.whole))
    return {account_id: prior_of(theirs) for account_id, theirs in history.items()}
