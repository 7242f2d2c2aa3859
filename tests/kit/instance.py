"""A whole Resonanz of its own for a test: `resonanz up` as a user runs it, on free ports, in a folder of its own."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.kit.commands import Done, run_command
from tests.kit.ports import free_ports, free_range

PORTS = ("DASHBOARD_PORT", "EDGE_PORT", "PREVIEW_PORT", "SUBMISSION_PORT", "SUBMISSION_TLS_PORT", "INBOUND_PORT")
START_SECONDS = 90.0


class Instance:
    """`resonanz up`, running. `setup_link` is what it printed; `log` is everything on standard error so far."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        ports = free_ports(len(PORTS))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RESONANZ_")},
            "RESONANZ_DATA_DIR": str(folder / "data"),
            "RESONANZ_LOG_FORMAT": "json",
            **{f"RESONANZ_{name}": str(port) for name, port in zip(PORTS, ports, strict=True)},
            "RESONANZ_OPS_PORT": str(free_range(5)),
            **(settings or {}),
        }
        self.dashboard = f"http://localhost:{self.environment['RESONANZ_DASHBOARD_PORT']}"
        self.edge = f"http://localhost:{self.environment['RESONANZ_EDGE_PORT']}"
        self.data = folder / "data"
        self.log = ""
        self._lines: queue.Queue[str | None] = queue.Queue()

    def __enter__(self) -> Instance:
        self.launch()
        self.wait_for_greeting()
        return self

    def launch(self) -> None:
        """Start it, and do not wait until it is up; whoever does so stops it."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "resonanz", "up"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_log, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def setup_link(self) -> str:
        """The one-time link that creates the first account."""
        found = re.search(r"\S+/set-up/\S+", self.greeting)
        assert found, f"no set-up link in:\n{self.greeting}"
        return found.group()

    def run(self, *arguments: str, stdin: bytes = b"") -> Done:
        """Run another `resonanz` command on this instance's data."""
        return run_command(
            arguments, {name: value for name, value in self.environment.items() if name.startswith("RESONANZ_")}, stdin
        )

    def stop(self) -> int:
        """Stop it with SIGTERM, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self._kill()
            raise AssertionError(f"did not stop in time:\n{self.log}") from None
        for reader in self._readers:
            reader.join(10)
        if any(reader.is_alive() for reader in self._readers):  # closing what it reads from would wait for ever
            self._kill()
            raise AssertionError(f"it ended with {code} and left roles behind:\n{self.log}")
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code

    def wait_for_greeting(self) -> None:
        """Wait until it says where it is."""
        text = ""
        while "Ctrl-C stops it" not in text:
            try:
                line = self._lines.get(timeout=START_SECONDS)
            except queue.Empty:
                line = None
            if line is None:
                self._kill()
                raise AssertionError(f"did not start:\n{text}\n{self.log}")
            text += line
        self.greeting = text

    def _kill(self) -> None:
        """End it and every role of it with SIGKILL."""
        self.process.kill()
        self.process.wait()
        mark = f"RESONANZ_DATA_DIR={self.data}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)

    def _read_output(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line
