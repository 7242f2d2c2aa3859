"""A queue worker in a process of its own, for tests that kill it.

python -m tests.kit.worker_process DATABASE_URL SMTP_PORT CONNECTIONS RESEND
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import timedelta

from resonanz.sending.transports import SmtpTransport, read_smtp_url
from resonanz.store import Database, open_database
from tests.kit.workers import worker_on

LEASE = timedelta(seconds=1)


def start_worker(database: Database, smtp_port: int, *, connections: int, resend: bool) -> subprocess.Popen[bytes]:
    """Start one; whoever starts it ends it."""
    url = database.engine.url.render_as_string(hide_password=False)
    arguments = [url, str(smtp_port), str(connections), "resend" if resend else "hold"]
    return subprocess.Popen([sys.executable, "-m", "tests.kit.worker_process", *arguments])


async def main(url: str, smtp_port: str, connections: str, resend: str) -> None:
    """Work until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    database = open_database(url)
    worker = worker_on(
        database,
        SmtpTransport(read_smtp_url(f"smtp://127.0.0.1:{smtp_port}"), helo_name="us.example"),
        connections=int(connections),
        lease=LEASE,
        resend_uncertain=resend == "resend",
    )
    await worker.run(stopping)
    database.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
