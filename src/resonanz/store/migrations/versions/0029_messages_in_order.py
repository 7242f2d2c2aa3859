"""The messages of a submission in their order, so that a page of its recipients costs the same wherever it is."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_messages_submission_id", table_name="messages")
    op.create_index("ix_messages_submission_id", "messages", ["submission_id", "id"], unique=False)
