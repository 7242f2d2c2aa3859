"""`resonanz campaign`, as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from resonanz.app.cli import cli
from resonanz.store import open_database
from tests.kit.campaigns import add_list, add_people


def test_a_campaign_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written from files, told what to mind, tried, scheduled in the instance's time zone, taken back, cancelled."""
    monkeypatch.setenv("RESONANZ_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RESONANZ_TIMEZONE", "Europe/Berlin")

    def run(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(cli, ["campaign", *arguments], input=given)

    assert CliRunner().invoke(cli, ["setup"]).exit_code == 0
    [file] = (tmp_path / "data").glob("*.sqlite*")
    database = open_database(f"sqlite:///{file}")
    list_id = add_list(database, "Readers")
    add_people(database, [list_id], ["ada@rcpt.example"])
    database.close()

    made = run(
        "create", "--name", "May", "--from", "news@sender.example", "--subject", "Hello {{ contact.address }}",
        "--html", "-", "--list", "readers", "--json", given="<p>Hi</p>",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "to mind: html: no link in it leads out" in made.stderr
    campaign = json.loads(made.stdout)["id"]
    assert json.loads(run("ranking", "--json").stdout) == {"by": "opened", "campaigns": [], "unmeasured": 0}
    assert run("ranking", "--by", "clicked").stdout == ""
    tried = run("test", campaign, "--to", "me@rcpt.example")
    assert "me@rcpt.example" in tried.output, tried.output
    sent = json.loads(run("send", campaign, "--at", "2199-01-01T00:00", "--json").stdout or "{}")
    assert sent == {}  # more than a year ahead
    assert run("send", campaign).exit_code == 0
    assert run("pause", campaign).exit_code == 1
    assert json.loads(run("unschedule", campaign, "--json").stdout)["state"] == "draft"
    assert run("send", campaign).exit_code == 0
    assert json.loads(run("cancel", campaign, "--json").stdout)["state"] == "cancelled"
    assert "cancelled" in run("list").stdout
    assert json.loads(run("show", campaign, "--json").stdout)["messages"] == 0
    assert "nothing has been sent" in run("report", campaign).output + run("report", campaign).stderr
    unknown = run("create", "--name", "x", "--from", "a@b.example", "--subject", "x", "--list", "nobody")
    assert unknown.exit_code == 1
    assert "no list `nobody`" in unknown.output + unknown.stderr
