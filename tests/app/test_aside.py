"""Work aside: what it returns and raises comes back, and no process stays when whoever wanted it is gone."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from resonanz.app.aside import aside
from tests.kit.waiting import wait_for

SCRIPT = """
import sys
from functools import partial
from pathlib import Path
from resonanz.app.aside import aside
aside(partial(Path.read_bytes, Path(sys.argv[1])), start=sys.argv[2])
"""


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_work_aside_ends_with_whoever_waits_for_it(tmp_path: Path, start: str) -> None:
    """SIGTERM to a process that is waiting for one aside: both are gone. `up` and every role begin with one."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    waiting = subprocess.Popen([sys.executable, "-c", SCRIPT, str(pipe), start], start_new_session=True)
    try:
        writer = wait_for(partial(_open_writing, pipe), "the work aside to read")
        waiting.terminate()
        assert waiting.wait() == -signal.SIGTERM
        readers = select.poll()
        readers.register(writer, 0)  # errors are always told
        assert readers.poll(20_000) == [(writer, select.POLLERR)], "nobody reads any more"
        os.close(writer)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(waiting.pid, signal.SIGKILL)


def _open_writing(pipe: Path) -> int | None:
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # nobody reads yet
        return None


def test_work_aside_returns_and_raises() -> None:
    """As if it had been called here. Not forked: a test's process has threads."""
    assert aside(partial(int, "12"), start="spawn") == 12
    with pytest.raises(ValueError, match="twelve"):
        aside(partial(int, "twelve"), start="spawn")
