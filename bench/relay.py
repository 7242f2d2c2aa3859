"""The relay: mails of 30 KB handed in by SMTP, stored, tracked and sent on, in mails per second on one core.

    python -m bench relay [--mails 2000] [--connections 8]

The submission door and the worker are processes of their own, as in an instance, and share one core with fsync on every
commit; Postfix's `smtp-source` and `smtp-sink` are on the other ones. `smtp-source` cannot log in, so its sessions are
taken for logged in; a login happens once a connection. Next to them, in the same run: `smtp-source` straight to the
sink, and a bare relay of aiosmtpd and aiosmtplib that stores nothing and changes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bench.send import SINK, SOURCE, sink
from resonanz.app.logs import configure_logs
from resonanz.model import TrackingMode, now
from resonanz.store import Database, accounts, open_database, queue
from resonanz.store.accounts import Account
from resonanz.store.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiosmtpd.smtp import SMTP

SIZE = 30_720  # bytes of one mail
SENDER = "ada@sender.example"
_TICKS = os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="bench relay")
    parser.add_argument("--mails", type=int, default=2_000)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args(list(arguments))
    if not Path(SINK).exists() or not Path(SOURCE).exists():
        raise SystemExit("needs smtp-sink and smtp-source: apt install postfix")
    cores = sorted(os.sched_getaffinity(0))
    others = set(cores[1:] or cores)
    os.sched_setaffinity(0, others)  # the roles go to the first core, everybody else stays away from it
    folder = Path(tempfile.mkdtemp(prefix="bench-relay-"))
    try:
        mail = folder / "mail"
        mail.write_bytes(_mail())
        with sink(others) as sink_port:
            hand_in = partial(_hand_in, mail, options.mails, options.connections)
            straight = hand_in(sink_port)
            print(f"{'smtp-source to smtp-sink':28} {options.mails / straight:>8,.0f} mails/s")
            bare = _bare_relay(hand_in, sink_port, options.mails, cores[0])
            ours = _resonanz(hand_in, sink_port, options, cores[0], folder)
            print(f"{'Resonanz / bare relay':28} {bare / ours:>8.2f}")
    finally:
        shutil.rmtree(folder)


def _hand_in(mail: Path, mails: int, connections: int, port: int) -> float:
    """Hand the mails in at a port; return how long that took, in seconds."""
    envelope = ["-f", SENDER, "-t", "r@rcpt.example", "-N", "-M", "bench.example"]
    command = [SOURCE, "-d", "-s", str(connections), "-m", str(mails), "-F", str(mail), *envelope, f"127.0.0.1:{port}"]
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


def _bare_relay(hand_in: Callable[[int], float], sink_port: int, mails: int, core: int) -> float:
    with _role(core, partial(_pass_on, sink_port)) as (pid, port):
        before = _cpu(pid)
        wall = hand_in(port)
        cpu = _cpu(pid) - before
    print(f"{'bare aiosmtpd + aiosmtplib':28} {mails / wall:>8,.0f} mails/s  {cpu / mails * 1e3:>6.2f} ms of CPU each")
    return wall


def _resonanz(
    hand_in: Callable[[int], float], sink_port: int, options: argparse.Namespace, core: int, folder: Path
) -> float:
    url = f"sqlite:///{folder / 'bench.sqlite'}"
    database = open_database(url)
    migrate(database)
    account = Account(uuid4(), SENDER, "Ada", "x", now(), now())
    with database.write() as tx:
        accounts.add_account(tx, account)
    door, worker = partial(_take_in, url, account), partial(_send_out, url, sink_port, options.connections)
    try:
        with (
            _role(core, door) as (door_pid, port),
            _role(core, worker) as (worker_pid, _),
        ):
            before = _cpu(door_pid), _cpu(worker_pid)
            begun = time.perf_counter()
            taken_in = hand_in(port)
            while _waiting(database):
                time.sleep(0.02)
            wall = time.perf_counter() - begun
            taken = _cpu(door_pid) - before[0], _cpu(worker_pid) - before[1]
    finally:
        database.close()
    each_in, each_out = (seconds / options.mails * 1e3 for seconds in taken)
    rate = f"{options.mails / wall:>8,.0f} mails/s  {each_in + each_out:>6.2f} ms of CPU each"
    print(f"{'Resonanz, in and out':28} {rate} (in {each_in:.2f}, out {each_out:.2f})")
    print(f"{'… answered 250':28} {options.mails / taken_in:>8,.0f} mails/s")
    return wall


def _waiting(database: Database) -> int:
    with database.read() as tx:
        return queue.depth(tx)


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used, its threads' included."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


# ── Roles ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Role = Callable[[Callable[[int], None], asyncio.Event], Coroutine[Any, Any, None]]


@contextmanager
def _role(core: int, work: Role) -> Iterator[tuple[int, int]]:
    """Run a role as a process on one core; its pid, and the port that it says it listens on."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_run, args=(work, core, theirs))
    process.start()
    try:
        port = ours.recv()
        assert process.pid is not None
        yield process.pid, port
    finally:
        with suppress(OSError):
            ours.send("stop")
        process.join(30)


