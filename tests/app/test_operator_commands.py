"""What an operator does on the command line: each command says what it did, or what is wrong."""

from __future__ import annotations

import json

from tests.app.test_cli import MAIL
from tests.kit.commands import Run


def test_a_submission_is_blocked_listed_and_unblocked(run: Run) -> None:
    """Block with a reason, see it in the list, take it back."""
    assert run("setup").returncode == 0
    sent = run("send", "-", "--json", stdin=MAIL)
    id = json.loads(sent.stdout)["submission"]
    assert run("submission", "block", id, "--reason", "stolen password").returncode == 0
    (listed,) = json.loads(run("submission", "blocked", "--json").stdout)
    assert (listed["submission"], listed["by"], listed["reason"]) == (id, "command line", "stolen password")
    assert "stolen password" in run("submission", "blocked").stdout
    assert run("submission", "unblock", id, "--reason", "all clear").returncode == 0
    assert run("submission", "blocked").stdout == ""
    again = run("submission", "unblock", id, "--reason", "x")
    assert (again.returncode, again.stderr) == (1, "resonanz: submission: is not blocked\n")
    nowhere = run("submission", "block", "01920000-0000-7000-8000-000000000000", "--reason", "x")
    assert (nowhere.returncode, nowhere.stderr) == (1, "resonanz: submission: there is no such submission\n")
