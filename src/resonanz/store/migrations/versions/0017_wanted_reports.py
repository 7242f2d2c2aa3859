"""What senders of relayed mail are to be told of its fate, and mail that goes out without a return path."""

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("null_path", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "wanted_reports",
        sa.Column("message_id", types.Id(), nullable=False),
        sa.Column("on_failure", sa.Boolean(), nullable=False),
        sa.Column("on_delay", sa.Boolean(), nullable=False),
        sa.Column("on_success", sa.Boolean(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("envelope_id", sa.Text(), nullable=False),
        sa.Column("original_recipient", sa.Text(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("due", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_wanted_reports_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_wanted_reports")),
    )
    op.create_index(op.f("ix_wanted_reports_created_at"), "wanted_reports", ["created_at"])
    op.create_index("ix_wanted_reports_due", "wanted_reports", ["due", "message_id"])
