"""Further accounts and what they may send from, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resonanz import model
from resonanz.accounts import finish_setup, setup_link_secret
from resonanz.app.settings import Settings
from resonanz.app.wiring import database_of, prepare
from resonanz.model import TrackingMode
from tests.app.test_domain_commands import Run, run
from tests.kit.accounts import PASSWORD, cheap_passwords

__all__ = ["run"]


def test_an_account_and_its_senders(run: Run, tmp_path: Path) -> None:
    """Created, allowed a domain, listed, and taken back; errors are one line."""
    settings = Settings(data_dir=tmp_path)
    prepare(settings)
    early = run("account", "create", "bob@example.org", "--password", PASSWORD)
    assert (early.exit_code, "set-up link" in early.output) == (1, True)
    database = database_of(settings)
    finish_setup(
        database,
        cheap_passwords(),
        secret=setup_link_secret(database, model.now()),
        address="alice@example.org",
        name="Alice",
        password=PASSWORD,
        tracking_without_choice=TrackingMode.ANONYMOUS,
        now=model.now(),
    )
    database.close()
    assert run("account", "create", "bob@example.org", "--password", PASSWORD).exit_code == 0
    assert run("account", "create", "bob@example.org", "--password", PASSWORD).exit_code == 1
    assert run("sender", "add", "bob@example.org", "shop.example").output == (
        "bob@example.org may send from @shop.example.\n"
    )
    assert run("sender", "add", "bob@example.org", "shop.example").exit_code == 1
    (listed,) = json.loads(run("sender", "list", "--json").output)
    assert (listed["account"], listed["sender"], listed["by"]) == ("bob@example.org", "@shop.example", "command line")
    assert run("sender", "list").output == "bob@example.org  @shop.example\n"
    assert run("sender", "remove", "bob@example.org", "shop.example").exit_code == 0
    assert run("sender", "list").output == ""
    asked = run("sender", "claim", "bob@example.org", "sales@shop.example")
    assert asked.output == "A mail asks sales@shop.example whether bob@example.org may send from there.\n"
    assert run("sender", "list").output == "bob@example.org  sales@shop.example  (not confirmed)\n"
    assert json.loads(run("sender", "list", "--json").output)[0]["by"] is None
    options = ("--domain", "shop.example", "--track", "none", "--never", "x.example", "--replies")
    assert run("rules", "set", "bob@example.org", *options).exit_code == 0
    shown = json.loads(run("rules", "show", "bob@example.org").output)["shop.example"]
    assert (shown["track"], shown["never"], shown["replies"]) == ("none", ["@x.example"], True)
    assert run("rules", "set", "bob@example.org", *options, "--copies", "shared").exit_code == 0
    shown = json.loads(run("rules", "show", "bob@example.org").output)
    assert (shown["shop.example"]["copies"], shown[""]["copies"]) == ("shared", "instance")
    assert run("rules", "copies", "shared").exit_code == 0
    assert run("rules", "copies", "instance").exit_code == 2
    assert run("rules", "remove", "bob@example.org", "--domain", "shop.example").exit_code == 0
    assert run("rules", "set", "bob@example.org", "--track", "some").exit_code == 1
    made = run("mail-password", "create", "bob@example.org", "--name", "Outlook")
    assert len(made.output.strip()) == 23
    (listed,) = json.loads(run("mail-password", "list", "bob@example.org", "--json").output)
    assert (listed["name"], listed["prefix"], listed["revoked_at"]) == ("Outlook", made.output[:5], None)
    assert run("mail-password", "revoke", "bob@example.org", listed["id"]).exit_code == 0
    assert "(revoked)" in run("mail-password", "list", "bob@example.org").output
    assert run("mail-password", "revoke", "bob@example.org", listed["id"]).exit_code == 1


@pytest.mark.parametrize("command", ["create", "password"])
def test_passwords_are_never_printed(run: Run, tmp_path: Path, command: str) -> None:
    """Whatever goes wrong, what was typed as a password is not repeated."""
    prepare(Settings(data_dir=tmp_path))
    done = run("account", command, "bob@example.org", "--password", "a secret of mine")
    assert done.exit_code == 1
    assert "a secret of mine" not in done.output
