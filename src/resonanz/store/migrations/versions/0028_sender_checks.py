"""What DNS said of senders' domains, when it was last looked at."""

import sqlalchemy as sa
from alembic import op

from resonanz.store.types import Json, Moment

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sender_checks",
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("checked_at", Moment, nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=False),
        sa.Column("records", Json, nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_sender_checks")),
    )
