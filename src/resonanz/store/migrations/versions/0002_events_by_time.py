"""Events of a message by kind and time, so that folding repeats costs the same however many came before."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_events_message_id", table_name="events")
    op.create_index("ix_events_message_id", "events", ["message_id", "repeat_of", "kind", "occurred_at"], unique=False)
