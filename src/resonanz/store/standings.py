"""Standings: the columns of a message that are projected from its events, read and written many at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from enum import IntFlag, StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select

from resonanz.model import Coverage, MessageState, TrackingMode
from resonanz.store.bulk import Ids, Plain, Row, plain, select_by_ids, update_many
from resonanz.store.engine import Tx
from resonanz.store.tables import messages
from resonanz.store.tallying import QUARTER_US, UNASKED, Face, moves


class Answer(IntFlag):
    """What a recipient did beside reading."""

    UNSUBSCRIBED = 1
    COMPLAINED = 2
    REPLIED = 4


class Act(IntFlag):
    """What is known of a message's recipient, as it is counted."""

    OPENED = 1  # by proof
    MAYBE_OPENED = 2  # Apple's privacy protection fetched the image
    CLICKED = 4
    UNSUBSCRIBED = 8
    COMPLAINED = 16
    REPLIED = 32


@dataclass(slots=True)
class Standing:
    """How one message stands. Mutable, unlike everything else: events are applied to it one after the other.

    Its moments are microseconds since the epoch, as in a `Hit` and in the table: thousands a second are read and
    written again, and all that is ever done with them is to compare them. `answers` are those of `Answer`, `bounce` is
    `hard` or `soft` and the reason of what bounced, `followed` the links that people followed by proof. `counted` is
    how the message stands in the tallies of its submission.
    """

    id: UUID
    submission_id: UUID
    contact_id: UUID | None
    recipient: str
    created_at: int
    track_opens: TrackingMode
    track_clicks: TrackingMode
    coverage: Coverage
    gateway: str | None
    state: MessageState
    state_at: int
    state_note: str = ""
    opens_human: int = 0
    opens_indeterminate: int = 0
    opens_machine: int = 0
    clicks_human: int = 0
    clicks_indeterminate: int = 0
    clicks_machine: int = 0
    first_opened_at: int | None = None
    last_opened_at: int | None = None
    first_clicked_at: int | None = None
    last_clicked_at: int | None = None
    answers: int = 0
    bounce: str = ""
    followed: str = ""
    counted: Face | None = field(default=None, compare=False)


_NAMES = [one.name for one in fields(Standing) if one.name != "counted"]
_KEPT, _PROJECTED = _NAMES[: _NAMES.index("state")], _NAMES[_NAMES.index("state") :]
_COUNTS = _NAMES[_NAMES.index("opens_human") :]

_MODES = {mode.value: mode for mode in TrackingMode}
_COVERAGES = {coverage.value: coverage for coverage in Coverage}
_STATES = {state.value: state for state in MessageState}
# Looked up thousands of times a second, where asking a member for its value would take ten times as long.
_WORDS: dict[StrEnum, str] = {word: word.value for words in (MessageState, TrackingMode, Coverage) for word in words}


def lock_standings(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return these messages' standings, held until the transaction ends; unknown messages are left out.

    Rows are locked in the order of their ids, so that two transactions cannot wait for each other.
    """
    known = Ids.known(tx, ids)
    found = [_standing(row, known) for row in select_by_ids(tx, messages, _NAMES, ids, lock="UPDATE")]
    return {standing.id: standing for standing in found}


def next_ids(tx: Tx, after: UUID | None, *, limit: int) -> list[UUID]:
    """Return the ids of messages in order, from the one behind `after`."""
    query = select(messages.c.id).order_by(messages.c.id).limit(limit)
    return list(tx.execute(query if after is None else query.where(messages.c.id > after)).scalars())


def blank(standing: Standing) -> Standing:
    """Return the standing that a message begins with, before anything happened to it."""
    kept = {name: getattr(standing, name) for name in _KEPT}
    return Standing(**kept, state=MessageState.QUEUED, state_at=standing.created_at, counted=standing.counted)


def save_standings(tx: Tx, standings: Iterable[Standing]) -> None:
    """Write the projected columns of these messages."""
    as_plain, saved = plain(tx), list(standings)
    update_many(tx, messages, _PROJECTED, [_row(standing, as_plain) for standing in saved])
    count_changes(tx, saved)


def save_counts(tx: Tx, standings: Iterable[Standing]) -> None:
    """Write what is counted of these messages, and not their states: SQLite would write the index on states anew."""
    as_plain, saved = plain(tx), list(standings)
    update_many(tx, messages, _COUNTS, [_counts_row(standing, as_plain) for standing in saved])
    count_changes(tx, saved)


def save_receivers(tx: Tx, standings: Iterable[Standing]) -> None:
    """Write who takes in the mail of these messages' recipients, and what of it can be measured."""
    as_plain, saved = plain(tx), list(standings)
    rows = [(_WORDS[standing.coverage], standing.gateway, as_plain.id(standing.id)) for standing in saved]
    update_many(tx, messages, ("coverage", "gateway"), rows)
    count_changes(tx, saved)


# ── What is counted per submission ──────────────────────────────────────────────────────────────────────────────────


def count_changes(tx: Tx, standings: Iterable[Standing]) -> None:
    """Let the tallies follow what has changed in standings that were locked; whoever changes a message calls this."""
    gathered = moves(tx)
    for standing in standings:
        now = face(standing)
        if now != standing.counted:
            gathered.move(standing.submission_id, standing.counted, now)
            standing.counted = now


def face(standing: Standing) -> Face:
    """Return what of a standing is counted per submission; `acts` are those of `Act`."""
    words = _WORDS[standing.state], _WORDS[standing.track_opens], _WORDS[standing.track_clicks]
    return _face(standing, *words, _WORDS[standing.coverage])


def _face(standing: Standing, state: str, opens: str, clicks: str, coverage: str) -> Face:
    acts = (
        (standing.opens_human > 0)
        | (standing.opens_indeterminate > 0) << 1
        | (standing.clicks_human > 0) << 2
        | standing.answers << 3
    )
    gateway, opened, clicked = standing.gateway, standing.first_opened_at, standing.first_clicked_at
    return (
        (state, opens, clicks, coverage, UNASKED if gateway is None else gateway, acts, standing.bounce),
        standing.followed,
        None if opened is None else opened - opened % QUARTER_US,
        None if clicked is None else clicked - clicked % QUARTER_US,
    )


# ── Rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _standing(row: Any, ids: Ids) -> Standing:
    """Read the driver's row; in the order of the fields above."""
    id, submission_id, contact_id, recipient, created_at, opens, clicks, coverage, gateway, state, *others = row
    standing = Standing(
        ids[id],
        ids[submission_id],
        None if contact_id is None else ids[contact_id],
        recipient,
        created_at,
        _MODES[opens],
        _MODES[clicks],
        _COVERAGES[coverage],
        gateway,
        _STATES[state],
        *others,
    )
    standing.counted = _face(standing, state, opens, clicks, coverage)
    return standing


def _row(standing: Standing, as_plain: Plain) -> Row:
    """Return the projected columns in their order, and the id last."""
    return (standing.state.value, standing.state_at, standing.state_note, *_counts_row(standing, as_plain))


def _counts_row(standing: Standing, as_plain: Plain) -> Row:
    return (
        standing.opens_human,
        standing.opens_indeterminate,
        standing.opens_machine,
        standing.clicks_human,
        standing.clicks_indeterminate,
        standing.clicks_machine,
        standing.first_opened_at,
        standing.last_opened_at,
        standing.first_clicked_at,
        standing.last_clicked_at,
        standing.answers,
        standing.bounce,
        standing.followed,
        as_plain.id(standing.id),
    )
