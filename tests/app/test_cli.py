"""The command line: every command says what it did, what was wrong, and what to do about it; `--json` for programs."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from resonanz import __version__
from resonanz.app.settings import Settings
from tests.kit.commands import Run

MAIL = b"From: Ada <ada@example.org>\r\nTo: b@example.org\r\nSubject: Hi\r\n\r\nHello\r\n"


def test_the_entry_points_lead_here(run_aside: Run) -> None:
    """In a process of its own: `python -m resonanz` sets up, says errors in a line with exit code 1, and prints in
    plain text what a terminal gets in colour; the installed `resonanz` is the same program."""
    assert run_aside("setup").returncode == 0
    refused = run_aside("send", "-", "--to", "nonsense", stdin=MAIL)
    assert (refused.returncode, refused.stderr) == (1, "resonanz: --to: 'nonsense' has no @\n")
    told = run_aside("doctor")
    assert (told.returncode, "broken   edge" in told.stdout, "\x1b" in told.stdout) == (1, True, False)
    script = subprocess.run([Path(sys.executable).with_name("resonanz"), "--version"], capture_output=True, check=True)
    assert script.stdout.decode() == f"resonanz, version {__version__}\n"


def test_setup_makes_everything_once(run: Run, tmp_path: Path) -> None:
    """The first run creates folder, keys, secret and database, for their owner only; a second one keeps them."""
    first = run("setup")
    assert first.returncode == 0, first.stderr
    data = tmp_path / "data"
    before = {name: (data / name).read_bytes() for name in ("keys.json", "secret.key")}
    assert {stat.S_IMODE((data / name).stat().st_mode) for name in before} == {0o600}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert run("setup").stdout == first.stdout
    assert {name: (data / name).read_bytes() for name in before} == before


def test_a_folder_that_cannot_be_made_is_named(run: Run) -> None:
    """Where nothing can be written the error names the folder and the setting, without a trace."""
    done = run("setup", RESONANZ_DATA_DIR="/proc/nowhere/data")
    assert done.returncode == 1
    assert "/proc/nowhere/data" in done.stderr
    assert "RESONANZ_DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_sending_before_setup_names_the_remedy(run: Run, tmp_path: Path) -> None:
    """A command that finds no database says where it looked and what to run, exits 1, and leaves nothing behind."""
    done = run("send", "-", stdin=MAIL)
    assert done.returncode == 1
    assert "resonanz setup" in done.stderr
    assert str(tmp_path / "data") in done.stderr
    assert not (tmp_path / "data").exists()
    assert "Traceback" not in done.stderr


def test_a_mail_is_handed_in(run: Run) -> None:
    """Each recipient is one line, or one entry of the JSON."""
    run("setup")
    done = run("send", "-", "--to", "a@example.org", "--to", "b@example.org", stdin=MAIL)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0::2] for line in done.stdout.splitlines()] == [
        ["queued", "a@example.org"],
        ["queued", "b@example.org"],
    ]
    answer = json.loads(run("send", "-", "--json", stdin=MAIL).stdout)
    assert [message["recipient"] for message in answer["messages"]] == ["b@example.org"]


@pytest.mark.parametrize(
    ("arguments", "mail", "settings", "said"),
    [
        (["--to", "nonsense"], MAIL, {}, "resonanz: --to: 'nonsense' has no @\n"),
        (["--to", "a", "--to", "b@example.org", "--to", "c"], MAIL, {}, "--to: 'a' has no @\nresonanz: --to: 'c' has"),
        ([], b"", {}, "mail: the mail is empty"),
        ([], b"Subject: x\r\n\r\nx", {}, "mail: the mail has no From field"),
        ([], b"From: a@example.org\r\n\r\nx", {}, "--to: no recipient"),
        ([], b"From: a@example.org\r\nTo: b\r\n\r\nx", {}, "mail, To field: 'b' has no @"),
        (["--from", "x@y@z"], MAIL, {}, "--from: "),
        ([], MAIL + b"x" * 2000, {"RESONANZ_MAX_MESSAGE": "1000"}, "1000"),
    ],
)
def test_a_wrong_mail_is_refused_with_the_place(
    run: Run, arguments: list[str], mail: bytes, settings: dict[str, str], said: str
) -> None:
    """What is wrong and where, on standard error; exit code 1; nothing stored."""
    run("setup")
    done = run("send", "-", *arguments, stdin=mail, **settings)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(run("rebuild", "--json").stdout)["messages"] == 0


def test_config_shows_every_setting_without_secrets(run: Run) -> None:
    """All settings in force, passwords masked, and a wrong one named."""
    done = run("config", "--json", RESONANZ_SMTP_URL="smtp://me:hunter2@mail.example.org")
    shown = json.loads(done.stdout)
    assert set(shown) == {f"RESONANZ_{name.upper()}" for name in Settings.model_fields}
    assert shown["RESONANZ_SMTP_URL"] == "smtp://me:…@mail.example.org"
    assert "no setting RESONANZ_DASHBORD_PORT" in run("config", RESONANZ_DASHBORD_PORT="1").stderr
    wrong = run("config", RESONANZ_EDGE_PORT="x")
    assert wrong.returncode == 1
    assert "RESONANZ_EDGE_PORT" in wrong.stderr


def test_judging_anew_says_what_moved(run: Run) -> None:
    """On a fresh instance nothing did, and nothing is tried in shadow."""
    run("setup")
    said = json.loads(run("rejudge", "--since", "2026-03-01", "--json").stdout)
    assert said == {"looked_at": 0, "moved": [], "reworded": 0, "forgotten": 0}
    assert run("rejudge").stdout.split("  ")[-1] == "verdicts changed\n"
    assert run("rejudge", "--since", "lately").returncode == 2
    assert run("shadow").stdout == run("shadow", "--past").stdout == "Nothing in shadow would have changed anything.\n"
    assert json.loads(run("shadow", "--json", "--reset").stdout) == []


def test_keys_are_rotated_and_kept(run: Run, tmp_path: Path) -> None:
    """The fresh key comes first, the older one stays behind it."""
    run("setup")
    old = json.loads((tmp_path / "data" / "keys.json").read_text())["keys"]
    assert run("keys", "rotate").returncode == 0
    new = json.loads((tmp_path / "data" / "keys.json").read_text())["keys"]
    assert new[1:] == old
    assert new[0]["id"] != old[0]["id"]


def test_a_damaged_key_file_stops_the_start(run: Run, run_aside: Run, tmp_path: Path) -> None:
    """No fresh key is made over a damaged file: that would kill every link ever sent."""
    run("setup")
    keys = tmp_path / "data" / "keys.json"
    keys.write_text("{")
    done = run_aside("up")
    assert done.returncode == 1
    assert "keys.json" in done.stderr
    assert keys.read_text() == "{"


def test_doctor_finds_what_is_broken(run: Run) -> None:
    """Without running roles the doctor says which do not answer, each with a remedy, and exits 1."""
    run("setup")
    done = run("doctor", "--json")
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    instance = {"database", "disk", "keys", "journal", "snapshot", "proxies"}
    assert set(findings) == {*instance, "edge", "dashboard", "smtp", "place", "networks", "clock"}
    assert {check: findings[check]["state"] for check in ("database", "keys", "journal", "edge", "dashboard")} == {
        "database": "ok",
        "keys": "ok",
        "journal": "ok",
        "edge": "broken",
        "dashboard": "broken",
    }
    assert all(finding["remedy"] for finding in findings.values() if finding["state"] != "ok")
    assert done.returncode == 1
    assert "\x1b" not in run("doctor").stdout


def test_the_first_link_can_be_asked_for_again(run: Run) -> None:
    """Whoever lost the link gets a fresh one on the machine itself."""
    first, second = run("account", "link").stdout, run("account", "link").stdout
    assert first.startswith("http://localhost:")
    assert first != second


def test_a_taken_port_is_named_at_once(run_aside: Run) -> None:
    """Two instances on one port would share their readers; the second does not start."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run_aside("up", RESONANZ_EDGE_PORT=str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "RESONANZ_EDGE_PORT" in done.stderr


def test_a_forgotten_password_is_set_anew(run: Run) -> None:
    """Whoever runs the machine can help; a wrong address says so."""
    run("setup")
    done = run("account", "password", "nobody@example.org", "--password", "a lamp in the harbour")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
