"""Hits that could not be turned into events are kept."""

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "aside",
        sa.Column("journal", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hit", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("set_aside_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("journal", "position", name=op.f("pk_aside")),
    )
