"""Named transports: who carries whose mail, what happens when one is down, paused or too slow, and their secrets."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from resonanz import model
from resonanz.model import Conflict, InvalidInput, MessageState, TemporaryFailure
from resonanz.sealing import Sealer, open_sealer
from resonanz.sending import queue_control
from resonanz.sending import worker as worker_module
from resonanz.sending.directory import Directory, Known
from resonanz.sending.limits import Limit, Share
from resonanz.sending.named_transports import (
    Wanted,
    add_transport,
    change_transport,
    pause_transport,
    remove_transport,
    secret_of,
)
from resonanz.sending.routing import routes_for
from resonanz.sending.transports.base import Delivery, Envelope, Throttled, Transport, Unreachable
from resonanz.sending.transports.opening import Opener
from resonanz.sending.worker import Worker, WorkerSettings
from resonanz.store import Database, messages, queue
from resonanz.store.transports import StoredTransport, get_transport, list_transports
from resonanz.store.workers import list_workers, note_worker
from resonanz.tokens import Key, Keys
from tests.kit.cast import Cast
from tests.kit.mails import NOW, draft, hand_in
from tests.kit.sinks import running_sink
from tests.kit.waiting import DEADLINE, until
from tests.kit.workers import EDGE, KEYS, ScriptedTransport, is_empty, run_until

SEALER = Sealer(Keys([Key(1, bytes(32))]))


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.02)


def add(database: Database, name: str, **values: Any) -> StoredTransport:
    """Store a transport."""
    wanted = Wanted(name, **{"host": "mail.example.org", **values})
    return add_transport(database, SEALER, wanted, actor="ada@sender.example", now=NOW)


class Fleet:
    """Scripted transports by their name, opened as the worker asks for them."""

    def __init__(self) -> None:
        self.default = ScriptedTransport()
        self.named: dict[str, ScriptedTransport] = {}

    def open(self, stored: StoredTransport) -> Transport:
        transport = self.named.setdefault(stored.name, ScriptedTransport())
        transport.name = stored.name
        return transport

    def took(self) -> dict[str, int]:
        """How many mails each has taken."""
        every = {"default": self.default, **self.named}
        return {name: len(one.taken) for name, one in every.items() if one.taken}

    def worker(self, database: Database, connections: int = 4) -> Worker:
        """A worker over them."""
        settings = WorkerSettings(edge_url=EDGE, connections=connections)
        return Worker(
            database,
            self.default,
            KEYS,
            settings,
            unknown=lambda _tx: model.TrackingMode.INDIVIDUAL,
            open_named=self.open,
        )


@pytest.fixture
def fleet() -> Fleet:
    """The transports of one test."""
    return Fleet()


# ── Who carries it ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_most_specific_match(sqlite_database: Database) -> None:
    """The sender's address wins over their domain, that over everybody's; an account's own over the instance's; the
    lowest priority goes first; without a match nobody is named."""
    add(sqlite_database, "second", senders=["sender.example"], priority=20)
    add(sqlite_database, "first", senders=["@Sender.Example"], priority=5)
    add(sqlite_database, "address", senders=["ada@sender.example"])
    with sqlite_database.read() as tx:
        stored = list_transports(tx)

    def names(sender: str, account: Any = None) -> list[str]:
        return [one.name for one in routes_for(stored, sender, account)]

    assert names("Ada@sender.example") == ["address"]
    assert names("grace@SENDER.example") == ["first", "second"]
    assert names("x@sub.sender.example") == names("x@other.example") == []
    account = model.new_id()
    stored.append(StoredTransport(
        model.new_id(), "mine", "h.example", 25, "none", "none", NOW, "x", NOW, account_id=account
    ))  # fmt: skip
    assert names("ada@sender.example", account) == ["mine"]
    assert names("ada@sender.example", model.new_id()) == ["address"]


def test_mail_goes_by_its_senders_transport(database: Database, fleet: Fleet) -> None:
    """Each mail goes by what serves its sender, the rest by the default; the attempt says by which."""
    add(database, "acme", senders=["acme.example"])
    own = hand_in(database, draft(sender="ada@acme.example"))
    other = hand_in(database, draft())
    run_until(fleet.worker(database), is_empty(database))
    assert fleet.took() == {"acme": 1, "default": 1}
    with database.read() as tx:
        assert queue.list_attempts(tx, own.messages[0][0])[0].transport == "acme"
        assert queue.list_attempts(tx, other.messages[0][0])[0].transport == "scripted"


# ── When one does not work ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("allowed", [False, True])
def test_an_accounts_own_one_is_down(sqlite_database: Database, fleet: Fleet, allowed: bool) -> None:
    """Mail of an account whose own server is away waits, whoever else could carry it, unless the account allows that
    the instance's stand in; other accounts' mail takes no notice."""
    with sqlite_database.write() as tx:
        cast = Cast.enter(tx)
    mine = Wanted("mine", "mail.example.org", fall_back=allowed)
    add_transport(sqlite_database, SEALER, mine, actor="x", now=NOW, account_id=cast.account_id)

    async def away(envelope: Envelope, message: bytes) -> Delivery:
        raise Unreachable("mail.example.org:587 cannot be reached")

    fleet.named["mine"] = ScriptedTransport(away)
    theirs = hand_in(sqlite_database, draft(account_id=cast.account_id))
    hand_in(sqlite_database, draft())

    def is_over() -> bool:
        with sqlite_database.read() as tx:
            message = messages.get_message(tx, theirs.messages[0][0])
        assert message is not None
        return bool(fleet.default.taken) and message.state in (MessageState.DEFERRED, MessageState.SENT)

    run_until(fleet.worker(sqlite_database), is_over)
    assert fleet.took()["default"] == (2 if allowed else 1)
    with sqlite_database.read() as tx:
        assert queue.depth(tx) == (0 if allowed else 1)


def test_the_next_one_takes_over(sqlite_database: Database, fleet: Fleet) -> None:
    """What cannot be reached is replaced by the next of the same match, without an attempt lost; when it answers again
    mail comes back to it. A refusal is final."""
    add(sqlite_database, "one", senders=["sender.example"], priority=1)
    add(sqlite_database, "two", senders=["sender.example"], priority=2)
    is_down = [True]

    async def answer(envelope: Envelope, message: bytes) -> Delivery:
        if is_down[0]:
            raise Unreachable("one:25 cannot be reached")
        return Delivery("250 taken")

    fleet.named["one"] = ScriptedTransport(answer)
    receipt = hand_in(sqlite_database, draft(recipients=[f"p{number}@rcpt.example" for number in range(6)]))
    run_until(fleet.worker(sqlite_database), is_empty(sqlite_database))
    assert fleet.took()["two"] == 6
    with sqlite_database.read() as tx:
        assert all(len(queue.list_attempts(tx, message_id)) == 1 for message_id, _ in receipt.messages)
        one = get_transport(tx, "one")
    assert one is not None
    assert one.trouble == "one:25 cannot be reached"
    assert "default" not in fleet.took()

    is_down[0] = False
    fleet.named["one"].taken.clear()
    hand_in(sqlite_database, draft())
    run_until(fleet.worker(sqlite_database), is_empty(sqlite_database))
    assert fleet.took() == {"one": 1, "two": 6}
    with sqlite_database.read() as tx:
        one = get_transport(tx, "one")
    assert one is not None
    assert one.trouble == ""


def test_a_paused_transport(database: Database, fleet: Fleet) -> None:
    """Its mail waits without an attempt while other mail goes out, and goes when it is resumed."""
    add(database, "acme", senders=["acme.example"])
    pause_transport(database, "acme", paused=True, now=NOW)
    waits = hand_in(database, draft(sender="ada@acme.example")).messages[0][0]
    hand_in(database, draft())

    async def main() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(fleet.worker(database).run(stopping))
        await until(lambda: _waiting(database) == {"transport acme": 1}, "the mail to be put off")
        await until(lambda: fleet.took() == {"default": 1}, "the other mail")
        await asyncio.to_thread(pause_transport, database, "acme", paused=False, now=model.now())
        await until(is_empty(database))
        stopping.set()
        await running

    asyncio.run(main())
    assert fleet.took() == {"default": 1, "acme": 1}
    with database.read() as tx:
        assert len(queue.list_attempts(tx, waits)) == 1


def test_a_paused_queue(sqlite_database: Database, fleet: Fleet) -> None:
    """While the queue is paused nothing goes out; resumed, everything does."""
    queue_control.pause_queue(sqlite_database, actor="ada", now=NOW)
    hand_in(sqlite_database)

    async def main() -> None:
        stopping = asyncio.Event()
        worker = fleet.worker(sqlite_database)
        running = asyncio.create_task(worker.run(stopping))
        await until(lambda: worker.is_paused, "the worker to notice")
        assert fleet.took() == {}
        await asyncio.to_thread(queue_control.resume_queue, sqlite_database, actor="ada")
        await until(is_empty(sqlite_database))
        stopping.set()
        await running

    asyncio.run(main())
    assert fleet.took() == {"default": 1}


# ── How fast ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_slow_domain_holds_nobody_up(sqlite_database: Database, fleet: Fleet) -> None:
    """Many mails for a domain with a low rate come first in the queue; those behind them go out all the same, and the
    others wait, each with a time of its own and none with an attempt."""
    queue_control.limit_domain(sqlite_database, "slow.example", connections=None, rate_per_minute=1, now=NOW)
    slow = hand_in(sqlite_database, draft(recipients=[f"s{number}@slow.example" for number in range(60)]))
    hand_in(sqlite_database, draft(recipients=[f"f{number}@fast.example" for number in range(20)]))

    def fast() -> int:
        return sum(envelope.recipient.endswith("fast.example") for envelope, _ in fleet.default.taken)

    run_until(fleet.worker(sqlite_database), lambda: fast() == 20 and _waiting(sqlite_database), "the fast ones")
    assert len(fleet.default.taken) <= 22
    assert _waiting(sqlite_database) == {"domain slow.example": 60 - (len(fleet.default.taken) - 20)}
    with sqlite_database.read() as tx:
        assert not any(queue.list_attempts(tx, id) for id, to in slow.messages if _is_waiting(tx, id))
        due = tx.execute(text("SELECT due_at FROM queue ORDER BY due_at")).scalars().all()
    steps = {later - sooner for sooner, later in pairwise(due)}
    assert min(steps) >= 59_000_000


def test_connections_of_a_domain(sqlite_database: Database, fleet: Fleet) -> None:
    """Never more mails at once for a domain than it takes, whatever the worker could."""
    queue_control.limit_domain(sqlite_database, "narrow.example", connections=2, rate_per_minute=None, now=NOW)
    hand_in(sqlite_database, draft(recipients=[f"n{number}@narrow.example" for number in range(30)]))
    inside: list[int] = [0, 0]
    together = asyncio.Event()  # the first waits for a second: however slow the machine, there are two at once

    async def answer(envelope: Envelope, message: bytes) -> Delivery:
        inside[0] += 1
        inside[1] = max(inside)
        if inside[0] == 2:
            together.set()
        await asyncio.wait_for(together.wait(), DEADLINE)
        await asyncio.sleep(0)
        inside[0] -= 1
        return Delivery("250 taken")

    fleet.default = ScriptedTransport(answer)
    run_until(fleet.worker(sqlite_database, connections=8), is_empty(sqlite_database))
    assert (len(fleet.default.taken), inside[1]) == (30, 2)


def test_a_domain_that_asks_to_slow_down(database: Database, fleet: Fleet) -> None:
    """After a throttling answer the domain's other mails wait, each without an attempt; other domains go on, and
    resuming lets them go at once."""

    async def answer(envelope: Envelope, message: bytes) -> Delivery:
        if envelope.recipient.endswith("busy.example") and is_busy[0]:
            raise Throttled("421 4.7.0 too fast", by_domain=True)
        return Delivery("250 taken")

    is_busy = [True]
    fleet.default = ScriptedTransport(answer)
    hand_in(database, draft(recipients=[f"b{number}@busy.example" for number in range(12)]))
    hand_in(database, draft(recipients=[f"o{number}@other.example" for number in range(12)]))

    async def main() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(fleet.worker(database, connections=2).run(stopping))
        await until(lambda: _waiting(database).get("domain busy.example", 0) >= 8, "the others to wait")
        await until(lambda: _sent_to(fleet, "other.example") == 12, "other domains")
        is_busy[0] = False
        await asyncio.to_thread(
            queue_control.pause_domain, database, "busy.example", paused=False, actor="ada", now=model.now()
        )
        await until(lambda: _sent_to(fleet, "busy.example") >= 12, "the domain's mail")
        stopping.set()
        await running

    asyncio.run(main())
    with database.read() as tx:
        rows = tx.execute(text("SELECT attempts FROM queue")).scalars().all()
    assert len(rows) <= 2, "only what was tried when the domain was busy has to wait for its next attempt"
    assert set(rows) <= {1}


def test_limits_are_shared(database: Database, fleet: Fleet) -> None:
    """Workers that are at work on one database share a limit; who was not seen for a while has no part in it."""
    queue_control.limit_domain(database, "narrow.example", connections=3, rate_per_minute=60, now=NOW)
    add(database, "acme", connections=5)
    directory = Directory(fleet.default, fleet.open)

    def limits(*, gone_before: datetime) -> tuple[Limit, Limit]:
        with database.read() as tx:
            directory.update(Known.read(tx, "a worker", gone_before=gone_before))
        return directory.gate("narrow.example").limit, directory.carriers[1].gate.limit

    assert limits(gone_before=NOW) == (Limit(3, 60), Limit(5))
    with database.write() as tx:
        note_worker(tx, "another", NOW, gone_before=NOW)
        note_worker(tx, "a worker", NOW + timedelta(minutes=1), gone_before=NOW)
    assert limits(gone_before=NOW) == (Limit(2, 30), Limit(3))
    assert directory.gate("gmail.com").limit == Limit(10)
    assert limits(gone_before=NOW + timedelta(seconds=30)) == (Limit(3, 60), Limit(5))
    assert directory.gate("gmail.com").limit == Limit(20)


def test_a_worker_comes_and_ends(sqlite_database: Database, fleet: Fleet) -> None:
    """A worker is on record while it works, so that others leave it its part, and no longer."""

    def at_work() -> list[str]:
        with sqlite_database.read() as tx:
            return list_workers(tx, gone_before=model.now() - timedelta(minutes=1))

    worker = fleet.worker(sqlite_database)
    run_until(worker, lambda: at_work() == [worker.name])
    assert at_work() == []


@given(st.integers(1, 50), st.integers(1, 1_000), st.integers(1, 1_000))
def test_parts_add_up(workers: int, connections: int, rate: int) -> None:
    """The parts of all workers make the whole limit, and leave none without a connection."""
    parts = [Share(rank, workers).of(Limit(connections, rate)) for rank in range(workers)]
    assert sum(part.connections or 0 for part in parts) == max(connections, workers)
    assert sum(part.per_minute or 0 for part in parts) == pytest.approx(rate)


# ── Rules and secrets ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"name": "default"}, "name"),
        ({"name": "no spaces"}, "name"),
        ({"host": "http://x.example/"}, "host"),
        ({"security": "ssl"}, "security"),
        ({"port": 70_000}, "port"),
        ({"authentication": "password"}, "username"),
        ({"authentication": "password", "username": "x", "security": "none"}, "security"),
        ({"authentication": "xoauth2", "username": "x"}, "provider"),
        ({"senders": []}, "senders"),
        ({"senders": ["not a domain"]}, "senders"),
        ({"connections": 0}, "connections"),
        ({"rate_per_minute": -1}, "rate_per_minute"),
        ({"username": "a\r\nb"}, "username"),
    ],
)
def test_what_is_refused(sqlite_database: Database, values: dict[str, Any], where: str) -> None:
    """A value that makes no sense is refused by its name, and nothing is stored."""
    with pytest.raises(InvalidInput) as refused:
        add(sqlite_database, **{"name": "acme", **values})
    assert where in [problem.where for problem in refused.value.problems]
    with sqlite_database.read() as tx:
        assert list_transports(tx) == []


def test_secrets_are_sealed(database: Database, tmp_path: Path) -> None:
    """No secret is readable in the database; it opens with the key only, stays when other values change, and is
    replaced when a new one is given."""
    sealer = open_sealer(tmp_path / "sealing.json")
    wanted = Wanted(
        "acme", "mail.example.org", authentication="password", username="ada", secret="hunter2", senders=["a.example"]
    )
    add_transport(database, sealer, wanted, actor="x", now=NOW)
    with pytest.raises(Conflict):
        add_transport(database, sealer, wanted, actor="x", now=NOW)
    changed = change_transport(database, sealer, "acme", now=NOW, connections=3)
    assert (changed.connections, changed.senders) == (3, ("a.example",))
    assert secret_of(changed, sealer) == "hunter2"
    assert b"hunter2" not in (changed.secret or b"")
    assert "hunter2" not in repr(wanted) + repr(changed)
    with pytest.raises(TemporaryFailure):
        secret_of(changed, SEALER)
    assert secret_of(change_transport(database, sealer, "acme", now=NOW, secret="other"), sealer) == "other"
    remove_transport(database, "acme", now=NOW)
    with database.read() as tx:
        assert list_transports(tx) == []
        assert tx.execute(text("SELECT count(*) FROM transport_senders")).scalar_one() == 0


def test_a_stored_transport_logs_in(sqlite_database: Database) -> None:
    """The worker's transport logs in with the sealed password; one that cannot be opened lets mail wait."""
    with running_sink(login=("ada", "p@ss")) as sink:
        stored = add(
            sqlite_database,
            "local",
            host="127.0.0.1",
            port=sink.port,
            security="none",
            authentication="password",
            username="ada",
            secret="p@ss",
        )
        assert "answers" in asyncio.run(Opener(sqlite_database, lambda: SEALER).open(stored).check())
        other = Sealer(Keys([Key(2, bytes(range(32)))]))
        with pytest.raises(Unreachable, match="cannot be opened"):
            asyncio.run(Opener(sqlite_database, lambda: other).open(stored).check())


def test_an_accounts_transport_stays_outside(sqlite_database: Database) -> None:
    """A server that an account chose is not connected to where it lies in a private network."""
    with running_sink() as sink:
        stored = add(sqlite_database, "local", host="127.0.0.1", port=sink.port, security="none")
        theirs = StoredTransport(
            **{**{name: getattr(stored, name) for name in StoredTransport.__slots__}, "account_id": model.new_id()}
        )
        with pytest.raises(Unreachable, match="private network"):
            asyncio.run(Opener(sqlite_database, lambda: SEALER).open(theirs).check())
        assert sink.connections == 0


def _waiting(database: Database) -> dict[str, int]:
    with database.read() as tx:
        return queue.standing(tx, model.now()).waiting


def _is_waiting(tx: Any, message_id: Any) -> bool:
    message = messages.get_message(tx, message_id)
    return message is not None and message.state is MessageState.QUEUED


def _sent_to(fleet: Fleet, domain: str) -> int:
    return sum(envelope.recipient.endswith(domain) for envelope, _ in fleet.default.taken)
