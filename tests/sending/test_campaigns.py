"""Campaigns: whom they reach, how fast, and that pausing, cancelling and dying workers leave nobody out or written to
twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from resonanz.model import Conflict, EventKind, InvalidInput, MessageState
from resonanz.people import Reason, suppress
from resonanz.sending import campaigns, expansion
from resonanz.sending.erasure import erase_contact, no_mails
from resonanz.store import Database, contacts, events, lists, queue
from resonanz.store import messages as message_rows
from resonanz.store.campaigns import CampaignState
from tests.kit.campaigns import HTML, add_list, add_people, expand, plan, recipients, started, stored, subjects
from tests.kit.mails import NOW
from tests.kit.relays import DOMAIN
from tests.kit.rows import next_due
from tests.kit.waiting import wait_for
from tests.kit.worker_process import start_expanding
from tests.kit.workers import ScriptedTransport, is_empty, run_until, worker_on

LATER = NOW + timedelta(minutes=1)


def test_whom_it_reaches(database: Database) -> None:
    """Everybody who agreed, on any of the lists, once; and what became of the others is counted."""
    first, second = add_list(database, "first"), add_list(database, "second")
    orders = add_list(database, "orders", marketing=False)
    add_people(database, [first, second], ["both@rcpt.example"])
    add_people(database, [first], ["ada@rcpt.example", "gone@rcpt.example"])
    add_people(database, [first], ["never-asked@rcpt.example"], consent="")
    add_people(database, [first], ["no@rcpt.example"], consent="withdrawn")
    add_people(database, [first, orders], ["customer@rcpt.example"], consent="")
    add_people(database, [orders], ["refused@rcpt.example"], consent="refused")
    add_people(database, [first], ["late@rcpt.example"], since=LATER)
    with database.write() as tx:
        suppress(tx, "gone@rcpt.example", Reason.COMPLAINED, now=NOW, source="test")
    campaign = started(database, plan([first, second, orders]))
    expand(database)
    assert set(recipients(database, campaign)) == {"both@rcpt.example", "ada@rcpt.example", "customer@rcpt.example"}
    assert len(recipients(database, campaign)) == 3
    done = stored(database, campaign.id)
    assert (done.expanded, done.audience, done.suppressed, done.unwilling) == (True, 3, 1, 3)


@pytest.mark.parametrize(
    ("html", "text"),
    [(HTML, "Dear {{ contact.name }}, no."), (HTML + "{% if contact.number == 7 %}seven{% endif %}", "")],
    ids=["from the press", "one by one"],
)
def test_what_arrives(database: Database, html: str, text: str) -> None:
    """Each copy is personal in text, HTML and links, says how to leave, and the campaign is finished once all went
    out; whether it goes through the press or not."""
    list_id = add_list(database, "first")
    add_people(database, [list_id], [f"r{number}@rcpt.example" for number in range(5)], number=7)
    campaign = started(database, plan([list_id], html=html, text=text, preheader="Only for {{ contact.address }}"))
    expand(database)
    transport = ScriptedTransport()
    run_until(worker_on(database, transport, return_path_domain=DOMAIN), is_empty(database))
    for envelope, written in transport.taken:
        mail = message_from_bytes(written, policy=policy.default)
        shown = mail.get_body(("html",)).get_content()  # type: ignore[attr-defined, union-attr]
        plain = mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined, union-attr]
        assert "Dear reader," in shown
        assert f"Only for {envelope.recipient}" in shown
        assert "Only for" not in plain
        assert ("seven" in shown) is ("seven" in html)
        assert "/u/" in shown
        assert "{{" not in shown + plain
        assert mail["Precedence"] == "bulk"
        assert mail["Feedback-ID"].split(":")[1] == "campaign"
        assert mail["To"] == envelope.recipient
    assert not expansion.advance(database, NOW)
    assert stored(database, campaign.id).state is CampaignState.FINISHED
    assert campaign.submission_id is not None
    with database.read() as tx:
        submission = message_rows.get_submission(tx, campaign.submission_id)
        assert submission is not None
        assert submission.recipients == 5
        [link] = [one for one in message_rows.list_links(tx, submission.content_id) if "shop" in one.url]
        # Told as it was written, or only as far as it says nothing about whoever got the first copy.
        assert ("contact.number" in link.url) if html == HTML else (link.url.endswith("/…") and "7" not in link.url)


def test_lists_of_mails_show_each_subject_as_its_recipient_sees_it(database: Database) -> None:
    """A subject with placeholders is filled for each mail, conditions and all; and it names nobody who was erased."""
    list_id = add_list(database, "first")
    add_people(database, [list_id], ["ada@rcpt.example", "bob@rcpt.example"])
    asked = "{% if contact.address %}For {{ contact.address }}{% endif %}"
    campaign = started(database, plan([list_id], subject=asked))
    expand(database)
    assert subjects(database, campaign) == {
        "ada@rcpt.example": "For ada@rcpt.example",
        "bob@rcpt.example": "For bob@rcpt.example",
    }
    with database.read() as tx:
        ada = contacts.find_contact(tx, "ada@rcpt.example")
    assert ada is not None
    erase_contact(database, ada.id, no_mails, now=NOW, source="test", actor="")
    left = subjects(database, campaign)
    assert left.pop("bob@rcpt.example") == "For bob@rcpt.example"
    assert list(left.values()) == [asked]


def test_not_more_than_a_backlog_waits(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list is taken in portions, and the next ones only when those before are on their way."""
    monkeypatch.setattr(expansion, "PORTION", 10)
    list_id = add_list(database, "first")
    add_people(database, [list_id], [f"r{number}@rcpt.example" for number in range(35)])
    campaign = started(database, plan([list_id]))
    while expansion.go_on(database, campaign.id, NOW, backlog=15):
        pass
    assert stored(database, campaign.id).audience == 15
    run_until(worker_on(database, ScriptedTransport()), is_empty(database))
    expand(database)
    assert len(set(recipients(database, campaign))) == 35


