"""Whether the recipients of a submission share one copy."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False))
