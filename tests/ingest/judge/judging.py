"""Traces through the command line."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from resonanz.app.cli import cli


def run_judge(text: str, *options: str) -> Result:
    """Return what `resonanz judge` does with a trace."""
    return CliRunner().invoke(cli, ["judge", "-", *options], input=text)


def judged(text: str, *options: str) -> list[dict[str, Any]]:
    """Return what it prints for a trace that holds nothing bad."""
    result = run_judge(text, *options)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def summaries(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the lines about messages, by message."""
    return {line["message"]: line for line in lines if "message" in line}
