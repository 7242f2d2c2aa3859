"""Whether answers to a submission's mail come here first."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("replies", sa.Boolean(), server_default=sa.text("false"), nullable=False))
