"""The roles as processes: each has its health and metrics, does its own work only, and comes back when it dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.kit.instance import Instance
from tests.kit.waiting import wait_for

ROLES = ("edge", "app", "worker", "relay")


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """One instance for all of these."""
    with Instance(tmp_path_factory.mktemp("roles")) as instance:
        yield instance


def _ops(instance: Instance, role: str) -> str:
    return f"http://127.0.0.1:{int(instance.environment['RESONANZ_OPS_PORT']) + ROLES.index(role)}"


def _status(url: str) -> int:
    try:
        return httpx2.get(url, timeout=5).status_code
    except httpx2.TransportError:
        return 0


def _process_of(instance: Instance, role: str) -> int:
    """The process id of a role that the supervisor has started, 0 when there is none right now."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == instance.process.pid and b"resonanz" in words and role.encode() in words:
            return int(entry.name)
    return 0


@pytest.mark.parametrize("role", ROLES)
def test_every_role_tells_operators_how_it_is(instance: Instance, role: str) -> None:
    """`/healthz` says ok and `/metrics` speaks Prometheus, on a listener of the role's own."""
    assert wait_for(lambda: _status(f"{_ops(instance, role)}/healthz") == 200, f"{role} to be well")
    metrics = httpx2.get(f"{_ops(instance, role)}/metrics").text
    assert "# TYPE resonanz_" in metrics
    assert _status(f"{_ops(instance, role)}/anything") == 404


def test_each_door_serves_its_own_routes_only(instance: Instance) -> None:
    """The edge has no admin route, the dashboard no tracking route, and neither shows metrics to the public."""
    for path in ("/sign-in", "/messages", "/api/v1/messages", "/metrics", "/static/app.css"):
        assert _status(f"{instance.edge}{path}") == 404, path
    signed_out = httpx2.get(f"{instance.dashboard}/o/x.gif", follow_redirects=False)
    assert (signed_out.status_code, signed_out.headers.get("content-type", "").startswith("image")) != (200, True)
    for path in ("/o/x.gif", "/c/x", "/u/x", "/metrics"):
        assert _status(f"{instance.dashboard}{path}") == 404, path


@pytest.mark.parametrize("role", ROLES)
def test_a_killed_role_comes_back(instance: Instance, role: str) -> None:
    """SIGKILL of any role: the supervisor says so and starts it again; nobody else is touched."""
    before = {name: wait_for(lambda name=name: _process_of(instance, name), name) for name in ROLES}
    os.kill(before[role], signal.SIGKILL)
    again = wait_for(lambda: (pid := _process_of(instance, role)) != before[role] and pid, f"another {role}")
    assert wait_for(lambda: _status(f"{_ops(instance, role)}/healthz") == 200, f"{role} to be well again")
    after = {name: _process_of(instance, name) for name in ROLES}
    assert after == {**before, role: again}
    assert "role died" in instance.log
