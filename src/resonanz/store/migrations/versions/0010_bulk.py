"""Submissions that are bulk mail."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("bulk", sa.Boolean(), server_default=sa.text("false"), nullable=False))
