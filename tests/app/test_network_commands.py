"""`resonanz networks`, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from resonanz.app import network_commands
from resonanz.app.cli import cli
from resonanz.ingest.judge.networks import KINDS, Networks


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESONANZ_DATA_DIR", str(tmp_path))
    return tmp_path / "networks"


def test_the_kinds_are_those_of_the_catalogue() -> None:
    """What may be typed is what a row may be."""
    assert network_commands.KINDS == KINDS


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["networks", *arguments])


def test_a_row_is_added_shown_and_removed(folder: Path) -> None:
    """What an operator adds decides from then on, is marked as their own, and goes without a trace."""
    added = run("add", "52.16.0.77/24", "--name", "Our office", "--kind", "people")
    assert added.exit_code == 0
    assert added.output == "Added 52.16.0.0/24: Our office, people.\n"
    networks = Networks(folder)
    assert networks.classify("52.16.0.9") is None
    assert networks.classify("52.16.1.9") is not None
    (shown,) = json.loads(run("list", "--own", "--json").output)
    assert (shown["range"], shown["own"], shown["source"]) == ("52.16.0.0/24", True, "added by hand")
    assert run("remove", "52.16.0.0/24").output == "Removed 52.16.0.0/24.\n"
    assert json.loads(run("list", "--own", "--json").output) == []


def test_a_row_of_the_catalogue_is_switched_off_and_on_again(folder: Path) -> None:
    """It cannot be deleted, but it can be without effect; removing it again brings it back."""
    assert run("remove", "as:22843").output == "Switched off asn:22843.\n"
    assert Networks(folder).classify(asn=22843) is None
    assert "(own) (off)" in run("list", "--own").output
    assert run("remove", "asn:22843").output == "Removed asn:22843.\n"
    assert Networks(folder).classify(asn=22843) is not None


def test_rows_can_run_in_shadow(folder: Path) -> None:
    """A shadow row is listed as such and decides nothing."""
    run("add", "asn:64500", "--name", "New gateway", "--kind", "security", "--shadow")
    assert Networks(folder).classify(asn=64500) is None
    assert "New gateway (own) (shadow)" in run("list").output


def test_lists_show_their_age(folder: Path) -> None:
    """Apple's list is in the box with the day it is of; a list that was never fetched has no ranges."""
    shown = {row["range"]: row for row in json.loads(run("list", "--json").output)}
    assert shown["list:apple"]["ranges"] > 5000
    assert shown["list:apple"]["ranges_as_of"]
    assert shown["list:aws"]["ranges"] == 0
    assert shown["list:aws"]["ranges_as_of"] is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "somewhere", "--name", "x", "--kind", "hosting"), "names no network"),
        (("remove", "203.0.113.0/24"), "there is no row"),
    ],
)
def test_mistakes_are_told(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    """With one line on standard error and exit code 1; nothing is written."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert told in result.stderr
    assert not folder.exists()
