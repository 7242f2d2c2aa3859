"""Whether the instance's transports stand in for an account's own one."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transports", sa.Column("fall_back", sa.Boolean(), server_default=sa.text("false"), nullable=False))
