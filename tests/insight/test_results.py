"""A report's figures and its table of recipients."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

import pytest

from resonanz import ingest
from resonanz.insight import results, results_of, table
from resonanz.insight.results import Bounces
from resonanz.model import Event, EventKind, TrackingMode, Verdict
from resonanz.store import Database, messages
from resonanz.store import results as store_results
from resonanz.store.messages import Link, Message
from resonanz.store.results import Which
from tests.kit.campaigns import add_list, add_people, expand, plan, started
from tests.kit.mails import NOW
from tests.kit.rows import update_message


def test_what_came_of_it(database: Database) -> None:
    """People are counted once per link, machines not at all; bounces by reason, and whoever left."""
    mails = _sent(database, ["a@rcpt.example", "b@rcpt.example", "c@rcpt.example", "d@rcpt.example"])
    a, b, c, d = mails
    _record(
        database,
        _fact(a, EventKind.CLICKED, link=0, verdict=Verdict.HUMAN_LIKELY),
        _fact(a, EventKind.CLICKED, link=0, verdict=Verdict.HUMAN_LIKELY),
        _fact(a, EventKind.CLICKED, link=1, verdict=Verdict.HUMAN_CONFIRMED),
        _fact(b, EventKind.CLICKED, link=1, verdict=Verdict.HUMAN_LIKELY),
        _fact(c, EventKind.CLICKED, link=1, verdict=Verdict.MACHINE_SCANNER),
        _fact(d, EventKind.BOUNCED, detail={"bounce": "hard", "reason": "no_such_user", "reply": "550"}),
        _fact(b, EventKind.UNSUBSCRIBED),
        _fact(c, EventKind.COMPLAINED),
    )
    with database.write() as tx:
        submission = messages.get_submission(tx, a.submission_id)
        assert submission is not None
        links = [Link(0, "https://x.example/", "X"), Link(1, "https://y.example/", "Y")]
        messages.add_links(tx, {submission.content_id: links})
    found = results_of(database, a.submission_id)
    assert found is not None
    assert [(one.label, one.clickers) for one in found.links] == [("Y", 2), ("X", 1)]
    assert found.bounces == Bounces(1, 0, {"no_such_user": 1})
    assert (found.answers.unsubscribed, found.answers.complained, found.answers.replied) == (1, 1, 0)


def test_few_among_many_are_found_in_portions(database: Database) -> None:
    """A portion looks at so many mails and no more: it may be empty and yet say where to go on; nobody is missed."""
    mails = _sent(database, [f"r{number}@rcpt.example" for number in range(9)])
    clickers = [mails[3], mails[4], mails[8]]
    _record(database, *(_fact(one, EventKind.CLICKED, link=0, verdict=Verdict.HUMAN_LIKELY) for one in clickers))
    found, portions, after = [], 0, None
    while portions == 0 or after is not None:
        with database.read() as tx:
            rows, after = store_results.choose_messages(
                tx, mails[0].submission_id, Which.CLICKED, after=after, limit=1, among=3
            )
        assert len(rows) <= 1
        found += rows
        portions += 1
    assert [row.id for row in found] == [row.id for row in clickers]
    assert portions == 4


def test_every_recipient_has_a_row(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, in portions; no cell begins a formula, and who is counted without a name is not told of."""
    monkeypatch.setattr(results, "ROWS_AT_A_TIME", 2)
    mails = _sent(database, ["=cmd@rcpt.example", "b@rcpt.example", "c@rcpt.example"])
    bounced, nameless, read = mails
    _record(
        database,
        _fact(bounced, EventKind.BOUNCED, detail={"bounce": "soft", "reply": '=HYPERLINK(1),\r\n"x"'}),
        _fact(read, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT),
    )
    with database.write() as tx:
        modes = {"track_opens": TrackingMode.ANONYMOUS, "track_clicks": TrackingMode.ANONYMOUS}
        update_message(tx, nameless.id, modes)
    written = "".join(table(database, bounced.submission_id))
    heading, *rows = csv.reader(written.splitlines(keepends=True))
    assert tuple(heading) == results.HEADINGS
    assert [row[0] for row in rows] == ["'=cmd@rcpt.example", "b@rcpt.example", "c@rcpt.example"]
    assert rows[0][3].startswith("'=HYPERLINK")
    assert rows[1][4:] == [""] * 6
    assert rows[2][4] == "1"
    assert rows[2][5] == NOW.isoformat()


def _sent(database: Database, addresses: Sequence[str]) -> list[Message]:
    """A campaign to these, in the order of the addresses."""
    list_id = add_list(database, "readers")
    add_people(database, [list_id], addresses)
    campaign = started(database, plan([list_id]))
    expand(database)
    assert campaign.submission_id is not None
    with database.read() as tx:
        found = {one.recipient: one for one in messages.of_submission(tx, campaign.submission_id)}
    made = [found[address] for address in addresses]
    _record(database, *[_fact(one, EventKind.SENT) for one in made])
    return sorted(made, key=lambda one: one.id)


def _fact(message: Message, kind: EventKind, **values: Any) -> Event:
    return Event(
        kind=kind,
        occurred_at=NOW,
        received_at=NOW,
        source="test",
        message_id=message.id,
        submission_id=message.submission_id,
        recipient=message.recipient,
        **values,
    )


def _record(database: Database, *facts: Event) -> None:
    with database.write() as tx:
        ingest.record_all(tx, facts)
