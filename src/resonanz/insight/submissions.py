"""The question about one submission: its messages, and what was counted without names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from resonanz.insight.explain import TOO_SMALL_A_GROUP, Explanation
from resonanz.insight.opens import Opens, opens
from resonanz.insight.turnout import Rates, count, rates
from resonanz.model import MessageState, TrackingMode
from resonanz.people import hides_in_group
from resonanz.store import Database, Tx
from resonanz.store import messages as store
from resonanz.store.messages import Message, Submission
from resonanz.store.results import LOST, Which, choose_messages, next_messages
from resonanz.store.standings import Act
from resonanz.store.tallies import Alike, tallies_of

MESSAGES_SHOWN = 50
LOOKED_THROUGH = 20_000  # of a submission's messages in one go for those that were asked for: some 50 ms


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a submission's messages to show: those of one kind, or all of them; and those behind which."""

    which: Which | None = None
    after: UUID | None = None


EVERYBODY = Choice()


@dataclass(frozen=True, slots=True)
class SubmissionPage:
    """One submission. The anonymous totals are None where there are none, or where they are withheld: see `withheld`.
    `nameless` tells whether any copy is counted without a name; `names_openers` and `names_clickers` whether there is a
    copy whose opens, or clicks, are tracked per recipient.

    `group` is how many recipients share one copy, None where each has their own: the anonymous totals are theirs.

    `messages` holds at most `MESSAGES_SHOWN` of those chosen, and `next` says behind which more are found, None at the
    end; `states` counts all of them, and `openers`, `clickers` how many of them a person opened or clicked, by proof;
    `silent` arrived without any sign, `lost` did not arrive.
    """

    submission: Submission
    sender: str
    subject: str
    messages: tuple[Message, ...]
    next: UUID | None
    states: dict[MessageState, int]
    openers: int
    clickers: int
    silent: int
    lost: int
    nameless: bool
    group: int | None
    names_openers: bool
    names_clickers: bool
    anonymous_opens: int | None
    anonymous_clicks: int | None
    withheld: Explanation | None
    opens: Opens
    rates: Rates


def submission_page(database: Database, submission_id: UUID, choice: Choice = EVERYBODY) -> SubmissionPage | None:
    """Return everything about one submission and some of its messages, or None when there is no such submission."""
    with database.read() as tx:
        submission = store.get_submission(tx, submission_id)
        if submission is None:
            return None
        sender, subject = store.content_title(tx, submission.content_id)
        rows, following = _some_messages(tx, submission_id, choice)
        tallies = tallies_of(tx, submission_id)
    # Of a copy that few share, only who allows to be tracked by name is counted: see `sending.loading`.
    shown = submission.shared or hides_in_group(submission.recipients)
    modes = (submission.track_opens, submission.track_clicks)
    nameless = TrackingMode.ANONYMOUS in modes or count(tallies, _counts_without_name) > 0
    return SubmissionPage(
        submission=submission,
        sender=sender,
        subject=subject,
        messages=tuple(rows),
        next=following,
        states=_states(tallies),
        openers=count(tallies, lambda one: one.acts & Act.OPENED),
        clickers=count(tallies, lambda one: one.acts & Act.CLICKED),
        silent=count(tallies, _is_silent),
        lost=count(tallies, lambda one: one.state in LOST),
        nameless=nameless,
        group=count(tallies, _counts_without_name) if submission.shared else None,
        names_openers=any(one.names_opens for one in tallies),
        names_clickers=any(one.names_clicks for one in tallies),
        anonymous_opens=submission.anonymous_opens if nameless and shown else None,
        anonymous_clicks=submission.anonymous_clicks if nameless and shown else None,
        withheld=TOO_SMALL_A_GROUP if nameless and not shown else None,
        opens=opens(tallies),
        rates=rates(tallies),
    )


def _some_messages(tx: Tx, submission_id: UUID, choice: Choice) -> tuple[list[Message], UUID | None]:
    if choice.which is not None:
        return choose_messages(
            tx, submission_id, choice.which, after=choice.after, limit=MESSAGES_SHOWN, among=LOOKED_THROUGH
        )
    rows = next_messages(tx, submission_id, after=choice.after, limit=MESSAGES_SHOWN + 1)
    shown = rows[:MESSAGES_SHOWN]
    return shown, shown[-1].id if len(rows) > MESSAGES_SHOWN else None


def group_of(tx: Tx, submission: Submission) -> int | None:
    """Return how many recipients of a submission share one copy, None where each has their own."""
    return count(tallies_of(tx, submission.id), _counts_without_name) if submission.shared else None


def _is_silent(alike: Alike) -> bool:
    """Tell whether these arrived, could have told of opens and clicks, and told of none."""
    return alike.arrived and alike.names_opens and alike.names_clicks and not alike.acts & _SIGNS


_SIGNS = Act.OPENED | Act.MAYBE_OPENED | Act.CLICKED


def _counts_without_name(alike: Alike) -> bool:
    return TrackingMode.ANONYMOUS in (alike.track_opens, alike.track_clicks)


def _states(tallies: Sequence[Alike]) -> dict[MessageState, int]:
    """Count messages by state, in the order in which a mail passes through them."""
    counts = Counter[MessageState]()
    for one in tallies:
        counts[one.state] += one.messages
    return {state: counts[state] for state in MessageState if counts[state]}
