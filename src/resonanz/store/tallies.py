"""The figures of submissions: how many of their messages stand alike, who followed which link, and when.

Of submissions to many they are kept (`store.tallying`), so that a report costs the same whatever it is about. Of those
to a few the messages themselves are counted. Both are the same statements: what is kept is what is counted here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, case, delete, func, insert, select, type_coerce

from resonanz.model import Coverage, MessageState, TrackingMode, from_microseconds
from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions, upsert
from resonanz.store.standings import Act
from resonanz.store.tables import link_tallies, messages, moments, submissions, tallies
from resonanz.store.tallying import COUNTED, QUARTER_US, UNASKED

ARRIVED = (MessageState.SENT, MessageState.DELIVERED)
"""What was handed over and did not come back. Whether a mail that was only sent arrived is not proven, but likely."""


@dataclass(frozen=True, slots=True)
class Alike:
    """So many `messages` of one submission stand alike. `gateway` is as with a message; `bounce` is `hard` or
    `soft` and the reason of what bounced."""

    state: MessageState
    track_opens: TrackingMode
    track_clicks: TrackingMode
    coverage: Coverage
    gateway: str | None
    acts: Act
    bounce: str
    messages: int

    @property
    def arrived(self) -> bool:
        return self.state in ARRIVED

    @property
    def names_opens(self) -> bool:
        """Whether their opens are tracked per recipient."""
        return self.track_opens is TrackingMode.INDIVIDUAL

    @property
    def names_clicks(self) -> bool:
        """Whether their clicks are tracked per recipient."""
        return self.track_clicks is TrackingMode.INDIVIDUAL


@dataclass(frozen=True, slots=True)
class Followed:
    """How many recipients followed a link, by name and proof, and how many clicks on it belong to nobody."""

    clickers: int = 0
    nameless: int = 0


@dataclass(frozen=True, slots=True)
class Moments:
    """What happened first in the quarter of an hour that begins at `bucket`: recipients' first opens and clicks by name
    and proof, and those without names."""

    bucket: datetime
    opened: int = 0
    clicked: int = 0
    nameless_opens: int = 0
    nameless_clicks: int = 0


def tallies_of(tx: Tx, submission_id: UUID) -> list[Alike]:
    """Return how the messages of one submission stand."""
    return tallies_among(tx, [submission_id])[submission_id]


def tallies_among(tx: Tx, submission_ids: Collection[UUID]) -> dict[UUID, list[Alike]]:
    """Return how the messages of these submissions stand, by submission."""
    found: dict[UUID, list[Alike]] = {id: [] for id in submission_ids}
    for portion in in_portions(submission_ids):
        kept = select(tallies).where(tallies.c.submission_id.in_(portion), tallies.c.messages != 0)
        uncounted = select(submissions.c.id).where(submissions.c.id.in_(portion), ~COUNTED)
        for query in (kept, _count_alike(messages.c.submission_id.in_(uncounted))):
            for id, state, opens, clicks, coverage, gateway, acts, bounce, number in tx.execute(query):
                known = None if gateway == UNASKED else gateway
                found[id].append(Alike(state, opens, clicks, coverage, known, Act(acts), bounce, number))
    return found


def followed_of(tx: Tx, submission_id: UUID) -> dict[int, Followed]:
    """Return who followed the links of a submission, by their index."""
    query = select(link_tallies.c.link, link_tallies.c.clickers, link_tallies.c.nameless)
    kept = {row[0]: row[1:] for row in tx.execute(query.where(link_tallies.c.submission_id == submission_id))}
    fresh = Counter[int]() if is_counted(tx, submission_id) else _count_clickers(tx, submission_id)
    return {
        link: Followed(kept.get(link, (0, 0))[0] + fresh[link], kept.get(link, (0, 0))[1]) for link in {*kept, *fresh}
    }


def moments_of(tx: Tx, submission_id: UUID, *, since: datetime, until: datetime) -> list[Moments]:
    """Return when people first opened and clicked a submission to many, in [since, until) and in order of time."""
    query = (
        select(moments)
        .where(moments.c.submission_id == submission_id, moments.c.bucket >= since, moments.c.bucket < until)
        .order_by(moments.c.bucket)
    )
    return [Moments(*row[1:]) for row in tx.execute(query)]


def is_counted(tx: Tx, submission_id: UUID) -> bool:
    """Whether a submission has tallies of its own: a campaign, or one to many."""
    return tx.execute(select(submissions.c.id).where(submissions.c.id == submission_id, COUNTED)).first() is not None


# ── Counting the messages themselves ────────────────────────────────────────────────────────────────────────────────


def _count_alike(among: Any) -> Select[Any]:
    marks = (
        (messages.c.opens_human, Act.OPENED),
        (messages.c.opens_indeterminate, Act.MAYBE_OPENED),
        (messages.c.clicks_human, Act.CLICKED),
    )
    acts = messages.c.answers * int(Act.UNSUBSCRIBED)
    for column, act in marks:
        acts = acts + case((column > 0, int(act)), else_=0)
    columns = (
        messages.c.submission_id,
        messages.c.state,
        messages.c.track_opens,
        messages.c.track_clicks,
        messages.c.coverage,
        func.coalesce(messages.c.gateway, UNASKED).label("gateway"),
        acts.label("acts"),
        messages.c.bounce,
    )
    return select(*columns, func.count().label("messages")).where(among).group_by(*columns)


def _count_clickers(tx: Tx, submission_id: UUID) -> Counter[int]:
    query = (
        select(messages.c.followed, func.count())
        .where(messages.c.submission_id == submission_id, messages.c.followed != "")
        .group_by(messages.c.followed)
    )
    found = Counter[int]()
    for followed, number in tx.execute(query):
        found.update({int(link): number for link in followed.split()})
    return found


def _count_moments(tx: Tx, submission_id: UUID) -> dict[int, tuple[int, int]]:
    """Return how many first opened and clicked, by quarter of an hour (microseconds since the epoch)."""
    found: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for place, column in enumerate((messages.c.first_opened_at, messages.c.first_clicked_at)):
        moment = type_coerce(column, BigInteger)
        bucket = (moment - moment % QUARTER_US).label("bucket")
        query = (
            select(bucket, func.count())
            .where(messages.c.submission_id == submission_id, column.is_not(None))
            .group_by(bucket)
        )
        for key, number in tx.execute(query):
            found[key][place] = number
    return {key: (opened, clicked) for key, (opened, clicked) in found.items()}


# ── Counting anew ───────────────────────────────────────────────────────────────────────────────────────────────────


def next_counted(tx: Tx, after: UUID | None, *, limit: int) -> list[UUID]:
    """Return the ids of submissions that have tallies, in order, from the one behind `after`."""
    query = select(submissions.c.id).where(COUNTED).order_by(submissions.c.id).limit(limit)
    return list(tx.execute(query if after is None else query.where(submissions.c.id > after)).scalars())


def recount(tx: Tx, submission_id: UUID) -> bool:
    """Count the messages of a submission that has tallies, and put right what is kept of them. Returns whether anything
    was wrong.

    Whoever has moved one of them holds the submission until their commit (`tallying.hold_counted`), and whoever is
    about to waits for ours: nothing is counted twice, or not at all. Mail goes on meanwhile.
    """
    tx.execute(select(submissions.c.id).where(submissions.c.id == submission_id).with_for_update())
    wrong = [
        _replace_tallies(tx, submission_id),
        _replace_clickers(tx, submission_id),
        _replace_moments(tx, submission_id),
    ]
    return any(wrong)


def _replace_tallies(tx: Tx, submission_id: UUID) -> bool:
    stored = select(tallies).where(tallies.c.submission_id == submission_id, tallies.c.messages != 0)
    right = {tuple(row) for row in tx.execute(_count_alike(messages.c.submission_id == submission_id))}
    if {tuple(row) for row in tx.execute(stored)} == right:
        return False
    tx.execute(delete(tallies).where(tallies.c.submission_id == submission_id))
    if right:
        names = [column.name for column in tallies.columns]
        tx.execute(insert(tallies), [dict(zip(names, row, strict=True)) for row in right])
    return True


def _replace_clickers(tx: Tx, submission_id: UUID) -> bool:
    mine = link_tallies.c.submission_id == submission_id
    query = select(link_tallies.c.link, link_tallies.c.clickers).where(mine)
    stored: dict[int, int] = {row.link: row.clickers for row in tx.execute(query)}
    right = _count_clickers(tx, submission_id)
    wrong = [link for link in {*stored, *right} if stored.get(link, 0) != right[link]]
    for link in sorted(wrong):
        upsert(tx, link_tallies, {"submission_id": submission_id, "link": link}, {"clickers": right[link]})
    return bool(wrong)


def _replace_moments(tx: Tx, submission_id: UUID) -> bool:
    mine = moments.c.submission_id == submission_id
    query = select(moments.c.bucket, moments.c.opened, moments.c.clicked).where(mine)
    stored = {row.bucket: (row.opened, row.clicked) for row in tx.execute(query)}
    right = {from_microseconds(key): counts for key, counts in _count_moments(tx, submission_id).items()}
    wrong = [bucket for bucket in {*stored, *right} if stored.get(bucket, (0, 0)) != right.get(bucket, (0, 0))]
    for bucket in sorted(wrong):
        opened, clicked = right.get(bucket, (0, 0))
        key = {"submission_id": submission_id, "bucket": bucket}
        upsert(tx, moments, key, {"opened": opened, "clicked": clicked})
    return bool(wrong)
