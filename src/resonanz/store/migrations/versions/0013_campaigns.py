"""Campaigns, and the lists they go to."""

import sqlalchemy as sa
from alembic import op

from resonanz.model import TrackingMode
from resonanz.store import types

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("account_id", types.Id(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("track_opens", types.Word(TrackingMode), nullable=False),
        sa.Column("track_clicks", types.Word(TrackingMode), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("state_at", types.Moment(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("changed_at", types.Moment(), nullable=False),
        sa.Column("start_at", types.Moment(), nullable=True),
        sa.Column("started_at", types.Moment(), nullable=True),
        sa.Column("finished_at", types.Moment(), nullable=True),
        sa.Column("submission_id", types.Id(), nullable=True),
        sa.Column("cursor", types.Id(), nullable=True),
        sa.Column("expanded", sa.Boolean(), nullable=False),
        sa.Column("release_at", types.Moment(), nullable=True),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("suppressed", sa.Integer(), nullable=False),
        sa.Column("unwilling", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_campaigns_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_campaigns_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_campaigns_submission_id")),
    )
    op.create_index(op.f("ix_campaigns_account_id"), "campaigns", ["account_id"], unique=False)
    op.create_index("ix_campaigns_state", "campaigns", ["state"], unique=False)
    op.create_table(
        "campaign_lists",
        sa.Column("campaign_id", types.Id(), nullable=False),
        sa.Column("list_id", types.Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_lists_campaign_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name=op.f("fk_campaign_lists_list_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("campaign_id", "list_id", name=op.f("pk_campaign_lists")),
    )
    op.create_index(op.f("ix_campaign_lists_list_id"), "campaign_lists", ["list_id"], unique=False)
