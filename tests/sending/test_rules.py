"""Tracking rules: pure decisions, and what becomes of a mail that a mail program hands in."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail.address import Address
from resonanz.mail.structure import parse
from resonanz.model import InvalidInput, NotFound, TrackingMode
from resonanz.sending.loading import load
from resonanz.sending.rule_book import remove_rules, rules_for, set_rules
from resonanz.sending.rules import RULE_REASONS, Rules, Switch, Track, Why, decide, read_rules, take_marker, take_switch
from resonanz.store import Database, messages, queue
from resonanz.store.messages import Message
from tests.kit.cast import Cast
from tests.kit.mails import NOW, RAW, draft, hand_in

INDIVIDUAL, OFF = TrackingMode.INDIVIDUAL, TrackingMode.OFF

domains = st.sampled_from(["a.example", "b.example", "c.example"])
addresses = st.builds(lambda local, domain: Address("", local, domain), st.sampled_from("xyz"), domains)
patterns = st.lists(st.one_of(domains.map(lambda domain: f"@{domain}"), addresses.map(lambda one: one.normalised)))
rules = st.builds(Rules, st.sampled_from(Track), st.just("[track]"), patterns.map(tuple), patterns.map(tuple))
switches = st.none() | st.builds(Switch, st.booleans(), st.booleans())
modes = st.sampled_from(TrackingMode)


@given(rules, switches, st.lists(addresses, min_size=1, max_size=5), modes, modes, st.booleans())
def test_rules_only_lower(
    rules: Rules, switch: Switch | None, people: list[Address], opens: TrackingMode, clicks: TrackingMode, marked: bool
) -> None:
    """No rule and no switch asks for more than the sender did, and who is on a list is untracked whatever the mail
    says; who is not on one shares the fate of the whole mail."""
    found = decide(rules, switch, people, (opens, clicks), is_marked=marked)
    assert found.opens in (opens, OFF)
    assert found.clicks in (clicks, OFF)
    others = set()
    for one in people:
        listed = {one.normalised, f"@{one.domain}"} & {*rules.never, *rules.internal}
        why = found.untracked.get(one.normalised)
        if listed:
            assert why in (Why.NEVER, Why.INTERNAL)
        else:
            others.add(why)
    assert len(others) <= 1
    if rules.track is Track.NONE and others:
        assert None not in others


@given(st.text(max_size=60), st.sampled_from([b"\r\n", b"\n"]), st.booleans())
def test_the_marker_leaves_the_rest_of_the_mail(subject: str, eol: bytes, upper: bool) -> None:
    """Only the Subject changes, it reads as before without the marker, and is one well-formed ASCII field."""
    import email.header

    plain = " ".join("".join(character for character in subject if character.isprintable()).split())
    marked = f"{'[TRACK]' if upper else '[track]'} {plain}"
    written = email.header.Header(marked, "utf-8").encode(linesep=eol.decode())
    head, tail = b"From: a@b.example" + eol + b"Subject: ", eol + b"To: c@d.example" + eol * 2 + b"Hello" + eol
    raw = head + written.encode("ascii") + tail
    left, found = take_marker(raw, parse(raw), "[track]")
    assert left.startswith(head)
    assert left.endswith(tail)
    assert left.isascii()
    again = parse(left)
    assert [field.name for field in again.headers] == ["From", "Subject", "To"]
    assert (again.header("Subject") or "") == found
    assert "[track]" not in (found or "").lower() or "[track]" in plain.lower()
    assert take_marker(RAW, parse(RAW), "[track]") == (RAW, None)


@pytest.mark.parametrize("word", ["on", "off", "Opens", "CLICKS"])
def test_the_switch_is_taken_out(word: str) -> None:
    """What is left is the mail without that field, byte for byte; a misspelling is refused."""
    raw = f"X-Resonanz-Track:  {word}\r\n".encode() + RAW
    left, switch = take_switch(raw, parse(raw))
    assert left == RAW
    assert switch is not None
    for wrong in ("of", "", "on\r\nX-Resonanz-Track: off"):
        raw = f"x-resonanz-track: {wrong}\r\n".encode() + RAW
        with pytest.raises(InvalidInput):
            take_switch(raw, parse(raw))


def test_what_is_no_rule() -> None:
    """Everything that is wrong is named at once."""
    with pytest.raises(InvalidInput) as refused:
        read_rules("some", " ", ["a b@c"], ["x..example"])
    assert {problem.where for problem in refused.value.problems} == {"track", "marker", "never", "internal"}


@pytest.fixture
def account(database: Database) -> UUID:
    """The account whose mail program hands mail in."""
    with database.write() as tx:
        return Cast.enter(tx).account_id


def handed_in(database: Database, account: UUID, raw: bytes = RAW, *to: str) -> list[Message]:
    """The messages that come of a mail from a mail program."""
    receipt = hand_in(
        database, draft(account_id=account, source="relay", raw=raw, recipients=to or ["grace@rcpt.example"])
    )
    with database.read() as tx:
        return messages.of_submission(tx, receipt.submission_id)


def test_rules_of_a_domain_before_those_for_all(database: Database, account: UUID) -> None:
    """Mail from a domain with rules of its own follows those; without any, everything is tracked."""
    with database.read() as tx:
        assert rules_for(tx, account, "sender.example") == Rules()
    set_rules(database, account, "", Rules(Track.NONE), NOW)
    assert handed_in(database, account)[0].untracked_reason == Why.NONE
    set_rules(database, account, "@Sender.example", Rules(Track.ALL), NOW)
    assert handed_in(database, account)[0].untracked_reason == ""
    remove_rules(database, account, "sender.example", NOW)
    assert handed_in(database, account)[0].untracked_reason == Why.NONE
    with pytest.raises(NotFound):
        remove_rules(database, account, "sender.example", NOW)


def test_marked_mail(database: Database, account: UUID) -> None:
    """A subject marker tracks and is gone from content and list; without it, or the switch, nothing is tracked."""
    set_rules(database, account, "", Rules(Track.MARKED, "#rz"), NOW)
    (plain,) = handed_in(database, account)
    assert (plain.untracked_reason, plain.track_opens) == (Why.NOT_MARKED, OFF)
    (marked,) = handed_in(database, account, RAW.replace(b"Subject: Minutes", b"Subject: Minutes #RZ"))
    assert (marked.untracked_reason, marked.track_opens, marked.subject) == ("", INDIVIDUAL, "Minutes")
    with database.read() as tx:
        submission = messages.get_submission(tx, marked.submission_id)
        assert submission is not None
        content = messages.get_content(tx, submission.content_id)
    assert content is not None
    assert content.body == RAW
    (switched,) = handed_in(database, account, b"X-Resonanz-Track: opens\r\n" + RAW)
    assert (switched.track_opens, switched.track_clicks) == (INDIVIDUAL, OFF)


def test_a_listed_recipient_stays_untracked_when_it_is_built(database: Database, account: UUID) -> None:
    """Each recipient by its own: internal and never-track copies are built untracked, the others as usual."""
    set_rules(database, account, "", read_rules("all", "x", ["ceo@corp.example"], ["sender.example"]), NOW)
    found = handed_in(database, account, RAW, "grace@rcpt.example", "ceo@corp.example", "bob@sender.example")
    assert [message.untracked_reason for message in found] == ["", Why.NEVER, Why.INTERNAL]
    with database.write() as tx:
        claims = queue.claim(tx, "test", NOW, NOW + timedelta(minutes=1), 9)
        works = {work.message.recipient: work.allowed for work in load(tx, claims, INDIVIDUAL, "https://e.example")}
    assert works == {
        "grace@rcpt.example": (INDIVIDUAL, INDIVIDUAL),
        "ceo@corp.example": (OFF, OFF),
        "bob@sender.example": (OFF, OFF),
    }
    assert {Why.NEVER, Why.INTERNAL} <= RULE_REASONS


def test_other_doors_have_the_switch_alone(database: Database, account: UUID) -> None:
    """Rules are for mail programs; the switch of a raw mail counts everywhere, and an idempotency key still repeats."""
    set_rules(database, account, "", Rules(Track.NONE), NOW)
    what = draft(account_id=account, raw=b"X-Resonanz-Track: clicks\r\n" + RAW, idempotency_key="k")
    first, second = hand_in(database, what), hand_in(database, what)
    assert (second.repeated, second.submission_id) == (True, first.submission_id)
    with database.read() as tx:
        (message,) = messages.of_submission(tx, first.submission_id)
    assert (message.untracked_reason, message.track_opens, message.track_clicks) == ("", OFF, INDIVIDUAL)
