"""Addresses and domains that accounts may send from."""

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "senders",
        sa.Column("account_id", types.Id(), nullable=False),
        sa.Column("pattern", sa.String(length=320), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_senders_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "pattern", name=op.f("pk_senders")),
    )
