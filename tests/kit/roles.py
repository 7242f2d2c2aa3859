"""Single roles of one Resonanz, each started by itself as on hosts of their own."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path

from tests.kit.instance import Instance
from tests.kit.waiting import wait_for

OPS = ("edge", "app", "worker", "relay", "edge 1")  # in the order of their ports


class Roles(Instance):
    """`resonanz setup`, then these roles without a supervisor; they end when the block does."""

    def __init__(self, folder: Path, roles: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, settings)
        self._roles = roles
        self._log = folder / "roles.log"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Roles:
        done = self.run("setup")
        assert done.returncode == 0, done.stderr
        for role in self._roles:
            self.launch(role)
        try:
            for role in self._roles:
                wait_for(lambda role=role: self.is_well(role), f"role {role}")  # type: ignore[misc]
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> int:
        """Stop every role with SIGTERM; return the sum of their exit codes, 0 when all ended in order."""
        for process in self._processes.values():
            process.terminate()
        code = 0
        for role, process in self._processes.items():
            try:
                code += abs(process.wait(40))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"{role} did not stop in time:\n{self.roles_log()}") from None
        return code

    def launch(self, role: str) -> None:
        """Start a role, and do not wait until it is up. `edge 1` is a second edge, on the first one's port."""
        name, _, number = role.partition(" ")
        with self._log.open("ab") as log:
            self._processes[role] = subprocess.Popen(
                [sys.executable, "-m", "resonanz", name, *(["--number", number] if number else [])],
                env=self.environment,
                stderr=log,
                stdout=log,
            )

    def kill(self, role: str) -> None:
        """End a role with SIGKILL; returns when it is gone."""
        self._processes[role].kill()
        self._processes[role].wait()

    def is_well(self, role: str) -> bool:
        """Whether a role says of itself that it is well. Fails the test when it has ended."""
        assert self._processes[role].poll() is None, f"{role} ended:\n{self.roles_log()}"
        return self.health(role) == 200

    def health(self, role: str) -> int:
        """The status that a role's `/healthz` answers with, 0 for none."""
        port = int(self.environment["RESONANZ_OPS_PORT"]) + OPS.index(role)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except (OSError, HTTPException):  # also: a port that nobody listens on may connect to itself
            return 0

    def roles_log(self) -> str:
        """What the roles have logged."""
        return self._log.read_text("utf-8", "replace")
