"""Providers' webhooks, and what others told us that became no fact."""

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "strays",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("source_key", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("received_at", types.Moment(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strays")),
    )
    op.create_index("uq_strays_source_key", "strays", ["source", "source_key"], unique=True)
    op.create_table(
        "providers",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("taken", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("kept", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_at", types.Moment(), nullable=True),
        sa.Column("refused_at", types.Moment(), nullable=True),
        sa.Column("refusal", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_providers")),
    )
    op.create_table(
        "provider_nonces",
        sa.Column("provider_id", types.Id(), nullable=False),
        sa.Column("nonce", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("seen_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers.id"], name=op.f("fk_provider_nonces_provider_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("provider_id", "nonce", name=op.f("pk_provider_nonces")),
    )
    op.create_index(op.f("ix_provider_nonces_seen_at"), "provider_nonces", ["seen_at"], unique=False)
