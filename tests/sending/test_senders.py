"""Which senders an account may use, at the one way in that every door takes."""

from __future__ import annotations

from uuid import UUID

import pytest

from resonanz.accounts.senders import allow_sender, forbid_sender
from resonanz.model import Conflict, Forbidden, InvalidInput, NotFound, new_id
from resonanz.store import Database, accounts, queue
from tests.kit.cast import Cast
from tests.kit.mails import NOW, RAW, draft, hand_in

BOB = "bob@sender.example"


@pytest.fixture
def bob(database: Database) -> UUID:
    """An account that does not run the instance."""
    account = accounts.Account(new_id(), BOB, "Bob", "no-password", NOW, NOW)
    with database.write() as tx:
        Cast.enter(tx)
        accounts.add_account(tx, account)
    return account.id


def may_send(database: Database, account: UUID, sender: str, **changes: object) -> bool:
    """Whether this account may hand in a mail; nothing is stored of one that is refused."""
    with database.read() as tx:
        before = queue.depth(tx)
    try:
        hand_in(database, draft(account_id=account, sender=sender, **changes))
    except Forbidden:
        with database.read() as tx:
            after = queue.depth(tx)
        assert after == before
        return False
    return True


def test_its_own_and_what_was_allowed(database: Database, bob: UUID) -> None:
    """From the start only the account's own address, in any case; an address or a domain when allowed, until taken
    back; a domain covers no other, above or below."""
    assert may_send(database, bob, "Bob <BOB@Sender.example>")
    assert not may_send(database, bob, "ada@sender.example")
    allow_sender(database, BOB, "Ada@sender.example", actor="test", now=NOW)
    assert may_send(database, bob, "ada@sender.example")
    allow_sender(database, BOB, "Shop.example", actor="test", now=NOW)
    assert may_send(database, bob, "anybody@shop.example")
    for other in ("a@news.shop.example", "a@example", "a@notshop.example", "shop.example@evil.example"):
        assert not may_send(database, bob, other), other
    forbid_sender(database, BOB, "@shop.example")
    assert not may_send(database, bob, "anybody@shop.example")


def test_the_envelope_and_every_author_count(database: Database, bob: UUID) -> None:
    """With a raw mail the envelope's sender and each mailbox in From must be allowed, whatever the other is."""
    from_bob = RAW.replace(b"Ada <ada@sender.example>", b"Bob <bob@sender.example>")
    two = RAW.replace(b"Ada <ada@sender.example>", b"bob@sender.example, ceo@corp.example")
    assert may_send(database, bob, BOB, raw=from_bob)
    assert not may_send(database, bob, "ada@sender.example", raw=from_bob)
    assert not may_send(database, bob, BOB, raw=RAW)
    assert not may_send(database, bob, BOB, raw=two)
    assert not may_send(database, bob, "", raw=two.replace(b"bob@sender.example, ", b""))
    with pytest.raises(InvalidInput):
        may_send(database, bob, BOB, raw=RAW.replace(b"Ada <ada@sender.example>", b"a@b@c"))


def test_whoever_runs_the_instance(database: Database, bob: UUID) -> None:
    """The first account and the command line send from any address."""
    with database.read() as tx:
        (operator, _) = accounts.list_accounts(tx)
    assert operator.id != bob
    assert may_send(database, operator.id, "anybody@anywhere.example")
    assert hand_in(database, draft(sender="anybody@anywhere.example"))


def test_what_cannot_be_allowed(database: Database, bob: UUID) -> None:
    """What is wrong is told with its place, and a second time is a conflict."""
    allow_sender(database, BOB, "shop.example", actor="test", now=NOW)
    with pytest.raises(Conflict):
        allow_sender(database, BOB, "@SHOP.example", actor="test", now=NOW)
    for wrong in ("", "@", "a b@c.example", "shop..example"):
        with pytest.raises(InvalidInput) as refused:
            allow_sender(database, BOB, wrong, actor="test", now=NOW)
        assert refused.value.where == "sender"
    with pytest.raises(NotFound):
        allow_sender(database, "nobody@sender.example", "shop.example", actor="test", now=NOW)
    with pytest.raises(NotFound):
        forbid_sender(database, BOB, "other.example")