def test_as_fast_as_it_was_told(database: Database) -> None:
    """With 60 mails a minute each is due a second after the one before, and no more are made than can go soon."""
    list_id = add_list(database, "first")
    add_people(database, [list_id], [f"r{number}@rcpt.example" for number in range(100)])
    campaign = started(database, plan([list_id], per_minute=60))
    expand(database)
    made = stored(database, campaign.id)
    assert 1 < made.audience < 60
    assert made.release_at == NOW + timedelta(seconds=made.audience)
    with database.read() as tx:
        assert queue.has_due(tx, NOW)
    sent: list[str] = []
    at = NOW
    while len(sent) < 100:
        at += timedelta(seconds=30)
        before = len(sent)
        expand(database, now=at)
        with database.write() as tx:
            claims = queue.claim(tx, "w", at, at + timedelta(hours=1), 1_000)
            queue.take_out(tx, queue.lock(tx, "w", [claim.message_id for claim in claims]))
        sent += [str(claim.message_id) for claim in claims]
        assert len(sent) - before <= 31
        assert at < NOW + timedelta(minutes=5)
    assert len(set(sent)) == 100


def test_paused_and_resumed(database: Database) -> None:
    """While it is paused nothing is due and nothing is made; resumed, it goes on to everybody once."""
    list_id = add_list(database, "first")
    add_people(database, [list_id], [f"r{number}@rcpt.example" for number in range(8)])
    campaign = started(database, plan([list_id]))
    expand(database)
    campaigns.pause(database, campaign.id, now=NOW)
    with database.read() as tx:
        assert not queue.has_due(tx, NOW + timedelta(days=300))
    assert not expansion.advance(database, NOW)
    assert campaigns.resume(database, campaign.id, now=LATER).state is CampaignState.SENDING
    transport = ScriptedTransport()
    run_until(worker_on(database, transport), is_empty(database))
    assert Counter(envelope.recipient for envelope, _ in transport.taken) == Counter(recipients(database, campaign))


def test_what_a_worker_has_already_when_it_is_paused(database: Database) -> None:
    """A mail that was claimed before the pause and looked at after it waits without an attempt."""
    list_id = add_list(database, "first")
    add_people(database, [list_id], ["ada@rcpt.example"])
    campaign = started(database, plan([list_id]))
    expand(database)
    campaigns.pause(database, campaign.id, now=NOW)
    with database.write() as tx:  # as if it had been claimed in the same moment
        queue.make_due(tx, dict.fromkeys(queue.waiting_of(tx, campaign.submission_id), NOW))  # type: ignore[arg-type]
    transport = ScriptedTransport()

    def put_back() -> bool:
        with database.read() as tx:
            due_at = next_due(tx)
            return due_at is not None and due_at > NOW

    run_until(worker_on(database, transport), put_back)
    assert transport.taken == []
    with database.read() as tx:
        assert queue.depth(tx) == 1


