"""Sending: 20 KB personalised, tracked mails from the queue to 250, in mails per second on one core.

    python -m bench send [--mails 2000] [--connections 8]

Against Debian's `smtp-sink`, next to what sets the measure in the same run: Postfix's own `smtp-source`, and a bare
aiosmtplib loop that sends ready-made mails of the same size. The queue is a SQLite file with fsync on every commit.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib

from resonanz.mail.dkim import Algorithm, Signer
from resonanz.model import TrackingMode, now
from resonanz.sending.drafts import Draft, Limits
from resonanz.sending.signing import SigningKeys
from resonanz.sending.submit import submit
from resonanz.sending.transports import SmtpTransport, read_smtp_url
from resonanz.sending.worker import Worker, WorkerSettings
from resonanz.store import Database, open_database, queue
from resonanz.store.migrate import migrate
from resonanz.tokens import Key, Keys

SINK, SOURCE = "/usr/sbin/smtp-sink", "/usr/sbin/smtp-source"
SIZE = 20_480  # bytes of one mail


@dataclass(frozen=True, slots=True)
class Figure:
    """How long a number of mails took, on the clock and of our CPU, in seconds."""

    name: str
    mails: int
    wall: float
    cpu: float

    def __str__(self) -> str:
        each = f"{self.cpu / self.mails * 1e3:>6.2f} ms of our CPU each" if self.cpu else ""
        return f"{self.name:28} {self.mails / self.wall:>8,.0f} mails/s  {each}"


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="bench send")
    parser.add_argument("--mails", type=int, default=2_000)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args(list(arguments))
    if not Path(SINK).exists():
        raise SystemExit("needs smtp-sink and smtp-source: apt install postfix")
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])  # we on the first core, the sink on the others
    with sink(set(cores[1:] or cores)) as port:
        print(_smtp_source(port, options.mails, options.connections, set(cores[:1])))
        bare = _measure("bare aiosmtplib loop", options.mails, _bare(port, options.mails, options.connections))
        print(bare)
        ours = _resonanz(port, options.mails, options.connections)
        print(ours)
        print(f"{'Resonanz / bare loop':28} {bare.wall / ours.wall:>8.2f}")
        signed = _resonanz(port, options.mails, options.connections, signs=True)
        print(signed)
        print(
            f"{'DKIM (RSA-2048) costs':28} {(signed.cpu / signed.mails - ours.cpu / ours.mails) * 1e3:>8.2f} ms a mail"
        )


@contextmanager
def sink(cores: set[int]) -> Iterator[int]:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    process = subprocess.Popen([SINK, *(["-u", "nobody"] if os.geteuid() == 0 else []), f"127.0.0.1:{port}", "1000"])
    os.sched_setaffinity(process.pid, cores)
    try:
        wait_until_open(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def wait_until_open(port: int) -> None:
    import socket

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise SystemExit("smtp-sink did not start")


def _smtp_source(port: int, mails: int, connections: int, cores: set[int]) -> Figure:
    command = [SOURCE, "-d", "-s", str(connections), "-m", str(mails), "-l", str(SIZE), f"127.0.0.1:{port}"]
    begun = time.perf_counter()
    process = subprocess.Popen(command)
    os.sched_setaffinity(process.pid, cores)
    if process.wait():
        raise SystemExit("smtp-source failed")
    return Figure("smtp-source (C)", mails, time.perf_counter() - begun, 0)


def _measure(name: str, mails: int, work: object) -> Figure:
    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(work)  # type: ignore[arg-type]
    return Figure(name, mails, time.perf_counter() - wall, time.process_time() - cpu)


async def _bare(port: int, mails: int, connections: int) -> None:
    message = _html().encode().ljust(SIZE, b"x")
    left = iter(range(mails))

    async def lane() -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, local_hostname="bench.example")
        await client.connect()
        for _ in left:
            await client.mail("ada@sender.example")
            await client.rcpt("grace@rcpt.example")
            await client.data(b"Subject: x\r\n\r\n" + message)
        await client.quit()

    await asyncio.gather(*(lane() for _ in range(connections)))


def _resonanz(port: int, mails: int, connections: int, *, signs: bool = False) -> Figure:
    folder = Path(tempfile.mkdtemp(prefix="bench-send-"))
    database = open_database(f"sqlite:///{folder / 'bench.sqlite'}")
    try:
        migrate(database)
        draft = Draft(
            account_id=None,
            source="api",
            sender="Ada <ada@sender.example>",
            recipients=[f"Reader {number} <r{number}@rcpt.example>" for number in range(mails)],
            subject="What is new",
            html=_html(),
        )
        submit(database, draft, limits=Limits(recipients=mails), now=now())
        worker = Worker(
            database,
            SmtpTransport(read_smtp_url(f"smtp://127.0.0.1:{port}"), helo_name="bench.example"),
            Keys([Key(1, bytes(32))]),
            WorkerSettings(
                edge_url="https://t.sender.example",
                connections=connections,
                signing_keys_folder=_signing_key(folder) if signs else None,
            ),
            unknown=lambda _tx: TrackingMode.INDIVIDUAL,
        )
        name = "Resonanz, signed" if signs else "Resonanz, queue to 250"
        return _measure(name, mails, _until_empty(worker, database))
    finally:
        database.close()
        shutil.rmtree(folder)


def _signing_key(folder: Path) -> Path:
    keys = SigningKeys(folder / "dkim")
    keys.add(Signer.make("sender.example", "bench", Algorithm.RSA), now())
    return folder / "dkim"


async def _until_empty(worker: Worker, database: Database) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(worker.run(stopping))

    def is_empty() -> bool:
        with database.read() as tx:
            return queue.depth(tx) == 0

    while not await asyncio.to_thread(is_empty):  # noqa: ASYNC110 - another thread of the worker empties it
        await asyncio.sleep(0.05)
    stopping.set()
    await running


def _html() -> str:
    """A newsletter of about 20 KB when encoded, with 12 links."""
    links = "".join(
        f'<p><a href="https://shop.example/item/{n}?from=news&amp;n={n}">Item {n}</a></p>\n' for n in range(12)
    )
    filler = "<p>Words of a newsletter, with some style and not much else to say about them.</p>\n"
    html = f"<html><body>\n{links}{filler * 200}</body></html>"
    return html[: SIZE - 6_000] + "</body></html>"


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
