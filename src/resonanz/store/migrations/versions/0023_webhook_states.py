"""Deliveries of webhooks by their state: what failed is found among millions that did not."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_webhook_deliveries_state", "webhook_deliveries", ["endpoint_id", "state", "id"])
