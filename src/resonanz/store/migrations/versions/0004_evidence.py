"""Evidence of hits whose verdict other hits may still change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from resonanz import model
from resonanz.store import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", types.Id(), nullable=False),
        sa.Column("kind", types.Word(model.HitKind), nullable=False),
        sa.Column("link", sa.Integer(), nullable=True),
        sa.Column("occurred_at", types.Moment(), nullable=False),
        sa.Column("received_at", types.Moment(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column(
            "headers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.Column("due_at", types.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
    )
    op.create_index("ix_evidence_message_id", "evidence", ["message_id"], unique=False)
    op.create_index("ix_evidence_source", "evidence", ["source", "occurred_at"], unique=False)
    op.create_index(
        "ix_evidence_due_at",
        "evidence",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