def _run(work: Role, core: int, pipe: Any) -> None:
    os.sched_setaffinity(0, {core})
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # logs are written as an instance does, and read by nobody
    configure_logs("bench", form="json")

    async def serve() -> None:
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_reader(pipe.fileno(), stopping.set)
        await work(pipe.send, stopping)

    asyncio.run(serve())


async def _listen(door: Callable[[], SMTP], ready: Callable[[int], None], stopping: asyncio.Event) -> None:
    server = await asyncio.get_running_loop().create_server(door, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname()[1])
    await stopping.wait()
    server.close()


async def _pass_on(sink_port: int, ready: Callable[[int], None], stopping: asyncio.Event) -> None:
    """A relay that hands each mail on as it is, and answers when the next server has."""
    import aiosmtplib
    from aiosmtpd.smtp import SMTP

    free: list[aiosmtplib.SMTP] = []

    class PassOn:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            client = free.pop() if free else aiosmtplib.SMTP(hostname="127.0.0.1", port=sink_port, start_tls=False)
            if not client.is_connected:
                await client.connect()
            await client.mail(envelope.mail_from)
            await client.rcpt(envelope.rcpt_tos[0])
            reply = await client.data(envelope.content)
            free.append(client)
            return f"{reply.code} {reply.message}"

    await _listen(lambda: SMTP(PassOn(), loop=asyncio.get_running_loop()), ready, stopping)


async def _take_in(url: str, account: Account, ready: Callable[[int], None], stopping: asyncio.Event) -> None:
    """The submission door, whose sessions are logged in."""
    from resonanz.relay.door import Door
    from resonanz.relay.submission import SubmissionDoor, SubmissionHandler
    from resonanz.sending.drafts import Limits
    from resonanz.sending.together import Together

    class LoggedIn(SubmissionDoor):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self.session.authenticated, self.session.auth_data = True, account

    database = open_database(url)
    connections: set[Door] = set()
    handler = SubmissionHandler(database, lambda secret, moment: None, Together(database, Limits()).submit)
    await _listen(
        lambda: LoggedIn(handler, connections, auth_require_tls=False, data_size_limit=Limits().size_bytes),
        ready,
        stopping,
    )
    database.close()


async def _send_out(
    url: str, sink_port: int, connections: int, ready: Callable[[int], None], stopping: asyncio.Event
) -> None:
    """The worker."""
    from resonanz.sending.transports import SmtpTransport, read_smtp_url
    from resonanz.sending.worker import Worker, WorkerSettings
    from resonanz.tokens import Key, Keys

    database = open_database(url)
    worker = Worker(
        database,
        SmtpTransport(read_smtp_url(f"smtp://127.0.0.1:{sink_port}"), helo_name="bench.example"),
        Keys([Key(1, bytes(32))]),
        WorkerSettings(edge_url="https://t.sender.example", connections=connections),
        unknown=lambda _tx: TrackingMode.INDIVIDUAL,
    )
    ready(0)
    await worker.run(stopping)
    database.close()


def _mail() -> bytes:
    """A mail of 30 KB as mail programs write it: text and HTML in quoted-printable, with 12 links."""
    from email.message import EmailMessage

    links = "".join(
        f'<p><a href="https://shop.example/item/{n}?from=mail&amp;n={n}">Item {n}</a></p>\n' for n in range(12)
    )
    filler = "<p>Words of a mail, with some style and not much else to say about them, as people write.</p>\n"
    text = "Words of a mail, with not much else to say about them, as people write.\n" * 100
    html = f"<html><body>\n{links}{filler * 400}"[: SIZE - len(text) - 1_500] + "</body></html>\n"
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Ada <{SENDER}>", "Grace <grace@rcpt.example>", "What is new"
    mail["Date"], mail["Message-ID"] = "Mon, 04 May 2026 12:00:00 +0000", "<bench@sender.example>"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    return mail.as_bytes()


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
