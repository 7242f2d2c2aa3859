"""The supervisor: roles that die come back, a stop is clean, and nothing is left behind."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.waiting import wait_for

SCRIPT = """
import asyncio, sys
from resonanz.app.logs import configure_logs
from resonanz.app.supervisor import Supervisor
configure_logs("up", form="json")
roles = [("role", [sys.executable, "-c", sys.argv[1]]), *((path, [path]) for path in sys.argv[2:])]
sys.exit(asyncio.run(Supervisor(roles, drain_seconds=2.0).run()))
"""

STEADY = """
import pathlib, signal, sys, os
from resonanz.app.supervisor import hold_lifeline
hold_lifeline()
def stop(*_):
    pathlib.Path({stopped!r}).touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
with open({starts!r}, "a") as file:
    print(os.getpid(), file=file)
while True:
    signal.pause()
"""


class Supervised:
    """A supervisor in a process of its own, with one role that notes its starts and its clean stop, and `further`."""

    def __init__(self, folder: Path, code: str = STEADY, *further: str) -> None:
        self.starts_file = folder / "starts"
        self.stopped_file = folder / "stopped"
        role = code.format(starts=str(self.starts_file), stopped=str(self.stopped_file))
        command = [sys.executable, "-c", SCRIPT, role, *further]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def pids(self) -> list[int]:
        """The process ids of the role's starts so far."""
        return [int(line) for line in self.starts_file.read_text().split()] if self.starts_file.exists() else []

    def wait_for_starts(self, count: int) -> list[int]:
        """Wait until the role was started this often."""
        return wait_for(lambda: pids if len(pids := self.pids()) >= count else None, f"{count} starts")


@pytest.fixture
def supervised(tmp_path: Path):
    """Make supervisors that are gone after the test."""
    made: list[Supervised] = []

    def make(code: str = STEADY, *further: str) -> Supervised:
        made.append(Supervised(tmp_path, code, *further))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()
        one.process.stderr.close()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone; the second, while it was read
        return False


def test_a_role_that_dies_is_started_again_and_says_so(supervised) -> None:
    """SIGKILL of a role: another one takes its place, and the log names the role and how it died."""
    it = supervised()
    (first,) = it.wait_for_starts(1)
    os.kill(first, signal.SIGKILL)
    assert it.wait_for_starts(2)[1] != first
    it.process.terminate()
    _, errors = it.process.communicate()
    (death,) = [line for line in map(json.loads, errors.splitlines()) if "died" in line["event"]]
    assert (death["name"], death["exit_code"], death["level"]) == ("role", -9, "error")


def test_sigterm_drains_the_roles_and_exits_0(supervised) -> None:
    """A stop reaches the role as SIGTERM, and the supervisor waits for it."""
    it = supervised()
    (pid,) = it.wait_for_starts(1)
    it.process.terminate()
    assert it.process.wait() == 0
    assert it.stopped_file.exists()
    assert not _alive(pid)


def test_a_role_that_will_not_stop_is_killed(supervised) -> None:
    """The drain has an end."""
    it = supervised(STEADY.replace("sys.exit(0)", "pass"))
    (pid,) = it.wait_for_starts(1)
    it.process.terminate()
    assert it.process.wait() == 0
    assert not _alive(pid)


def test_roles_go_when_the_supervisor_is_killed(supervised) -> None:
    """SIGKILL leaves the supervisor no time; the roles notice by themselves and stop cleanly."""
    it = supervised()
    (pid,) = it.wait_for_starts(1)
    it.process.kill()
    it.process.wait()
    wait_for(lambda: not _alive(pid), "the role to stop")
    assert it.stopped_file.exists()


def test_a_role_that_cannot_be_started_takes_nothing_with_it(supervised, tmp_path: Path) -> None:
    """No memory for a process, or its program is being replaced: it is tried again; the others stay and are drained."""
    program = tmp_path / "program"
    it = supervised(STEADY, str(program))
    (pid,) = it.wait_for_starts(1)
    role = STEADY.format(starts=str(it.starts_file), stopped=str(tmp_path / "other"))
    program.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, '-c', role])}\n")
    program.chmod(0o700)
    assert pid in it.wait_for_starts(2)
    it.process.terminate()
    _, errors = it.process.communicate()
    assert it.process.returncode == 0, errors
    assert it.stopped_file.exists()
    assert not any(map(_alive, it.pids()))
    assert str(program) in {json.loads(line)["name"] for line in errors.splitlines() if "starting it again" in line}
