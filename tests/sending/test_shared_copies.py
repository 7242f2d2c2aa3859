"""Several recipients of one relayed mail share one copy: the same bytes for all, delivered to each on their own."""

from __future__ import annotations

from uuid import UUID

import pytest

from resonanz.model import InvalidInput, MessageState, TrackingMode
from resonanz.people import Choice, Purpose, record_choice
from resonanz.sending.drafts import Draft, Receipt
from resonanz.sending.rule_book import set_copies_of_instance, set_rules
from resonanz.sending.rules import Copies, Rules
from resonanz.store import Database, contacts, messages
from resonanz.tokens import read, read_return_path
from tests.kit.cast import Cast
from tests.kit.mails import NOW, RAW, hand_in
from tests.kit.workers import EDGE, KEYS, ScriptedTransport, is_empty, run_until, worker_on

DOMAIN = "bounces.sender.example"


def account_on(database: Database) -> UUID:
    """An account, whatever it may send from."""
    with database.write() as tx:
        return Cast.enter(tx).account_id


def relayed(database: Database, account: UUID, recipients: int) -> Receipt:
    """A mail to so many, as a mail program hands it in."""
    to = [f"r{number}@rcpt.example" for number in range(recipients)]
    return hand_in(database, Draft(account, "relay", "ada@sender.example", to, raw=RAW))


def carried(database: Database, unknown: TrackingMode = TrackingMode.INDIVIDUAL) -> dict[str, bytes]:
    """Every copy that went out, by recipient. Each has a return path of its own."""
    transport = ScriptedTransport()
    run_until(worker_on(database, transport, unknown=unknown, return_path_domain=DOMAIN), is_empty(database))
    paths = {read_return_path(KEYS, envelope.sender.partition("@")[0]) for envelope, _ in transport.taken}
    assert len(paths) == len(transport.taken)
    return {envelope.recipient: message for envelope, message in transport.taken}


def refuse(database: Database, address: str) -> None:
    """Somebody does not want to be tracked."""
    with database.write() as tx:
        person = contacts.ensure_contacts(tx, [(address, "")], NOW)[address]
        for purpose in (Purpose.OPENS, Purpose.CLICKS):
            record_choice(tx, person, purpose, Choice.REFUSED, now=NOW, source="test")


def test_the_copy_is_one_and_names_nobody(database: Database) -> None:
    """The same bytes for all who allow it, with tokens of the submission; whoever refused has an own copy without. Bcc
    stays hidden, and how it went is known of each."""
    account = account_on(database)
    set_rules(database, account, "", Rules(copies=Copies.SHARED), NOW)
    receipt = relayed(database, account, 4)
    refuse(database, "r3@rcpt.example")
    sent = carried(database)
    shared = {sent[f"r{number}@rcpt.example"] for number in range(3)}
    assert len(shared) == 1
    (copy,) = shared
    token = read(KEYS, copy.decode().split(f"{EDGE}/o/")[1].split(".gif")[0])
    assert (token.anonymous, token.id) == (True, receipt.submission_id)
    assert EDGE.encode() not in sent["r3@rcpt.example"]
    assert b"hidden@" not in copy
    with database.read() as tx:
        submission = messages.get_submission(tx, receipt.submission_id)
        assert submission is not None
        assert submission.shared
        made = {one.recipient: one for one in messages.of_submission(tx, receipt.submission_id)}
    assert {one.state for one in made.values()} == {MessageState.SENT}
    modes = [made[f"r{number}@rcpt.example"].track_opens for number in range(4)]
    assert modes == [TrackingMode.ANONYMOUS] * 3 + [TrackingMode.OFF]


@pytest.mark.parametrize(("recipients", "tracked"), [(4, 0), (5, 5)])
def test_a_few_are_as_good_as_named(sqlite_database: Database, recipients: int, tracked: int) -> None:
    """Who allows counting without names alone is part of a group only where it hides them."""
    account = account_on(sqlite_database)
    set_copies_of_instance(sqlite_database, "shared", NOW)
    relayed(sqlite_database, account, recipients)
    sent = carried(sqlite_database, TrackingMode.ANONYMOUS)
    assert sum(EDGE.encode() in copy for copy in sent.values()) == tracked


def test_who_decides(sqlite_database: Database) -> None:
    """An account's rule for the domain, else that for all mail, else the instance; one recipient shares with nobody,
    and what other doors hand in has own copies."""
    account = account_on(sqlite_database)

    def shares(recipients: int = 2, source: str = "relay") -> bool:
        to = [f"r{number}@rcpt.example" for number in range(recipients)]
        receipt = hand_in(sqlite_database, Draft(account, source, "ada@sender.example", to, raw=RAW))
        with sqlite_database.read() as tx:
            submission = messages.get_submission(tx, receipt.submission_id)
        assert submission is not None
        return submission.shared

    assert not shares()
    set_copies_of_instance(sqlite_database, "shared", NOW)
    assert shares()
    assert not shares(recipients=1)
    assert not shares(source="api")
    set_rules(sqlite_database, account, "", Rules(copies=Copies.OWN), NOW)
    assert not shares()
    set_rules(sqlite_database, account, "sender.example", Rules(copies=Copies.SHARED), NOW)
    assert shares()
    set_rules(sqlite_database, account, "sender.example", Rules(copies=Copies.SHARED, never=("r1@rcpt.example",)), NOW)
    assert not shares()
    with pytest.raises(InvalidInput):
        set_copies_of_instance(sqlite_database, "instance", NOW)
