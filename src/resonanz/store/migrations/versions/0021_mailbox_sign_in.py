"""Mailboxes that are signed in to with a provider, and when each brought its last report."""

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "mailboxes", sa.Column("authentication", sa.String(length=16), server_default="password", nullable=False)
    )
    op.add_column("mailboxes", sa.Column("provider", sa.String(length=16), server_default="", nullable=False))
    op.add_column("mailboxes", sa.Column("client_id", sa.Text(), server_default="", nullable=False))
    op.add_column("mailboxes", sa.Column("client_secret", sa.LargeBinary(), nullable=True))
    op.add_column("mailboxes", sa.Column("tenant", sa.String(length=64), server_default="", nullable=False))
    op.add_column("mailboxes", sa.Column("taken_at", types.Moment(), nullable=True))
