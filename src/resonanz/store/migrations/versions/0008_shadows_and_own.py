"""What is tried in shadow, and the account's own browsers."""

import sqlalchemy as sa
from alembic import op

from resonanz import model
from resonanz.store import types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shadows",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("was", types.Word(model.Verdict), nullable=False),
        sa.Column("would", types.Word(model.Verdict), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "was", "would", name="pk_shadows"),
    )
    op.create_table(
        "own_sources",
        sa.Column("account_id", types.Id(), nullable=False),
        sa.Column("source", sa.LargeBinary(length=16), nullable=False),
        sa.Column("seen_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_own_sources_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "source", name="pk_own_sources"),
    )
    op.create_index("ix_own_sources_seen_at", "own_sources", ["seen_at"], unique=False)
