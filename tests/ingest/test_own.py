"""The sender's own opens and clicks: shown, and never counted, unless a setting says otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from resonanz.accounts.own import OwnBrowsers
from resonanz.ingest import take_journals
from resonanz.ingest.judging import Judging
from resonanz.ingest.settle import settle
from resonanz.model import HitKind, Verdict, new_id
from resonanz.store import Database, accounts, events
from resonanz.store.accounts import Account
from resonanz.store.messages import Message
from resonanz.store.senders import Sender, add_sender
from tests.kit.cast import BROWSER, NOON, OUTLOOK, Cast, hit
from tests.kit.journals import MemoryJournals

KEY = bytes(range(32))
OFFICE = "198.51.100.23"
LATER = NOON + timedelta(hours=1)
JUDGING = Judging(own_key=KEY)


def verdicts(database: Database, message: Message, judging: Judging = JUDGING, **asked: str) -> list[Verdict | None]:
    """Open the mail and follow a link of it, settle, and return both verdicts."""
    asked = {"address": OFFICE, "user_agent": BROWSER} | asked
    opened = hit(message, HitKind.OPEN, at=LATER, **asked)
    clicked = hit(message, HitKind.CLICK, at=LATER + timedelta(seconds=30), **asked)
    journal = MemoryJournals(**{new_id().hex: [opened, clicked]})
    take_journals(database, journal, now=lambda: LATER + timedelta(minutes=1), judging=judging)
    settle(database, judging, now=lambda: LATER + timedelta(minutes=3))
    with database.read() as tx:
        found = [event for event in events.of_message(tx, message.id) if event.source == "edge"]
    return [event.verdict for event in found]


def note(database: Database, account: Cast, *, hours_ago: float = 1, address: str = OFFICE) -> None:
    browsers = OwnBrowsers(database, KEY)
    browsers.note(account.account_id, address, BROWSER, LATER - timedelta(hours=hours_ago))


def given(database: Database, to: str = "alma@example.org") -> tuple[Cast, Message]:
    with database.write() as tx:
        cast = Cast.enter(tx)
        return cast, cast.mail(tx, to)


def test_a_browser_that_is_signed_in_is_the_senders(database: Database) -> None:
    """Known by where it comes from and what it calls itself; no cookie is set at the edge."""
    cast, message = given(database)
    note(database, cast)
    assert verdicts(database, message) == [Verdict.SENDER_SELF] * 2


@pytest.mark.parametrize(
    "asked",
    [{"user_agent": OUTLOOK}, {"address": "203.0.113.7"}],
    ids=["another program", "another address"],
)
def test_others_from_there_are_readers(database: Database, asked: dict[str, str]) -> None:
    """A colleague behind the same address with another program, the same program elsewhere."""
    cast, message = given(database)
    note(database, cast)
    assert Verdict.SENDER_SELF not in verdicts(database, message, **asked)


def test_after_a_day_a_browser_counts_again(database: Database) -> None:
    """Who knows who sits behind that address by then."""
    cast, message = given(database)
    note(database, cast, hours_ago=25)
    assert Verdict.SENDER_SELF not in verdicts(database, message)


def test_another_accounts_browser_is_a_reader(database: Database) -> None:
    """Only the account that sent the mail is its sender."""
    _, message = given(database)
    with database.write() as tx:
        other = accounts.Account(new_id(), "other@resonanz.example", "", "no-password", NOON, NOON)
        accounts.add_account(tx, other)
    OwnBrowsers(database, KEY).note(other.id, OFFICE, BROWSER, LATER)
    assert Verdict.SENDER_SELF not in verdicts(database, message)


def test_a_mail_to_the_accounts_own_address(database: Database) -> None:
    """A test mail to oneself is opened by oneself, wherever."""
    _, message = given(database, "Owner@resonanz.example")
    assert verdicts(database, message, address="203.0.113.7", user_agent=BROWSER) == [Verdict.SENDER_SELF] * 2


@pytest.mark.parametrize("pattern", ["news@alias.example", "@alias.example"])
def test_a_mail_to_an_address_they_may_send_from(database: Database, pattern: str) -> None:
    """Their other addresses are theirs too; a whole domain that they may send for is other people's as well."""
    cast, message = given(database, "News@Alias.example")
    with database.write() as tx:
        add_sender(tx, Sender(cast.account_id, pattern, NOON, "command line"))
        other = Account(new_id(), "other@resonanz.example", "", "no-password", NOON, NOON)
        accounts.add_account(tx, other)
        add_sender(tx, Sender(other.id, "news@alias.example", NOON, "command line"))  # of several, one is enough
    own = pattern.startswith("news")
    expected = [Verdict.SENDER_SELF] * 2 if own else [Verdict.HUMAN_DIRECT, Verdict.HUMAN_LIKELY]
    assert verdicts(database, message) == expected


def test_by_setting_the_sender_counts_like_anybody(database: Database) -> None:
    """Who wants to try things out may."""
    cast, message = given(database, "owner@resonanz.example")
    note(database, cast)
    assert verdicts(database, message, Judging()) == [Verdict.HUMAN_DIRECT, Verdict.HUMAN_LIKELY]


def test_a_browser_is_noted_once_an_hour(database: Database) -> None:
    """Reading pages costs no transaction each; what is old goes."""
    with database.write() as tx:
        cast = Cast.enter(tx)
    browsers = OwnBrowsers(database, KEY)
    for minutes in (0, 30, 61):
        browsers.note(cast.account_id, OFFICE, BROWSER, NOON + timedelta(minutes=minutes))
    browsers.note(cast.account_id, "", BROWSER, NOON)
    with database.read() as tx:
        assert len(accounts.list_own_sources(tx, NOON + timedelta(minutes=31))) == 1
    browsers.note(cast.account_id, "203.0.113.7", BROWSER, NOON + timedelta(days=3))
    with database.read() as tx:
        assert len(accounts.list_own_sources(tx, NOON)) == 1
