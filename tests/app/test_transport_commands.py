"""`resonanz transport` and `resonanz queue`, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from resonanz.app.cli import cli
from resonanz.app.settings import Settings
from resonanz.app.wiring import database_of
from resonanz.model import new_id
from resonanz.outbound import web
from resonanz.store import accounts
from resonanz.store.accounts import Account
from tests.kit.cast import Cast
from tests.kit.mails import NOW
from tests.kit.sinks import running_sink


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run one command on a fresh instance."""
    monkeypatch.setenv("RESONANZ_DATA_DIR", str(tmp_path / "data"))

    def call(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(cli, list(arguments), input=given)

    assert call("setup").exit_code == 0
    return call


def test_a_transports_life(run) -> None:  # type: ignore[no-untyped-def]
    """Added, listed, shown without its secret, checked, changed, paused, resumed and removed."""
    with running_sink(login=("ada", "p@ss")) as sink:
        added = run(
            "transport", "add", "acme", "127.0.0.1", "--port", str(sink.port), "--security", "none", "--auth",
            "password", "--user", "ada", "--secret-file", "-", "--sender", "acme.example", given="p@ss\n",
        )  # fmt: skip
        assert added.exit_code == 0, added.output
        checked = run("transport", "check", "acme")
        assert "answers" in checked.output, checked.output
        assert "MAIL" not in sink.verbs()
    shown = json.loads(run("transport", "show", "acme", "--json").output)
    assert (shown["state"], shown["has_secret"], shown["senders"]) == ("in use", True, ["acme.example"])
    assert "p@ss" not in json.dumps(shown)
    assert run("transport", "change", "acme", "--rate", "60").exit_code == 0
    assert run("transport", "pause", "acme").exit_code == 0
    listed = json.loads(run("transport", "list", "--json").output)
    assert [(one["state"], one["rate_per_minute"]) for one in listed] == [("paused", 60)]
    assert run("transport", "resume", "acme").exit_code == 0
    assert "acme" in run("transport", "list").output
    doctor = json.loads(run("doctor", "--json").output)
    (finding,) = [one for one in doctor if one["check"] == "transport"]
    assert (finding["state"], "cannot be reached" in finding["detail"]) == ("broken", True)
    assert run("transport", "remove", "acme").exit_code == 0
    gone = run("transport", "show", "acme")
    assert gone.exit_code == 1
    assert "no such transport" in gone.output + gone.stderr


def test_an_accounts_own(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """A transport for one account's mail is added, tried with a test mail, and told apart."""
    monkeypatch.setattr(web, "is_public", lambda address: True)  # the test's own server is on this machine
    database = database_of(Settings(data_dir=tmp_path / "data"))
    with database.write() as tx:
        Cast.enter(tx)
        accounts.add_account(tx, Account(new_id(), "ada@sender.example", "Ada", "no-password", NOW, NOW))
    database.close()
    with running_sink() as sink:
        added = run(
            "transport", "add", "mine", "127.0.0.1", "--port", str(sink.port), "--security", "none",
            "--account", "ada@sender.example", "--fall-back",
        )  # fmt: skip
        assert added.exit_code == 0, added.output + added.stderr
        tested = run("transport", "test", "mine", "--to", "ada@sender.example")
        assert "Taken for ada@sender.example: 250" in tested.output, tested.output + tested.stderr
        assert len(sink.taken) == 1
    shown = json.loads(run("transport", "show", "mine", "--json").output)
    assert (shown["account"] is not None, shown["fall_back"]) == (True, True)
    assert run("transport", "add", "other", "h.example", "--account", "nobody@x.example").exit_code == 1


def test_a_wrong_transport(run) -> None:  # type: ignore[no-untyped-def]
    """Every wrong value is named in a line of its own, and the exit code says so."""
    refused = run("transport", "add", "default", "http://x/", "--sender", "x y")
    assert refused.exit_code == 1
    assert {line.split(":")[1].strip() for line in refused.stderr.splitlines()} == {"name", "host", "senders"}


def test_the_queue(run) -> None:  # type: ignore[no-untyped-def]
    """The queue and single domains are held, limited, shown and let go."""
    assert run("queue", "pause").exit_code == 0
    assert run("queue", "pause", "--domain", "googlemail.com").stdout == "Paused gmail.com.\n"
    assert run("queue", "limit", "example.org", "--rate", "30").exit_code == 0
    shown = json.loads(run("queue", "show", "--json").output)
    assert shown["paused"] is True
    assert [(one["domain"], one["paused"], one["rate_per_minute"]) for one in shown["domains"]] == [
        ("example.org", False, 30),
        ("gmail.com", True, None),
    ]
    assert "paused by command line" in run("queue", "show").output
    assert run("queue", "resume", "--domain", "gmail.com").exit_code == 0
    assert run("queue", "resume").exit_code == 0
    assert json.loads(run("queue", "show", "--json").output)["paused"] is False
