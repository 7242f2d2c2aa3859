"""A past to measure after: messages and their facts, made inside the database, a million in seconds.

Messages lie in campaigns of 50,000; their facts stand as they come in: all of a campaign are sent, then what was opened
and clicked comes in the order of nobody. Indexes are built when the rows are there, as that is quicker.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from resonanz.model import Coverage, MessageState, TrackingMode, new_id, now
from resonanz.store import Database, Tx, messages
from resonanz.store.messages import Content, Submission
from resonanz.store.tables import events

CAMPAIGN = 50_000
LINKS = 5
STAGES = ("sent", "delivered", "opened", "clicked")
_AT_ONCE = 500_000
_BORN = 0x0196_0000_0000  # the milliseconds that ids begin with; one for each message
_MIXED = 7_919  # shares no divisor with a campaign's size, so that its multiples name every message of it once


def message_id(number: int) -> UUID:
    """Return the id of the message with a number: it grows with it, as ids do."""
    return UUID(f"{_BORN + number:012x}70008000{number:012x}")


def fill(database: Database, first: int, amount: int, *, stages: int, start_us: int, step_us: int) -> None:
    """Add messages from a number on, each with its contact and the first so many stages as facts.

    The facts lie `step_us` microseconds apart from `start_us` on. `amount` fits a campaign, or is a multiple of one.
    """
    size = min(amount, CAMPAIGN)
    if not size or amount % size:
        raise SystemExit(f"messages are added by up to {CAMPAIGN:,}, or by multiples of that")
    with database.write() as tx:
        submission = _submission(tx, amount)
    with _without_indexes(database) if amount > CAMPAIGN else database.read():
        for begin in range(first, first + amount, _AT_ONCE):
            with database.write() as tx:
                _add_messages(tx, begin, min(begin + _AT_ONCE, first + amount), submission, stages, start_us)
        for begin in range(0, amount * stages, _AT_ONCE):
            with database.write() as tx:
                end = min(begin + _AT_ONCE, amount * stages)
                _add_facts(tx, first, (begin, end), (size, stages), submission, (start_us, step_us))
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


@contextmanager
def _without_indexes(database: Database) -> Iterator[None]:
    with database.write() as tx:
        for index in events.indexes:
            index.drop(tx)
    yield
    with database.write() as tx:
        for index in events.indexes:
            index.create(tx)


def _submission(tx: Tx, recipients: int) -> UUID:
    content = Content(new_id(), "rfc822", b"", "sender@example.org", "A newsletter", now())
    messages.add_contents(tx, [content])
    _run(
        tx,
        f"INSERT INTO links (content_id, link, url, label) WITH RECURSIVE n(i) AS ({_series(0, LINKS)})"
        f" SELECT contents.id, i, 'https://shop.example/some/page?of=interest', '' FROM n, contents"
        f" WHERE NOT EXISTS (SELECT 1 FROM links WHERE content_id = contents.id)",
    )
    individual = TrackingMode.INDIVIDUAL
    submission = Submission(new_id(), content.id, None, "api", individual, individual, recipients, content.created_at)
    messages.add_submissions(tx, [submission])
    return submission.id


def _add_messages(tx: Tx, first: int, end: int, submission: UUID, stages: int, sent_us: int) -> None:
    id, submission_id = _id_of(tx, "i"), _literal(tx, submission)
    done = int(stages == len(STAGES))
    state = MessageState.DELIVERED if stages > 1 else MessageState.SENT
    moment = f"{sent_us:d}"
    numbers = f"WITH RECURSIVE n(i) AS ({_series(first, end)})"
    _run(
        tx,
        f"INSERT INTO contacts (id, address, name, created_at) {numbers}"
        f" SELECT {id}, 'reader' || i || '@example.org', '', {moment} FROM n",
    )
    _run(
        tx,
        "INSERT INTO messages (id, submission_id, contact_id, recipient, sender, subject, created_at, track_opens,"
        " track_clicks, coverage, state, state_at, opens_human, clicks_human, first_opened_at, last_opened_at,"
        f" first_clicked_at, last_clicked_at) {numbers}"
        f" SELECT {id}, {submission_id}, {id}, 'reader' || i || '@example.org', 'sender@example.org', 'A newsletter',"
        f" {moment}, '{TrackingMode.INDIVIDUAL}', '{TrackingMode.INDIVIDUAL}', '{Coverage.TRACKABLE}', '{state}',"
        f" {moment}, {done}, {done}, {', '.join([moment if done else 'NULL'] * 4)} FROM n",
    )


def _add_facts(
    tx: Tx, first: int, part: tuple[int, int], shape: tuple[int, int], submission: UUID, times: tuple[int, int]
) -> None:
    size, stages = shape
    start, step = times
    stage = f"i % {size * stages} / {size}"
    message = f"{first} + i / {size * stages} * {size} + i % {size * stages} * {_MIXED} % {size}"
    words = ", ".join(f"({number}, '{stage}')" for number, stage in enumerate(STAGES))
    json = "" if tx.dialect.name == "sqlite" else "::jsonb"
    _run(
        tx,
        "INSERT INTO events (kind, message_id, submission_id, recipient, occurred_at, received_at, source, source_key,"
        " verdict, confidence, reasons, client_kind, client_name, client_os, client_device, country, region, city,"
        " link, url, repeat_of, detail)"
        f" WITH RECURSIVE n(i) AS ({_series(*part)}), stages(number, kind) AS (VALUES {words}),"
        f" facts AS (SELECT i, {message} AS m, kind, number > 1 AS fetched, number > 2 AS clicked"
        f" FROM n JOIN stages ON number = {stage})"
        f" SELECT kind, {_id_of(tx, 'm')}, {_literal(tx, submission)}, 'reader' || m || '@example.org',"
        f" {start} + i * {step}, {start} + i * {step}, CASE WHEN fetched THEN 'edge' ELSE 'worker' END, '',"
        " CASE WHEN clicked THEN 'human_likely' WHEN fetched THEN 'human_direct' END,"
        " CASE WHEN fetched THEN 'probable' END,"
        f" CASE WHEN fetched THEN '[\"browser\"]'{json} ELSE '[]'{json} END,"
        " CASE WHEN fetched THEN 'browser' END, CASE WHEN fetched THEN 'Chrome' ELSE '' END,"
        " CASE WHEN fetched THEN 'Windows' ELSE '' END, '', '', '', '', CASE WHEN clicked THEN m % 5 END,"
        " CASE WHEN clicked THEN 'https://shop.example/some/page?of=interest' ELSE '' END, CAST(NULL AS BIGINT),"
        f" CASE WHEN fetched THEN '{{\"judge\": 2}}'{json} ELSE '{{}}'{json} END FROM facts ORDER BY i",
    )


def _run(tx: Tx, statement: str) -> None:
    """Run a statement without values; psycopg takes a single percent sign for the beginning of one."""
    tx.exec_driver_sql(statement if tx.dialect.name == "sqlite" else statement.replace("%", "%%"))


def _series(first: int, end: int) -> str:
    return f"SELECT CAST({first} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end}"


def _id_of(tx: Tx, number: str) -> str:
    if tx.dialect.name == "sqlite":
        return f"unhex(printf('%012x70008000%012x', {_BORN} + {number}, {number}))"
    return f"(lpad(to_hex({_BORN} + {number}), 12, '0') || '70008000' || lpad(to_hex({number}), 12, '0'))::uuid"


def _literal(tx: Tx, id: UUID) -> str:
    return f"x'{id.hex}'" if tx.dialect.name == "sqlite" else f"'{id}'::uuid"
