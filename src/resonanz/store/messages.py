"""Contents, submissions, messages and their links, as rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, insert, or_, select, update

from resonanz.model import Coverage, MessageState, TrackingMode, to_microseconds
from resonanz.store.bulk import WORDS, insert_many, plain, select_by_ids, update_many
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions
from resonanz.store.standings import count_changes, lock_standings
from resonanz.store.tables import attempts, contents, links, messages, queue, submissions
from resonanz.store.tallying import UNASKED, moves
from resonanz.store.text import indexable, storable


@dataclass(frozen=True, slots=True)
class Content:
    """A mail as handed in. `form` is `rfc822` (the bytes of a mail) `composed` (JSON of its fields), or
    `template` (likewise, with placeholders for each contact)."""

    id: UUID
    form: str
    body: bytes
    sender: str
    subject: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Submission:
    """What a client handed us in one go. `track_documents` is whether attachments become links that can be counted,
    `bulk` whether each copy says in its headers that it is, and how to leave, `shared` whether its recipients share one
    copy; `null_path` whether it goes out without a return path, and `replies` whether answers to tracked copies come
    here first."""

    id: UUID
    content_id: UUID
    account_id: UUID | None
    source: str
    track_opens: TrackingMode
    track_clicks: TrackingMode
    recipients: int
    created_at: datetime
    idempotency_key: str | None = None
    anonymous_opens: int = 0
    anonymous_clicks: int = 0
    track_documents: bool = False
    bulk: bool = False
    shared: bool = False
    null_path: bool = False
    replies: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one recipient, with the counters projected from its events. `gateway` names who scans the recipient's
    mail or takes tracking out of it: empty for nobody, None as long as that is not known."""

    id: UUID
    submission_id: UUID
    contact_id: UUID | None
    recipient: str
    sender: str
    subject: str
    header_id: str | None
    created_at: datetime
    track_opens: TrackingMode
    track_clicks: TrackingMode
    coverage: Coverage
    untracked_reason: str
    state: MessageState
    state_at: datetime
    state_note: str = ""
    opens_human: int = 0
    opens_indeterminate: int = 0
    opens_machine: int = 0
    clicks_human: int = 0
    clicks_indeterminate: int = 0
    clicks_machine: int = 0
    first_opened_at: datetime | None = None
    last_opened_at: datetime | None = None
    first_clicked_at: datetime | None = None
    last_clicked_at: datetime | None = None
    gateway: str | None = None
    answers: int = 0
    bounce: str = ""
    followed: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Where one link of a content leads, and how it reads. One to a document has the document's name and no `url`: its
    address is different in each copy."""

    link: int
    url: str
    label: str


# Made once: SQLAlchemy takes longer to read a statement than SQLite to run it.
_ADD_CONTENTS = insert(contents)
_CONTENT = select(contents).where(contents.c.id == bindparam("of_id"))


# ── Contents and submissions ────────────────────────────────────────────────────────────────────────────────────────


def add_contents(tx: Tx, rows: Sequence[Content]) -> None:
    """Store contents."""
    if rows:
        tx.execute(
            _ADD_CONTENTS,
            [
                {
                    "id": row.id,
                    "form": row.form,
                    "body": row.body,
                    "sender": row.sender,
                    "subject": row.subject,
                    "created_at": row.created_at,
                }
                for row in rows
            ],
        )


def get_content(tx: Tx, content_id: UUID) -> Content | None:
    """Return a content."""
    row = tx.execute(_CONTENT, {"of_id": content_id}).one_or_none()
    if row is None:
        return None
    return Content(row.id, row.form, bytes(row.body), row.sender, row.subject, row.created_at)


def small_contents(tx: Tx, ids: Collection[UUID], *, most: int) -> dict[UUID, Content]:
    """Return those of these contents whose body has at most `most` bytes, by id."""
    return {
        row.id: Content(row.id, row.form, bytes(row.body), row.sender, row.subject, row.created_at)
        for portion in in_portions(ids)
        for row in tx.execute(select(contents).where(contents.c.id.in_(portion), func.length(contents.c.body) <= most))
    }


def forget_contents(tx: Tx, ids: Collection[UUID]) -> None:
    """Forget the bytes of contents that nobody is to get any more."""
    waiting = (
        select(queue.c.message_id)
        .join(messages, messages.c.id == queue.c.message_id)
        .join(submissions, submissions.c.id == messages.c.submission_id)
        .where(submissions.c.content_id == contents.c.id)
    )
    for portion in in_portions(ids):
        tx.execute(update(contents).where(contents.c.id.in_(portion), ~waiting.exists()).values(body=b""))


def content_title(tx: Tx, content_id: UUID) -> tuple[str, str]:
    """Return sender and subject of a content without reading its body. Raises NoResultFound."""
    row = tx.execute(select(contents.c.sender, contents.c.subject).where(contents.c.id == content_id)).one()
    return row.sender, row.subject


def add_submissions(tx: Tx, rows: Sequence[Submission]) -> None:
    """Store submissions."""
    as_plain = plain(tx)
    insert_many(
        tx,
        submissions,
        [
            (
                as_plain.id(row.id),
                as_plain.id(row.content_id),
                as_plain.id(row.account_id),
                row.source,
                WORDS[row.track_opens],
                WORDS[row.track_clicks],
                row.track_documents,
                row.recipients,
                to_microseconds(row.created_at),
                row.idempotency_key,
                row.bulk,
                row.null_path,
                row.replies,
                row.shared,
            )
            for row in rows
        ],
        columns=_OF_SUBMISSION,
    )


_OF_SUBMISSION = (
    *("id", "content_id", "account_id", "source", "track_opens", "track_clicks", "track_documents", "recipients"),
    *("created_at", "idempotency_key", "bulk", "null_path", "replies", "shared"),
)


def set_recipients(tx: Tx, submission_id: UUID, recipients: int) -> None:
    """Say how many recipients a submission has that grows as it is sent."""
    tx.execute(update(submissions).where(submissions.c.id == submission_id).values(recipients=recipients))


def get_submission(tx: Tx, submission_id: UUID) -> Submission | None:
    """Return a submission."""
    return _submission(tx.execute(select(submissions).where(submissions.c.id == submission_id)).one_or_none())


def get_submissions(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Submission]:
    """Return these submissions by id; missing ones are left out."""
    return {
        row.id: Submission(**row._mapping)
        for portion in in_portions(ids)
        for row in tx.execute(select(submissions).where(submissions.c.id.in_(portion)))
    }


def find_submission(tx: Tx, account_id: UUID | None, idempotency_key: str) -> Submission | None:
    """Return the submission that this account made under this key."""
    mine = (submissions.c.account_id == account_id) & (submissions.c.idempotency_key == idempotency_key)
    return _submission(tx.execute(select(submissions).where(mine)).one_or_none())


def _submission(row: Any) -> Submission | None:
    return None if row is None else Submission(**row._mapping)


def senders_of(tx: Tx, submission_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the accounts that handed these submissions in, by submission; those without one are left out."""
    found: dict[UUID, UUID] = {}
    for portion in in_portions(submission_ids):
        query = select(submissions.c.id, submissions.c.account_id).where(
            submissions.c.id.in_(portion), submissions.c.account_id.is_not(None)
        )
        found |= {row.id: row.account_id for row in tx.execute(query)}
    return found


