"""The judge's parts, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

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
