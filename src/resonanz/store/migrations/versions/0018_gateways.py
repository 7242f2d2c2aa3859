"""Who scans a recipient's mail, or takes tracking out of it: by name, with each message."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("gateway", sa.String(length=48), nullable=True))
