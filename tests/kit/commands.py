"""`resonanz` commands in this process, as if typed: a process of its own for each would cost a second of work."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner

from resonanz.app.cli import cli
from tests.kit.ports import free_ports

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


def run_command(arguments: Sequence[str], settings: Mapping[str, str], stdin: bytes | str = b"") -> Done:
    """Run one command with exactly these settings. What would end a process with a traceback is one on `stderr`."""
    away = {name: None for name in os.environ if name.startswith("RESONANZ_")}
    with _logs_as_they_were():
        done = CliRunner(env={**away, **settings}).invoke(cli, list(arguments), input=stdin, prog_name="resonanz")
    stderr = done.stderr
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        stderr += "".join(traceback.format_exception(done.exception))
    return subprocess.CompletedProcess(["resonanz", *arguments], done.exit_code, done.stdout, stderr)


def run_process(arguments: Sequence[str], settings: Mapping[str, str], stdin: bytes = b"") -> Done:
    """Run one in a process of its own, where that is what counts: entry points, roles, what a fresh process loads."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RESONANZ_")}
    done = subprocess.run(
        [sys.executable, "-m", "resonanz", *arguments],
        input=stdin,
        capture_output=True,
        env={**environment, **settings},
        timeout=120,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def command_settings(tmp_path: Path) -> dict[str, str]:
    """A data folder and ports of this test's own."""
    edge, dashboard = map(str, free_ports(2))
    return {
        "RESONANZ_DATA_DIR": str(tmp_path / "data"),
        "RESONANZ_EDGE_PORT": edge,
        "RESONANZ_DASHBOARD_PORT": dashboard,
    }


@pytest.fixture
def run(command_settings: dict[str, str]) -> Run:
    """Run `resonanz` on a data folder of this test's own; further settings by name."""
    return lambda *arguments, stdin=b"", **more: run_command(arguments, {**command_settings, **more}, stdin)


@pytest.fixture
def run_aside(command_settings: dict[str, str]) -> Run:
    """The same in a process of its own."""
    return lambda *arguments, stdin=b"", **more: run_process(arguments, {**command_settings, **more}, stdin)


@contextmanager
def _logs_as_they_were() -> Iterator[None]:
    """A command sends the whole process's logs to its standard error: ours have a life after it."""
    root, config, context = logging.getLogger(), structlog.get_config(), structlog.contextvars.get_contextvars()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**config)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**context)
