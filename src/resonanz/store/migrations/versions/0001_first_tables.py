"""First tables."""

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("password_changed_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("address", name=op.f("uq_accounts_address")),
    )
    op.create_table(
        "choices",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", types.Json, nullable=False),
        sa.Column("changed_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_choices")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint("address", name=op.f("uq_contacts_address")),
    )
    op.create_table(
        "contents",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contents")),
    )
    op.create_table(
        "cursors",
        sa.Column("journal", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("journal", name=op.f("pk_cursors")),
    )
    op.create_table(
        "events",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("message_id", types.Id(), nullable=True),
        sa.Column("submission_id", types.Id(), nullable=True),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("occurred_at", types.Moment(), nullable=False),
        sa.Column("received_at", types.Moment(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("source_key", sa.String(length=255), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=True),
        sa.Column("confidence", sa.String(32), nullable=True),
        sa.Column("reasons", types.Json, nullable=False),
        sa.Column("client_kind", sa.String(32), nullable=True),
        sa.Column("client_name", sa.Text(), nullable=False),
        sa.Column("client_os", sa.Text(), nullable=False),
        sa.Column("client_device", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("link", sa.Integer(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("repeat_of", sa.BigInteger(), nullable=True),
        sa.Column("detail", types.Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_message_id", "events", ["message_id", "repeat_of", "id"], unique=False)
    op.create_index(
        "ix_events_news",
        "events",
        ["id"],
        unique=False,
        sqlite_where=sa.text("repeat_of IS NULL"),
        postgresql_where=sa.text("repeat_of IS NULL"),
    )
    op.create_index(
        "uq_events_source_key",
        "events",
        ["source", "source_key"],
        unique=True,
        sqlite_where=sa.text("source_key <> ''"),
        postgresql_where=sa.text("source_key <> ''"),
    )
    op.create_table(
        "rollup",
        sa.Column("bucket", types.Moment(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("who", sa.String(32), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "kind", "who", name=op.f("pk_rollup")),
    )
    op.create_table(
        "suppressions",
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("since", types.Moment(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "throttles",
        sa.Column("bucket", sa.String(length=200), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_throttles")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("account_id", types.Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("used_at", types.Moment(), nullable=True),
        sa.Column("revoked_at", types.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_api_keys_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_keys_secret_hash")),
    )
    op.create_index(op.f("ix_api_keys_account_id"), "api_keys", ["account_id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("contact_id", types.Id(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("occurred_at", types.Moment(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_consents_contact_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index("ix_consents_contact_id_purpose", "consents", ["contact_id", "purpose", "id"], unique=False)
    op.create_table(
        "links",
        sa.Column("content_id", types.Id(), nullable=False),
        sa.Column("link", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["content_id"], ["contents.id"], name=op.f("fk_links_content_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("content_id", "link", name=op.f("pk_links")),
    )
    op.create_table(
        "sessions",
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", types.Id(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("seen_at", types.Moment(), nullable=False),
        sa.Column("expires_at", types.Moment(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account_id"), "sessions", ["account_id"], unique=False)
    op.create_table(
        "submissions",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("content_id", types.Id(), nullable=False),
        sa.Column("account_id", types.Id(), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("track_opens", sa.String(32), nullable=False),
        sa.Column("track_clicks", sa.String(32), nullable=False),
        sa.Column("track_documents", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=True),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("anonymous_opens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("anonymous_clicks", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_submissions_account_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["content_id"], ["contents.id"], name=op.f("fk_submissions_content_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
    )
    op.create_index(op.f("ix_submissions_account_id"), "submissions", ["account_id"], unique=False)
    op.create_index("uq_submissions_idempotency", "submissions", ["account_id", "idempotency_key"], unique=True)
    op.create_table(
        "messages",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("submission_id", types.Id(), nullable=False),
        sa.Column("contact_id", types.Id(), nullable=True),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("header_id", sa.Text(), nullable=True),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("track_opens", sa.String(32), nullable=False),
        sa.Column("track_clicks", sa.String(32), nullable=False),
        sa.Column("coverage", sa.String(32), nullable=False),
        sa.Column("untracked_reason", sa.String(length=64), server_default="", nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("state_at", types.Moment(), nullable=False),
        sa.Column("state_note", sa.Text(), server_default="", nullable=False),
        sa.Column("opens_human", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opens_indeterminate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opens_machine", sa.Integer(), server_default="0", nullable=False),
        sa.Column("clicks_human", sa.Integer(), server_default="0", nullable=False),
        sa.Column("clicks_indeterminate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("clicks_machine", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_opened_at", types.Moment(), nullable=True),
        sa.Column("last_opened_at", types.Moment(), nullable=True),
        sa.Column("first_clicked_at", types.Moment(), nullable=True),
        sa.Column("last_clicked_at", types.Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contacts.id"], name=op.f("fk_messages_contact_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_messages_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(op.f("ix_messages_contact_id"), "messages", ["contact_id"], unique=False)
    op.create_index(op.f("ix_messages_header_id"), "messages", ["header_id"], unique=False)
    op.create_index(op.f("ix_messages_recipient"), "messages", ["recipient"], unique=False)
    op.create_index("ix_messages_state", "messages", ["state", "id"], unique=False)
    op.create_index(op.f("ix_messages_submission_id"), "messages", ["submission_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", BigKey, autoincrement=True, nullable=False),
        sa.Column("message_id", types.Id(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("started_at", types.Moment(), nullable=False),
        sa.Column("finished_at", types.Moment(), nullable=False),
        sa.Column("transport", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_attempts_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_message_id"), "attempts", ["message_id"], unique=False)
    op.create_table(
        "queue",
        sa.Column("message_id", types.Id(), nullable=False),
        sa.Column("due_at", types.Moment(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.Column("claimed_until", types.Moment(), nullable=True),
        sa.Column("on_wire", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_queue_message_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_queue")),
    )
    op.create_index("ix_queue_due_at", "queue", ["due_at"], unique=False)
