"""Whose mail made them unsubscribe is found without reading its other events."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    left = sa.text("kind = 'unsubscribed'")
    op.create_index(
        "ix_events_leavings", "events", ["message_id"], unique=False, sqlite_where=left, postgresql_where=left
    )
