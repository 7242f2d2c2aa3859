"""The time zone of the place that an event came from."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("timezone", sa.String(length=64), server_default="", nullable=False))
