"""An operator blocks a submission: nothing more of it goes out until that is taken back, and both are on record."""

from __future__ import annotations

import pytest

from resonanz.model import EventKind, InvalidInput, MessageState, NotFound, new_id
from resonanz.sending.blocking import MAX_REASON_CHARACTERS, block, standing, unblock
from resonanz.store import Database, events, messages, queue
from tests.kit.mails import NOW, draft, hand_in
from tests.kit.workers import ScriptedTransport, is_empty, run_until, worker_on


def test_what_was_not_sent_is_held_and_goes_out_later(database: Database) -> None:
    """A blocked mail waits without using up its attempts, says why, and is sent once the block is lifted."""
    receipt = hand_in(database, draft(recipients=["grace@rcpt.example"]))
    (message, _), *_ = receipt.messages
    block(database, receipt.submission_id, reason="sent by a thief", actor="ada@example.org", now=NOW)
    transport = ScriptedTransport()

    def is_held() -> bool:
        with database.read() as tx:
            found = messages.get_message(tx, message)
        return found is not None and found.state is MessageState.DEFERRED and "blocked" in found.state_note

    run_until(worker_on(database, transport), is_held)
    assert transport.taken == []
    with database.read() as tx:
        assert queue.list_attempts(tx, message) == []
        assert queue.depth(tx) == 1

    unblock(database, receipt.submission_id, reason="it was Ada", actor="ada@example.org", now=NOW)
    run_until(worker_on(database, transport), is_empty(database))
    assert len(transport.taken) == 1
    with database.read() as tx:
        kinds = [event.kind for event in events.of_message(tx, message)]
        assert [attempt.number for attempt in queue.list_attempts(tx, message)] == [1]
    assert kinds == [EventKind.QUEUED, EventKind.DEFERRED, EventKind.SENT]


def test_every_decision_is_kept(database: Database) -> None:
    """Who, when and why, the newest first; a second block gives a new reason."""
    id = hand_in(database, draft(recipients=["grace@rcpt.example"])).submission_id
    block(database, id, reason=" sent by\na thief ", actor="ada@example.org", now=NOW)
    block(database, id, reason="confirmed", actor="command line", now=NOW)
    unblock(database, id, reason="password changed", actor="ada@example.org", now=NOW)
    with database.read() as tx:
        blocked, decisions = standing(tx, id)
    assert not blocked
    assert [(one.blocked, one.reason, one.actor, one.occurred_at) for one in decisions] == [
        (False, "password changed", "ada@example.org", NOW),
        (True, "confirmed", "command line", NOW),
        (True, "sent by a thief", "ada@example.org", NOW),
    ]


def test_what_cannot_be_decided_is_refused(database: Database) -> None:
    """No reason, one too long, no such submission, nothing to lift: said so, and nothing is written."""
    id = hand_in(database, draft(recipients=["grace@rcpt.example"])).submission_id
    for reason in ("", " \n", "x" * (MAX_REASON_CHARACTERS + 1)):
        with pytest.raises(InvalidInput) as refused:
            block(database, id, reason=reason, actor="a", now=NOW)
        assert refused.value.where == "reason"
    with pytest.raises(NotFound):
        block(database, new_id(), reason="x", actor="a", now=NOW)
    with pytest.raises(InvalidInput, match="not blocked"):
        unblock(database, id, reason="x", actor="a", now=NOW)
    with database.read() as tx:
        assert standing(tx, id) == (False, [])