def test_cancelled(database: Database) -> None:
    """Cancelled, nothing more goes out; each mail that waited says why, and nothing can bring it back."""
    list_id = add_list(database, "first")
    add_people(database, [list_id], [f"r{number}@rcpt.example" for number in range(4)])
    campaign = started(database, plan([list_id]))
    expand(database)
    campaigns.cancel(database, campaign.id, now=NOW)
    expand(database)
    with database.read() as tx:
        assert queue.depth(tx) == 0
        for message in message_rows.of_submission(tx, campaign.submission_id):  # type: ignore[arg-type]
            assert message.state is MessageState.FAILED
            assert "cancelled" in message.state_note
            assert [event.kind for event in events.of_message(tx, message.id)] == [EventKind.QUEUED, EventKind.FAILED]
    for act in (campaigns.pause, campaigns.resume, campaigns.unschedule, campaigns.cancel):
        with pytest.raises(Conflict):
            act(database, campaign.id, now=NOW)


def test_scheduled_for_later(database: Database) -> None:
    """Nothing happens before its time; until then it can be taken back."""
    list_id = add_list(database, "first")
    add_people(database, [list_id], ["ada@rcpt.example"])
    made = campaigns.create(database, plan([list_id]), account_id=None, now=NOW)
    campaigns.schedule(database, made.id, at=LATER, now=NOW)
    assert expand(database) == 0
    assert campaigns.unschedule(database, made.id, now=NOW).state is CampaignState.DRAFT
    campaigns.schedule(database, made.id, at=LATER, now=NOW)
    assert expand(database, now=LATER) > 0
    assert recipients(database, stored(database, made.id)) == ["ada@rcpt.example"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"sender": ""}, "sender"),
        ({"sender": "nobody"}, "sender"),
        ({"reply_to": "nobody"}, "reply_to"),
        ({"subject": ""}, "subject"),
        ({"html": ""}, "html"),
        ({"lists": ()}, "lists"),
        ({"subject": "{{ contact.nmae }}"}, "subject"),
        ({"preheader": "{{ oops"}, "preheader"),
        ({"html": "{% for x in %}"}, "html"),
    ],
)
def test_what_cannot_be_sent_is_not_scheduled(database: Database, changes: dict[str, Any], where: str) -> None:
    """What is wrong with a plan is told by field when it is scheduled, and it stays a draft."""
    list_id = add_list(database, "first")
    made = campaigns.create(database, plan([list_id], **changes), account_id=None, now=NOW)
    with pytest.raises(InvalidInput) as refused:
        campaigns.schedule(database, made.id, at=None, now=NOW)
    assert refused.value.where == where
    assert stored(database, made.id).state is CampaignState.DRAFT


def test_what_is_scheduled_is_not_changed(database: Database) -> None:
    """Content and audience stand once it is scheduled; and a draft that was deleted is gone."""
    list_id = add_list(database, "first")
    made = campaigns.create(database, plan([list_id]), account_id=None, now=NOW)
    assert campaigns.change(database, made.id, plan([list_id], subject="Other"), now=LATER).subject == "Other"
    campaigns.schedule(database, made.id, at=None, now=NOW)
    with pytest.raises(Conflict):
        campaigns.change(database, made.id, plan([list_id]), now=NOW)
    with pytest.raises(Conflict):
        campaigns.remove(database, made.id)


def test_who_leaves_a_list_meanwhile_gets_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audience stands from the start on, but for who goes: nobody is written to against their will."""
    monkeypatch.setattr(expansion, "PORTION", 2)
    list_id = add_list(database, "first")
    people = add_people(database, [list_id], [f"r{number}@rcpt.example" for number in range(5)])
    campaign = started(database, plan([list_id]))
    expansion.advance(database, NOW)
    with database.write() as tx:
        lists.remove_members(tx, list_id, [people[-1].id])
    add_people(database, [list_id], ["new@rcpt.example"], since=LATER)
    expand(database)
    assert sorted(recipients(database, campaign)) == sorted(one.address for one in people[:-1])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_in_the_middle(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A worker that is killed again and again while it makes the mails of 2,000 contacts leaves nobody out and nobody
    twice: each portion is there as a whole or not at all."""
    url: str = request.getfixturevalue(f"{kind}_url")
    from resonanz.store import open_database

    database = open_database(url)
    try:
        list_id = add_list(database, "first")
        people = add_people(database, [list_id], [f"r{number:04}@rcpt.example" for number in range(2_000)])
        campaign = started(database, plan([list_id]))
        for goal in (100, 700, 1_400):
            process = start_expanding(database, portion=37)
            try:
                wait_for(_has_made(database, campaign.id, goal), "mails")
            finally:
                process.kill()
                process.join()
        expand(database)
        assert sorted(recipients(database, campaign)) == sorted(one.address for one in people)
        with database.read() as tx:
            assert queue.depth(tx) == 2_000
        assert stored(database, campaign.id).audience == 2_000
    finally:
        database.close()


def _has_made(database: Database, campaign_id: Any, number: int) -> Callable[[], bool]:
    return lambda: stored(database, campaign_id).audience >= number
