"""Campaigns by rate: a small one neither leads nor trails by chance."""

from __future__ import annotations

from uuid import UUID

from resonanz.ingest import record_all
from resonanz.insight import By, rank_campaigns
from resonanz.model import EventKind, TrackingMode, Verdict
from resonanz.store import Database, Tx, campaigns
from resonanz.store.campaigns import Campaign, CampaignState
from tests.kit.cast import NOON, Cast, event

PERSON = {"verdict": Verdict.HUMAN_DIRECT}


def add_sent(
    tx: Tx, cast: Cast, name: str, copies: int, opened: int, mode: TrackingMode = TrackingMode.INDIVIDUAL
) -> UUID:
    """Write a campaign that went to so many, of whom so many opened it."""
    addresses = [f"{name}{number}@example.org" for number in range(copies)]
    submission, rows = cast.mailing(tx, addresses, opens=mode, clicks=mode, source="campaign")
    if mode is TrackingMode.INDIVIDUAL:
        record_all(tx, [event(row, EventKind.OPENED, **PERSON) for row in rows[:opened]])
    row = Campaign(
        id=submission.id,
        account_id=cast.account_id,
        name=name,
        sender="letters@resonanz.example",
        reply_to="",
        subject=name,
        preheader="",
        html="",
        text="Hello",
        track_opens=mode,
        track_clicks=mode,
        per_minute=None,
        state=CampaignState.FINISHED,
        state_at=NOON,
        created_at=NOON,
        changed_at=NOON,
        submission_id=submission.id,
        audience=copies,
    )
    campaigns.add_campaign(tx, row, [])
    return row.id


def test_a_small_campaign_does_not_lead_by_chance(database: Database) -> None:
    """One that three of four opened stands behind a large one with half of all: what is shown stays its own rate."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        for name, copies, opened in (("good", 100, 50), ("fair", 100, 40), ("poor", 100, 20), ("tiny", 4, 3)):
            add_sent(tx, cast, name, copies, opened)
        add_sent(tx, cast, "nameless", 30, 0, TrackingMode.ANONYMOUS)
    found = rank_campaigns(database, By.OPENED)
    names = [row.campaign.name for row in found.rows]
    assert names.index("good") < names.index("tiny") < names.index("poor")
    assert found.unmeasured == 1
    tiny = found.rows[names.index("tiny")]
    assert tiny.figures.opened is not None
    assert tiny.prior is not None
    assert (tiny.figures.opened.part, tiny.figures.opened.whole) == (3, 4)
    assert tiny.prior.mean < tiny.score < 3 / 4
    weighed = (3 + tiny.prior.mean * tiny.prior.weight) / (4 + tiny.prior.weight)
    assert abs(tiny.score - weighed) < 1e-12


def test_without_a_history_the_bare_rates_are_ranked(database: Database) -> None:
    """Two mailings do not tell how far mailings differ."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        add_sent(tx, cast, "large", 40, 10)
        add_sent(tx, cast, "tiny", 4, 3)
    found = rank_campaigns(database, By.OPENED)
    assert [(row.campaign.name, row.score) for row in found.rows] == [("tiny", 0.75), ("large", 0.25)]
    assert {row.prior for row in found.rows} == {None}
    assert [row.campaign.name for row in rank_campaigns(database, By.CLICKED).rows] == ["large", "tiny"]
