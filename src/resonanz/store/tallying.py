"""Counting per submission while messages move: each change of a message is a move from one tally to another.

What counts of a message is its face. Whoever changes a column that is part of it says so here, with the face before and
after; the moves of a transaction are added up and written at its very end, a row for each counter that is not where it
was. So the counters of a submission that everybody sends and reads are held for one statement each, and the order in
which transactions lock them is the same for all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from uuid import UUID

from sqlalchemy import ColumnElement, or_

from resonanz.store.bulk import Ids, Row, add_up_many, plain, select_by_ids
from resonanz.store.engine import Tx, last_act
from resonanz.store.tables import link_tallies, moments, submissions, tallies

COUNTED_FROM = 21  # recipients; fewer messages are counted when they are asked about

# Which submissions have tallies. Neither side ever changes: campaigns grow, others are made whole.
COUNTED: ColumnElement[bool] = or_(submissions.c.source == "campaign", submissions.c.recipients >= COUNTED_FROM)

_COUNTED = f"({COUNTED.compile(compile_kwargs={'literal_binds': True})})"  # as text, for the driver

UNASKED = "?"  # as a tally's gateway: who takes in the recipients' mail is not known

QUARTER_US = 15 * 60 * 1_000_000

# What messages in one tally have in common: state, how opens and clicks are tracked, coverage, gateway, acts, bounce.
Alike = tuple[str, str, str, str, str, int, str]
# The tally, the links that were followed, and the quarters of an hour (microseconds) of the first open and click.
Face = tuple[Alike, str, int | None, int | None]

_OPENED, _CLICKED, _NAMELESS_OPENS, _NAMELESS_CLICKS = range(4)


def quarter(moment_us: int | None) -> int | None:
    """Return the beginning of the quarter of an hour that a moment falls into; microseconds since the epoch."""
    return None if moment_us is None else moment_us - moment_us % QUARTER_US


class Moves:
    """The moves of one transaction."""

    def __init__(self) -> None:
        self._alike: defaultdict[UUID, Counter[Alike]] = defaultdict(Counter)
        self._clickers: defaultdict[UUID, Counter[int]] = defaultdict(Counter)
        self._nameless: defaultdict[UUID, Counter[int]] = defaultdict(Counter)
        self._moments: defaultdict[UUID, Counter[tuple[int, int]]] = defaultdict(Counter)

    def move(self, submission_id: UUID, before: Face | None, after: Face) -> None:
        """Note that a message's face has changed; None before: that there is a new message."""
        if before == after:
            return
        alike, followed, opened, clicked = after
        self._alike[submission_id][alike] += 1
        if before is None:
            return
        was_alike, was_followed, was_opened, was_clicked = before
        self._alike[submission_id][was_alike] -= 1
        if followed != was_followed:
            self._add_links(submission_id, followed, 1)
            self._add_links(submission_id, was_followed, -1)
        for kind, now, was in ((_OPENED, opened, was_opened), (_CLICKED, clicked, was_clicked)):
            if now != was:
                self._add_moment(submission_id, kind, now, 1)
                self._add_moment(submission_id, kind, was, -1)

    def add_open(self, submission_id: UUID, moment_us: int) -> None:
        """Count an open that belongs to no message."""
        self._add_moment(submission_id, _NAMELESS_OPENS, quarter(moment_us), 1)

    def add_click(self, submission_id: UUID, moment_us: int, link: int | None) -> None:
        """Count a click that belongs to no message."""
        self._add_moment(submission_id, _NAMELESS_CLICKS, quarter(moment_us), 1)
        if link is not None:
            self._nameless[submission_id][link] += 1

    def _add_links(self, submission_id: UUID, followed: str, amount: int) -> None:
        for link in followed.split():
            self._clickers[submission_id][int(link)] += amount

    def _add_moment(self, submission_id: UUID, kind: int, bucket: int | None, amount: int) -> None:
        if bucket is not None:
            self._moments[submission_id][bucket, kind] += amount

    def run(self, tx: Tx) -> None:
        """Write them, in the order of their keys."""
        counted = sorted(hold_counted(tx, self._alike.keys() | self._moments.keys()))
        as_id = plain(tx).id
        add_up_many(
            tx,
            tallies,
            8,
            [
                (as_id(id), *alike, amount)
                for id in counted
                if id in self._alike
                for alike, amount in sorted(self._alike[id].items())
                if amount
            ],
        )
        add_up_many(tx, link_tallies, 2, self._link_rows(set(counted), as_id))
        add_up_many(
            tx, moments, 2, [row for id in counted if id in self._moments for row in self._moment_rows(id, as_id)]
        )

    def _link_rows(self, counted: Collection[UUID], as_id: Callable[[UUID], object]) -> list[Row]:
        rows: list[Row] = []
        for id in sorted((self._clickers.keys() & counted) | self._nameless.keys()):
            clickers = self._clickers[id] if id in counted else Counter()
            for link in sorted({*clickers, *self._nameless[id]}):
                amounts = (clickers[link], self._nameless[id][link])
                if any(amounts):
                    rows.append((as_id(id), link, *amounts))
        return rows

    def _moment_rows(self, id: UUID, as_id: Callable[[UUID], object]) -> list[Row]:
        found = self._moments[id]
        rows: list[Row] = []
        for bucket in sorted({bucket for bucket, _ in found}):
            amounts = [found[bucket, kind] for kind in range(4)]
            if any(amounts):
                rows.append((as_id(id), bucket, *amounts))
        return rows


def moves(tx: Tx) -> Moves:
    """Return where this transaction gathers its moves."""
    return last_act(tx, Moves)


def hold_counted(tx: Tx, ids: Collection[UUID]) -> set[UUID]:
    """Return those of these submissions that have tallies; whoever counts one of them anew waits for us, and we for
    them (PostgreSQL; `recount` is the other side)."""
    known = Ids.known(tx, ids)
    rows = select_by_ids(tx, submissions, ("id",), ids, where=_COUNTED, lock="KEY SHARE")
    return {known[id] for (id,) in rows}
