"""The judge's parts, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from resonanz.app.cli import cli
from tests.kit.cast import BROWSER, GMAIL, OUTLOOK


def test_client_says_what_each_line_is(tmp_path: Path) -> None:
    """One line of JSON for each line in, in its order, also for empty ones and such as are no text; files or a pipe."""
    lines = [BROWSER.encode(), OUTLOOK.encode(), GMAIL.encode(), b"", b"\xff\xfe", b"Slackbot 1.0"]
    given = b"\r\n".join(lines)
    piped = CliRunner().invoke(cli, ["client"], input=given)
    said = [json.loads(line) for line in piped.output.splitlines()]
    assert [(each["kind"], each["name"]) for each in said] == [
        ("browser", "Chrome"),
        ("mail_client", "Outlook (Windows)"),
        ("mail_proxy", "Gmail image proxy"),
        ("unknown", ""),
        ("bot", ""),
        ("bot", "Slack preview"),
    ]
    assert said[0] == {"kind": "browser", "name": "Chrome", "os": "Windows", "device": "desktop"}
    file = tmp_path / "agents.txt"
    file.write_bytes(given)
    assert CliRunner().invoke(cli, ["client", str(file)]).output == piped.output


def _recipients(*groups: tuple[int, str, bool, bool]) -> str:
    lines = []
    for amount, reads, opened, clicked in groups:
        for _ in range(amount):
            name = f"r{len(lines)}@example.org"
            lines.append(json.dumps({"recipient": name, "class": reads, "open": opened, "click": clicked}))
    return "\n".join(lines) + "\n"


def _estimate(given: str) -> dict[str, object]:
    result = CliRunner().invoke(cli, ["estimate", "-"], input=given)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_estimate_prints_what_was_seen_what_is_possible_and_the_truth_between() -> None:
    """Whole people, with the interval and the band around them; a second line of a recipient adds nobody."""
    given = _recipients(
        (260, "direct", True, False),
        (60, "proxied", True, True),
        (30, "unknown", False, True),
        (400, "unknown", False, False),
        (240, "privacy", False, False),
        (10, "privacy", False, True),
    )
    again = json.dumps({"recipient": "r0@example.org", "class": "unknown", "open": False, "click": False})
    said = _estimate(given + again + "\n\n")
    assert said["delivered"] == 1000
    assert (said["seen"], said["possible"], said["indeterminate"]) == (360, 600, 240)
    assert said["refused"] is None
    estimate, interval, sensitivity = said["estimate"], said["interval"], said["sensitivity"]
    assert isinstance(estimate, int)
    assert isinstance(interval, list)
    assert isinstance(sensitivity, list)
    assert sensitivity[0] <= interval[0] <= estimate <= interval[1] <= sensitivity[1]
    assert 500 < estimate < 560  # 320 of 2/3 captured, and a ninth more behind privacy protection


def test_estimate_refuses_small_samples() -> None:
    """The reason stands where the figures would."""
    said = _estimate(_recipients((100, "direct", True, False), (12, "direct", True, True)))
    assert said == {
        "delivered": 112,
        "seen": 112,
        "possible": 112,
        "estimate": None,
        "interval": None,
        "sensitivity": None,
        "indeterminate": 0,
        "refused": "too few people clicked to estimate from: 12 of at least 30",
    }


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '"x"',
        '{"recipient": "a", "class": "cloud", "open": true, "click": false}',
        '{"recipient": "a", "class": "direct", "open": 1, "click": false}',
        '{"recipient": "a", "class": "direct", "open": true}',
    ],
)
def test_estimate_names_the_line_that_is_wrong(line: str) -> None:
    """Nothing is guessed: exit code 1, and the line's number with what it should be."""
    result = CliRunner().invoke(cli, ["estimate", "-"], input=_recipients((1, "direct", True, True)) + line)
    assert result.exit_code == 1
    assert "line 2" in result.stderr
