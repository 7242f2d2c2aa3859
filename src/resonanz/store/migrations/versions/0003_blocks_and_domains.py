"""Blocked submissions and custom tracking domains."""

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "blocks",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("submission_id", types.Id(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("occurred_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_blocks_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
    )
    op.create_index("ix_blocks_submission_id", "blocks", ["submission_id", "id"], unique=False)
    op.create_table(
        "domains",
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", types.Moment(), nullable=True),
        sa.Column("in_use", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("checked_at", types.Moment(), nullable=True),
        sa.Column("check_note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_domains")),
    )
    op.create_table(
        "domain_senders",
        sa.Column("sender", sa.String(length=253), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.ForeignKeyConstraint(
            ["domain"], ["domains.name"], name=op.f("fk_domain_senders_domain"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_domain_senders")),
    )
    op.create_index(op.f("ix_domain_senders_domain"), "domain_senders", ["domain"], unique=False)
