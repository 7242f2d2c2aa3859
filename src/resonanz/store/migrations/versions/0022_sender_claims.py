"""Sender addresses that accounts claim, until they are confirmed by a link in a mail."""

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sender_claims",
        sa.Column("account_id", types.Id(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("expires_at", types.Moment(), nullable=False),
        sa.Column("ended", sa.String(length=16), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sender_claims_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "address", name=op.f("pk_sender_claims")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sender_claims_secret_hash")),
    )
