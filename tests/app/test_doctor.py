"""The doctor's word on what edges are told, and on whom they believe about addresses."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from resonanz.app.doctor import Finding, examine
from resonanz.app.settings import Settings
from resonanz.model import new_id
from resonanz.snapshot import IdSet, Snapshot, save_snapshot
from tests.kit.ports import free_ports
from tests.kit.sinks import running_sink


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    """Settings of an instance that does not run."""
    edge, dashboard = free_ports(2)
    return {"data_dir": tmp_path, "edge_port": edge, "dashboard_port": dashboard}


def finding(check: str, settings: dict[str, object], **more: object) -> Finding:
    """What one check says."""
    (found,) = [one for one in examine(Settings(**{**settings, **more})) if one.check == check]  # type: ignore[arg-type]
    return found


def test_what_edges_are_told(settings: dict[str, object], tmp_path: Path) -> None:
    """None yet, one that is damaged, one that is old, and one as it should be."""
    path = tmp_path / "snapshot"
    assert finding("snapshot", settings).state == "warning"
    path.write_bytes(b"rubbish")
    assert finding("snapshot", settings).state == "broken"
    now = int(time.time() * 1e6)
    save_snapshot(path, Snapshot(now - 3600 * 10**6))
    old = finding("snapshot", settings)
    assert (old.state, "36" in old.detail, "worker" in old.remedy) == ("warning", True, True)
    save_snapshot(path, Snapshot(now, silent=IdSet.of([new_id().bytes])))
    good = finding("snapshot", settings)
    assert (good.state, good.remedy) == ("ok", "")
    assert "1 mails silent" in good.detail


@pytest.mark.parametrize(
    ("more", "state", "said"),
    [
        ({}, "ok", "no header is believed"),
        ({"trusted_proxies": "127.0.0.1/32"}, "ok", "x-forwarded-for of 127.0.0.1/32 is believed"),
        ({"trusted_proxies": "10.0.0.0/8", "proxy_header": "forwarded"}, "ok", "forwarded of 10.0.0.0/8"),
        ({"trusted_proxies": "127.0.0.1/32,0.0.0.0/0"}, "broken", "trusts everybody"),
        ({"trusted_proxies": "::/0"}, "broken", "trusts everybody"),
        ({"trusted_proxies": "173.0.0.0/8"}, "warning", "more than 65,536 addresses"),
        ({"edge_url": "https://track.invalid"}, "warning", "all readers look like that one"),
    ],
)
def test_whom_edges_believe(settings: dict[str, object], more: dict[str, object], state: str, said: str) -> None:
    """A list that lets anybody claim any address is broken; a proxy that nobody trusts is pointed out."""
    found = finding("proxies", settings, **more)
    assert (found.state, said in found.detail) == (state, True), found.detail


def test_what_is_missing_without_a_return_path(settings: dict[str, object]) -> None:
    """Where mail goes out by SMTP and reports do not come here, the doctor says what that costs; else it is silent."""
    with running_sink() as sink:
        smtp = {**settings, "smtp_url": f"smtp://127.0.0.1:{sink.port}"}
        found = finding("return path", smtp)
        assert (found.state, "stays `sent`" in found.detail) == ("warning", True)
        assert "RESONANZ_RETURN_PATH_DOMAIN" in found.remedy
        for quiet in ({**smtp, "return_path_domain": "bounces.example"}, settings):
            checks = [one.check for one in examine(Settings(**quiet))]  # type: ignore[arg-type]
            assert "smtp" in checks
            assert "return path" not in checks
