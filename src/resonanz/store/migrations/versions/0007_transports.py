"""Named transports, what is known of recipient domains, and what a queued mail waits for."""

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transports",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("account_id", types.Id(), nullable=True),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(length=16), nullable=False),
        sa.Column("authentication", sa.String(length=16), nullable=False),
        sa.Column("username", sa.String(length=320), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("provider", sa.String(length=16), server_default="", nullable=False),
        sa.Column("client_id", sa.Text(), server_default="", nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=True),
        sa.Column("tenant", sa.String(length=64), server_default="", nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("connections", sa.SmallInteger(), nullable=True),
        sa.Column("rate_per_minute", sa.Integer(), nullable=True),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sign_in_again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("trouble", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("changed_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_transports_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transports")),
        sa.UniqueConstraint("name", name=op.f("uq_transports_name")),
    )
    op.create_index(op.f("ix_transports_account_id"), "transports", ["account_id"], unique=False)
    op.create_table(
        "transport_senders",
        sa.Column("transport_id", types.Id(), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.ForeignKeyConstraint(
            ["transport_id"], ["transports.id"], name=op.f("fk_transport_senders_transport_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("transport_id", "sender", name=op.f("pk_transport_senders")),
    )
    op.create_table(
        "destinations",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("connections", sa.SmallInteger(), nullable=True),
        sa.Column("rate_per_minute", sa.Integer(), nullable=True),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("slow_until", types.Moment(), nullable=True),
        sa.Column("slow_steps", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_destinations")),
    )
    op.add_column("queue", sa.Column("waits_for", sa.String(length=300), server_default="", nullable=False))
