"""SIGKILL of the worker in the middle of many mails, again and again: nothing is lost, no copy unaccounted for."""

from __future__ import annotations

import os
import signal
from collections import Counter
from uuid import UUID

import pytest

from resonanz import model
from resonanz.ingest.inbound import Arrived, take_mail
from resonanz.model import MessageState
from resonanz.sending.drafts import Limits
from resonanz.store import Database, events, messages
from resonanz.store.messages import Message
from tests.kit.mails import draft, hand_in
from tests.kit.reports import dsn
from tests.kit.sinks import running_sink
from tests.kit.waiting import wait_for
from tests.kit.worker_process import start_worker
from tests.kit.workers import KEYS, is_empty

# The whole proof is CRASH_MAILS=5000 CRASH_KILLS=10; the suite runs a small one.
MAILS = int(os.environ.get("CRASH_MAILS", "160"))
KILLS = int(os.environ.get("CRASH_KILLS", "2"))
CONNECTIONS = 4
EACH = MAILS // (KILLS + 1) // 2  # mails between two kills, so that every kill comes in the middle


@pytest.mark.parametrize("resend", [False, True], ids=["hold", "resend"])
def test_killed_in_the_middle(database: Database, resend: bool) -> None:
    """Every recipient gets the mail or is known as uncertain; copies beyond one are no more than were on the wire, and
    every one of those is marked. Held ones are settled by reports that name their Message-ID."""
    receipt = hand_in(
        database,
        draft(recipients=[f"p{number}@rcpt.example" for number in range(MAILS)]),
        limits=Limits(recipients=MAILS),
    )
    ids = {recipient: message_id for message_id, recipient in receipt.messages}
    with running_sink() as sink:
        for kill in range(KILLS + 1):
            worker = start_worker(database, sink.port, connections=CONNECTIONS, resend=resend)
            try:
                if kill < KILLS:
                    so_far = len(sink.taken)
                    sink.stall = 0.01
                    wait_for(lambda so_far=so_far: len(sink.taken) >= so_far + EACH, "mails", seconds=60)  # type: ignore[misc]
                    sink.stall = 600.0  # what is taken now is not answered: something is on the wire at the kill
                    seen = len(sink.taken)
                    wait_for(lambda seen=seen: len(sink.taken) > seen, "a mail on the wire")  # type: ignore[misc]
                    worker.kill()
                else:
                    sink.stall = 0.0
                    wait_for(is_empty(database), "the queue", seconds=60 + MAILS / 20)
                    worker.terminate()
                worker.join(30)
                assert worker.exitcode == (-signal.SIGKILL if kill < KILLS else 0)
            finally:
                worker.kill()
                worker.join()
        copies = Counter(taken.recipients[0].split(">")[0].strip("<") for taken in sink.taken)

    states = {recipient: _state(database, message_id) for recipient, message_id in ids.items()}
    uncertain = {recipient for recipient, message_id in ids.items() if _was_uncertain(database, message_id)}
    assert set(copies) <= set(ids)
    assert 0 < len(uncertain) <= KILLS * CONNECTIONS
    assert {recipient for recipient, number in copies.items() if number > 1} <= uncertain
    if resend:
        assert set(copies) == set(ids)
        assert set(states.values()) == {MessageState.SENT}
    else:
        assert max(copies.values()) == 1
        assert {recipient for recipient, state in states.items() if state is MessageState.UNCERTAIN} == uncertain
        assert set(ids) - set(copies) <= uncertain
        assert all(states[recipient] is MessageState.SENT for recipient in set(ids) - uncertain)
        for recipient in uncertain:  # a report that names the Message-ID tells what nobody could
            told = ("delivered", "2.0.0") if recipient in copies else ("failed", "5.1.1")
            named = _message(database, ids[recipient]).header_id or ""
            report = Arrived.read(dsn(recipient, *told, message_id=named))
            take_mail(database, KEYS, report, source="mailbox", now=model.now())
            settled = MessageState.DELIVERED if recipient in copies else MessageState.BOUNCED
            assert _state(database, ids[recipient]) is settled


def _state(database: Database, message_id: UUID) -> MessageState:
    return _message(database, message_id).state


def _message(database: Database, message_id: UUID) -> Message:
    with database.read() as tx:
        message = messages.get_message(tx, message_id)
    assert message is not None
    return message


def _was_uncertain(database: Database, message_id: UUID) -> bool:
    with database.read() as tx:
        return any(event.detail.get("uncertain") for event in events.of_message(tx, message_id))