def existing_submissions(tx: Tx, ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those of these ids that are submissions."""
    return frozenset(
        id
        for portion in in_portions(ids)
        for id in tx.execute(select(submissions.c.id).where(submissions.c.id.in_(portion))).scalars()
    )


def add_anonymous(tx: Tx, submission_id: UUID, *, opens: int, clicks: int) -> None:
    """Add to the totals of a submission that was tracked without names."""
    tx.execute(
        update(submissions)
        .where(submissions.c.id == submission_id)
        .values(
            anonymous_opens=submissions.c.anonymous_opens + opens,
            anonymous_clicks=submissions.c.anonymous_clicks + clicks,
        )
    )


# ── Messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def add_messages(tx: Tx, rows: Sequence[Message]) -> None:
    """Store new messages."""
    as_plain, gathered = plain(tx), moves(tx)
    insert_many(
        tx,
        messages,
        [
            (
                as_plain.id(row.id),
                as_plain.id(row.submission_id),
                as_plain.id(row.contact_id),
                row.recipient,
                row.sender,
                row.subject,
                row.header_id,
                to_microseconds(row.created_at),
                WORDS[row.track_opens],
                WORDS[row.track_clicks],
                WORDS[row.coverage],
                row.untracked_reason,
                WORDS[row.state],
                to_microseconds(row.state_at),
            )
            for row in rows
        ],
        columns=_OF_MESSAGE,
    )
    for row in rows:
        words = (row.state.value, row.track_opens.value, row.track_clicks.value, row.coverage.value)
        gathered.move(row.submission_id, None, ((*words, UNASKED, 0, ""), "", None, None))


_OF_MESSAGE = (
    *("id", "submission_id", "contact_id", "recipient", "sender", "subject", "header_id", "created_at"),
    *("track_opens", "track_clicks", "coverage", "untracked_reason", "state", "state_at"),
)


def get_message(tx: Tx, message_id: UUID) -> Message | None:
    """Return one message."""
    row = tx.execute(select(messages).where(messages.c.id == message_id)).one_or_none()
    return None if row is None else Message(**row._mapping)


def get_messages(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Message]:
    """Return these messages by id; missing ones are left out."""
    return {
        row.id: Message(*row)
        for portion in in_portions(ids)
        for row in tx.execute(select(messages).where(messages.c.id.in_(portion)))
    }


def find_by_header_id(tx: Tx, header_id: str) -> list[Message]:
    """Return the messages that carry this Message-ID (several, when a relayed mail had several recipients)."""
    carrying = select(messages).where(messages.c.header_id == indexable(header_id))
    return [Message(**row._mapping) for row in tx.execute(carrying)]


def recent_to(tx: Tx, recipient: str, *, since: datetime, until: datetime, limit: int) -> list[Message]:
    """Return the messages to this address that were made between two moments, newest first. Case is ignored as far as
    systems on the way fold it: all of the address, or its domain."""
    local, at, domain = recipient.rpartition("@")
    spellings = {recipient, recipient.lower(), f"{local}{at}{domain.lower()}"}
    query = (
        select(messages)
        .where(messages.c.recipient.in_(sorted(spellings)), messages.c.created_at.between(since, until))
        .order_by(messages.c.id.desc())
        .limit(limit)
    )
    return [Message(**row._mapping) for row in tx.execute(query)]


def answered_with(tx: Tx, ids: Collection[UUID], words: str) -> frozenset[UUID]:
    """Return those of these messages that a server took with `words` (an id of its own) in its reply."""
    if not ids or not words:
        return frozenset()
    query = select(attempts.c.message_id).where(
        attempts.c.message_id.in_(list(ids)), attempts.c.reply.contains(storable(words), autoescape=True)
    )
    return frozenset(tx.execute(query).scalars())


def find_link(tx: Tx, submission_id: UUID, url: str) -> int | None:
    """Return the index of the first link of a submission's content that leads to `url`, None when there is none."""
    query = (
        select(links.c.link)
        .join(submissions, submissions.c.content_id == links.c.content_id)
        .where(submissions.c.id == submission_id, links.c.url == url)
        .order_by(links.c.link)
        .limit(1)
    )
    return tx.execute(query).scalar_one_or_none()


def of_submission(tx: Tx, submission_id: UUID, limit: int = 1000) -> list[Message]:
    """Return the messages of one submission, in the order they were made."""
    query = select(messages).where(messages.c.submission_id == submission_id).order_by(messages.c.id).limit(limit)
    return [Message(**row._mapping) for row in tx.execute(query)]


def list_messages(
    tx: Tx,
    *,
    limit: int,
    before: UUID | None = None,
    state: MessageState | None = None,
    search: str = "",
) -> list[Message]:
    """Return messages, newest first, from the one behind `before`: a page costs the same wherever it is.

    `search` finds part of a recipient or subject, whatever its case.
    """
    wanted = storable(search)
    query: Select[Any] = select(messages).order_by(messages.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(messages.c.id < before)
    if state is not None:
        query = query.where(messages.c.state == state)
    if wanted:
        query = query.where(
            or_(
                messages.c.recipient.icontains(wanted, autoescape=True),
                messages.c.subject.icontains(wanted, autoescape=True),
            )
        )
    return [Message(**row._mapping) for row in tx.execute(query)]


def lock(tx: Tx, ids: Collection[UUID]) -> None:
    """Hold these messages' rows until the transaction ends; on SQLite a writing transaction holds everything anyway.

    Whoever writes several of them begins with this: rows are locked in the order of their ids, here and by the
    projections, so that two transactions cannot wait for each other. An UPDATE alone locks in any order.
    """
    if tx.dialect.name != "sqlite":
        for _ in select_by_ids(tx, messages, ("id",), ids, lock="UPDATE"):
            pass


@dataclass(frozen=True, slots=True)
class Built:
    """What one message has become in the mail that was built for it."""

    message_id: UUID
    track_opens: TrackingMode
    track_clicks: TrackingMode
    coverage: Coverage
    untracked_reason: str
    header_id: str
    gateway: str | None


def save_built(tx: Tx, rows: Sequence[Built]) -> None:
    """Write down what was built, and that a worker has taken these messages up; the next fact about each says how it
    went. A Message-ID is kept as `indexable` makes it; `find_by_header_id` asks alike."""
    standings = lock_standings(tx, [row.message_id for row in rows])
    known = [row for row in rows if row.message_id in standings]
    for row in known:
        standing = standings[row.message_id]
        standing.track_opens, standing.track_clicks = row.track_opens, row.track_clicks
        standing.coverage, standing.gateway = row.coverage, row.gateway
        if standing.state in _WAITING:
            standing.state = MessageState.SENDING
    as_plain = plain(tx)
    update_many(
        tx,
        messages,
        ("track_opens", "track_clicks", "coverage", "untracked_reason", "header_id", "gateway", "state"),
        [
            (
                row.track_opens.value,
                row.track_clicks.value,
                row.coverage.value,
                row.untracked_reason,
                indexable(row.header_id),
                row.gateway,
                standings[row.message_id].state.value,
                as_plain.id(row.message_id),
            )
            for row in known
        ],
    )
    count_changes(tx, standings.values())


_WAITING = frozenset({MessageState.QUEUED, MessageState.DEFERRED})


# ── Links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def add_links(tx: Tx, of_contents: Mapping[UUID, Sequence[Link]]) -> None:
    """Remember the links of contents; the first copy that was built decides."""
    as_plain = plain(tx)
    rows = [
        (as_plain.id(content_id), row.link, storable(row.url), storable(row.label))
        for content_id, found in sorted(of_contents.items())
        for row in found
    ]
    insert_many(tx, links, rows, only_missing=True)


def list_links(tx: Tx, content_id: UUID) -> list[Link]:
    """Return a content's links by index."""
    rows = tx.execute(select(links).where(links.c.content_id == content_id).order_by(links.c.link))
    return [Link(row.link, row.url, row.label) for row in rows]
