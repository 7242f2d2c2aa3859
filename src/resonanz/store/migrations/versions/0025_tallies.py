"""Figures of submissions are kept: how many messages stand alike, who followed which link, and when."""

from collections import Counter

import sqlalchemy as sa
from alembic import op

from resonanz.store import types

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ANSWERS = {"unsubscribed": 1, "complained": 2, "replied": 4}
_COUNTED = "SELECT id FROM submissions WHERE source = 'campaign' OR recipients >= 21"
_PEOPLES = "('human_direct', 'human_proxied', 'human_confirmed', 'human_likely', 'inferred_from_click')"
_MACHINES = "('machine_prefetch', 'machine_scanner', 'machine_preview', 'sender_self')"
_NAMELESS = f"""message_id IS NULL AND submission_id IS NOT NULL AND repeat_of IS NULL
    AND (verdict IS NULL OR verdict NOT IN {_MACHINES})"""
_QUARTER = 15 * 60 * 1_000_000
_PORTION = 5_000


def upgrade() -> None:
    op.add_column("messages", sa.Column("answers", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("messages", sa.Column("bounce", sa.String(length=80), server_default="", nullable=False))
    op.add_column("messages", sa.Column("followed", sa.Text(), server_default="", nullable=False))
    _make_tables()
    _fill_messages()
    _fill_tallies()


def _make_tables() -> None:
    op.create_table(
        "tallies",
        sa.Column("submission_id", types.Id(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("track_opens", sa.String(length=32), nullable=False),
        sa.Column("track_clicks", sa.String(length=32), nullable=False),
        sa.Column("coverage", sa.String(length=32), nullable=False),
        sa.Column("gateway", sa.String(length=48), nullable=False),
        sa.Column("acts", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bounce", sa.String(length=80), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_tallies_submission_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "submission_id",
            "state",
            "track_opens",
            "track_clicks",
            "coverage",
            "gateway",
            "acts",
            "bounce",
            name=op.f("pk_tallies"),
        ),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "link_tallies",
        sa.Column("submission_id", types.Id(), nullable=False),
        sa.Column("link", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clickers", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("nameless", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_link_tallies_submission_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("submission_id", "link", name=op.f("pk_link_tallies")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "moments",
        sa.Column("submission_id", types.Id(), nullable=False),
        sa.Column("bucket", types.Moment(), nullable=False),
        sa.Column("opened", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("clicked", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("nameless_opens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("nameless_clicks", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_moments_submission_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("submission_id", "bucket", name=op.f("pk_moments")),
        postgresql_with={"fillfactor": 50},
    )


# ── What the facts say of each message ──────────────────────────────────────────────────────────────────────────────


def _fill_messages() -> None:
    for kind, answer in _ANSWERS.items():
        op.execute(
            f"UPDATE messages SET answers = answers + {answer} "  # noqa: S608  # words of our own
            f"WHERE id IN (SELECT message_id FROM events WHERE kind = '{kind}' AND message_id IS NOT NULL)"
        )
    _fill_bounces()
    _fill_followed()


def _fill_bounces() -> None:
    """The last report of each mail that bounced tells why."""
    in_detail = "json_extract(detail, '$.{}')" if op.get_bind().dialect.name == "sqlite" else "detail->>'{}'"
    sort, reason = (
        f"COALESCE(NULLIF({in_detail.format(name)}, ''), '{otherwise}')"
        for name, otherwise in (("bounce", "soft"), ("reason", "unspecified"))
    )
    op.execute(
        f"UPDATE messages SET bounce = COALESCE((SELECT substr({sort} || ' ' || {reason}, 1, 80) FROM events "  # noqa: S608
        "WHERE id = (SELECT max(id) FROM events WHERE message_id = messages.id AND kind = 'bounced')), '') "
        "WHERE state = 'bounced'"
    )


def _fill_followed() -> None:
    connection = op.get_bind()
    query = sa.text(
        "SELECT DISTINCT message_id, link FROM events WHERE kind = 'clicked' AND message_id IS NOT NULL "  # noqa: S608
        f"AND link IS NOT NULL AND repeat_of IS NULL AND (verdict IS NULL OR verdict IN {_PEOPLES})"
    )
    links: dict[object, list[int]] = {}
    for message_id, link in connection.execute(query):
        links.setdefault(message_id, []).append(link)
    rows = [{"id": id, "followed": " ".join(map(str, sorted(found)))} for id, found in links.items()]
    for start in range(0, len(rows), _PORTION):
        connection.execute(
            sa.text("UPDATE messages SET followed = :followed WHERE id = :id"), rows[start : start + _PORTION]
        )


# ── And what that makes of each submission ──────────────────────────────────────────────────────────────────────────


def _fill_tallies() -> None:
    alike = "submission_id, state, track_opens, track_clicks, coverage"
    gateway = "COALESCE(gateway, '?')"
    acts = (
        "(CASE WHEN opens_human > 0 THEN 1 ELSE 0 END) + (CASE WHEN opens_indeterminate > 0 THEN 2 ELSE 0 END) "
        "+ (CASE WHEN clicks_human > 0 THEN 4 ELSE 0 END) + answers * 8"
    )
    op.execute(
        f"INSERT INTO tallies ({alike}, gateway, acts, bounce, messages) "  # noqa: S608
        f"SELECT {alike}, {gateway}, {acts}, bounce, count(*) FROM messages "
        f"WHERE submission_id IN ({_COUNTED}) GROUP BY {alike}, {gateway}, {acts}, bounce"
    )
    _fill_links()
    _fill_moments()


def _fill_links() -> None:
    connection = op.get_bind()
    named, nameless = Counter[tuple[object, int]](), Counter[tuple[object, int]]()
    followed = (
        "SELECT submission_id, followed, count(*) FROM messages WHERE followed <> '' "  # noqa: S608
        f"AND submission_id IN ({_COUNTED}) GROUP BY submission_id, followed"
    )
    for id, links, number in connection.execute(sa.text(followed)):
        for link in links.split():
            named[id, int(link)] += number
    without = (
        f"SELECT submission_id, link, count(*) FROM events WHERE {_NAMELESS} "  # noqa: S608
        f"AND kind = 'clicked' AND link IS NOT NULL AND submission_id IN (SELECT id FROM submissions) "
        "GROUP BY submission_id, link"
    )
    for id, link, number in connection.execute(sa.text(without)):
        nameless[id, link] += number
    rows = [
        {"id": id, "link": link, "clickers": named[id, link], "nameless": nameless[id, link]}
        for id, link in {*named, *nameless}
    ]
    if rows:
        insert = sa.text(
            "INSERT INTO link_tallies (submission_id, link, clickers, nameless) "
            "VALUES (:id, :link, :clickers, :nameless)"
        )
        connection.execute(insert, rows)


def _fill_moments() -> None:
    parts = [
        f"SELECT submission_id, {column} - {column} % {_QUARTER} AS bucket, {figures} FROM {table} WHERE {which} "  # noqa: S608
        f"AND submission_id IN ({_COUNTED})"
        for table, column, figures, which in (
            ("messages", "first_opened_at", "1 AS one, 0 AS two, 0 AS three, 0 AS four", "first_opened_at IS NOT NULL"),
            ("messages", "first_clicked_at", "0, 1, 0, 0", "first_clicked_at IS NOT NULL"),
            ("events", "occurred_at", "0, 0, 1, 0", f"{_NAMELESS} AND kind = 'opened'"),
            ("events", "occurred_at", "0, 0, 0, 1", f"{_NAMELESS} AND kind = 'clicked'"),
        )
    ]
    op.execute(
        "INSERT INTO moments (submission_id, bucket, opened, clicked, nameless_opens, nameless_clicks) "  # noqa: S608
        f"SELECT submission_id, bucket, sum(one), sum(two), sum(three), sum(four) FROM ({' UNION ALL '.join(parts)}) "
        "AS parts GROUP BY submission_id, bucket"
    )
