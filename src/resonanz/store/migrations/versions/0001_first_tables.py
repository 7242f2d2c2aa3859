"""First tables.

The first revision creates the tables as they are declared; every later one spells its change out.
"""

from alembic import op

from resonanz.store.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
