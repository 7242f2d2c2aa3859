"""What became of a submission's mails: the figures of a report, and a table of every recipient."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from uuid import UUID

from resonanz.insight.submissions import EVERYBODY, Choice, SubmissionPage, submission_page
from resonanz.insight.turnout import count
from resonanz.model import TrackingMode
from resonanz.store import Database, results
from resonanz.store.messages import Message, list_links
from resonanz.store.standings import Act
from resonanz.store.tallies import Alike, Followed, followed_of, tallies_of

ROWS_AT_A_TIME = 1_000
HEADINGS = (
    "recipient", "state", "since", "note", "opens", "first opened", "last opened", "clicks", "first clicked",
    "last clicked",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class LinkResult:
    """One link, how many recipients followed it, by name and by proof, and how many clicks on it carry no name; None
    where there are none such, or they are withheld as the totals are."""

    link: int
    url: str
    label: str
    clickers: int
    nameless: int | None


@dataclass(frozen=True, slots=True)
class Bounces:
    """How many mails came back because their address is dead (`hard`), or for another reason (`soft`); and why, the
    most frequent reason first."""

    hard: int
    soft: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Answers:
    """How many recipients did what beside reading."""

    unsubscribed: int
    complained: int
    replied: int


@dataclass(frozen=True, slots=True)
class Results:
    """A report: everything about the submission, each link with who followed it (the most followed first), what came
    back, and how many left, complained or wrote back."""

    page: SubmissionPage
    links: tuple[LinkResult, ...]
    bounces: Bounces
    answers: Answers


def results_of(database: Database, submission_id: UUID, choice: Choice = EVERYBODY) -> Results | None:
    """Return a submission's report with some of its messages, or None when there is no such submission."""
    page = submission_page(database, submission_id, choice)
    if page is None:
        return None
    with database.read() as tx:
        tallies = tallies_of(tx, submission_id)
        followed = followed_of(tx, submission_id)
        known = list_links(tx, page.submission.content_id)
    tells = page.anonymous_clicks is not None
    links = []
    for one in known:
        found = followed.get(one.link, Followed())
        links.append(LinkResult(one.link, one.url, one.label, found.clickers, found.nameless if tells else None))
    most_first = sorted(links, key=lambda one: (-one.clickers - (one.nameless or 0), one.link))
    return Results(page, tuple(most_first), _bounces(tallies), _answers(tallies))


def _bounces(tallies: Sequence[Alike]) -> Bounces:
    by_sort, reasons = Counter[str](), Counter[str]()
    for one in tallies:
        if one.bounce:
            sort, _, reason = one.bounce.partition(" ")
            by_sort[sort] += one.messages
            reasons[reason] += one.messages
    ordered = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    return Bounces(by_sort["hard"], by_sort.total() - by_sort["hard"], ordered)


def _answers(tallies: Sequence[Alike]) -> Answers:
    return Answers(
        unsubscribed=count(tallies, lambda one: one.acts & Act.UNSUBSCRIBED),
        complained=count(tallies, lambda one: one.acts & Act.COMPLAINED),
        replied=count(tallies, lambda one: one.acts & Act.REPLIED),
    )


def table(database: Database, submission_id: UUID) -> Iterator[str]:
    """Yield a CSV file of every recipient, in portions, each read for itself.

    What is counted without names is not told of one: those cells are empty. A cell that a spreadsheet would take for a
    formula begins with an apostrophe.
    """
    yield _lines([HEADINGS])
    last: UUID | None = None
    while True:
        with database.read() as tx:
            found = results.next_messages(tx, submission_id, after=last, limit=ROWS_AT_A_TIME)
        if not found:
            return
        last = found[-1].id
        yield _lines([_cells(message) for message in found])


def _cells(message: Message) -> tuple[str, ...]:
    opens = message.track_opens is TrackingMode.INDIVIDUAL
    clicks = message.track_clicks is TrackingMode.INDIVIDUAL
    moments = (
        message.first_opened_at if opens else None,
        message.last_opened_at if opens else None,
        message.first_clicked_at if clicks else None,
        message.last_clicked_at if clicks else None,
    )
    first_opened, last_opened, first_clicked, last_clicked = (one.isoformat() if one else "" for one in moments)
    return (
        message.recipient,
        message.state.value,
        message.state_at.isoformat(),
        message.state_note,
        str(message.opens_human) if opens else "",
        first_opened,
        last_opened,
        str(message.clicks_human) if clicks else "",
        first_clicked,
        last_clicked,
    )


def _lines(rows: list[tuple[str, ...]]) -> str:
    written = StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([[_guarded(cell) for cell in row] for row in rows])
    return written.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
