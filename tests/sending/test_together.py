"""Many hand in at the same moment: each gets its own answer, and what is wrong with one harms no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Barrier

import pytest

from resonanz.model import Forbidden, InvalidInput, new_id
from resonanz.sending.drafts import Limits
from resonanz.sending.together import Together
from resonanz.store import Database, accounts, messages, queue
from tests.kit.cast import Cast
from tests.kit.mails import NOW, draft

MANY = 24


def test_each_gets_its_own_answer(database: Database) -> None:
    """Every receipt names its own recipient's message; forbidden and wrong ones are refused, and nothing of them is
    stored."""
    bob = accounts.Account(new_id(), "bob@sender.example", "Bob", "no-password", NOW, NOW)
    with database.write() as tx:
        Cast.enter(tx)
        accounts.add_account(tx, bob)
    together, barrier = Together(database, Limits()), Barrier(MANY)

    def hand_in(number: int) -> tuple[str, str]:
        barrier.wait(30)
        recipient = f"r{number}@rcpt.example" if number % 8 != 2 else "no address"
        sender = "bob@sender.example" if number % 8 != 1 else "eve@sender.example"
        try:
            receipt = together.submit(draft(account_id=bob.id, sender=sender, recipients=[recipient]), NOW)
        except Forbidden:
            return recipient, "forbidden"
        except InvalidInput:
            return recipient, "wrong"
        with database.read() as tx:
            (message,) = messages.of_submission(tx, receipt.submission_id)
        return recipient, message.recipient

    with ThreadPoolExecutor(MANY) as threads:
        for number, (recipient, found) in enumerate(threads.map(hand_in, range(MANY))):
            assert found == {1: "forbidden", 2: "wrong"}.get(number % 8, recipient)
    with database.read() as tx:
        assert queue.depth(tx) == MANY - 2 * (MANY // 8)


def test_a_failure_is_everybodys_own(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect while several are stored is raised, and the next ones get in: the lead is never lost."""
    together = Together(sqlite_database, Limits())

    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(import_module("resonanz.sending.submit"), "_store", fail)
        with ThreadPoolExecutor(8) as threads:
            failures = [threads.submit(together.submit, draft(), NOW) for _ in range(8)]
            assert {type(one.exception(30)) for one in failures} == {ZeroDivisionError}
    assert together.submit(draft(), NOW).messages
