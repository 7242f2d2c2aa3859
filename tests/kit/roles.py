"""Single roles of one Resonanz, each started by itself as on hosts of their own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.kit.instance import Instance
from tests.kit.waiting import wait_for

LISTENS = {"edge": "EDGE_PORT", "app": "DASHBOARD_PORT", "relay": "SUBMISSION_PORT"}


class Roles(Instance):
    """`resonanz setup`, then these roles without a supervisor; they end when the block does."""

    def __init__(self, folder: Path, roles: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, settings)
        self._roles = roles
        self._log = folder / "roles.log"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Roles:
        done = self.run("setup")
        assert done.returncode == 0, done.stderr.decode()
        with self._log.open("ab") as log:
            for role in self._roles:
                self._processes[role] = subprocess.Popen(
                    [sys.executable, "-m", "resonanz", role], env=self.environment, stderr=log, stdout=log
                )
        try:
            for role in self._roles:
                wait_for(lambda role=role: self._is_up(role), f"role {role}")  # type: ignore[misc]
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
                raise AssertionError(f"{role} did not stop in time:\n{self._log.read_text()}") from None
        return code

    def _is_up(self, role: str) -> bool:
        assert self._processes[role].poll() is None, f"{role} ended:\n{self._log.read_text()}"
        port = self.environment.get(f"RESONANZ_{LISTENS[role]}") if role in LISTENS else None
        if port is None:
            return True
        try:
            socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
        except OSError:
            return False
        return True
