"""Provider webhooks on the command line, and what the doctor says of them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.kit.commands import Run


def test_a_provider_is_added_given_its_secret_listed_and_removed(run: Run, tmp_path: Path) -> None:
    """The life of one that shows its secret late, and of one whose password is made here; the doctor points at the
    one that lets nothing in."""
    assert run("setup").returncode == 0
    added = json.loads(run("provider", "add", "mailersend", "--label", "news", "--json").stdout)
    assert added["has_secret"] is False
    assert added["address"].endswith(f"/api/v1/hooks/{added['id']}")
    findings = json.loads(run("doctor", "--json").stdout)
    (found,) = [one for one in findings if one["check"] == "providers"]
    assert (found["state"], "no secret" in found["detail"]) == ("warning", True)
    secret = tmp_path / "secret"
    secret.write_text("from MailerSend\n")
    assert run("provider", "secret", added["id"], "--secret-file", str(secret)).returncode == 0
    (listed,) = json.loads(run("provider", "list", "--json").stdout)
    assert (listed["label"], listed["has_secret"], listed["taken"]) == ("news", True, 0)
    made = run("provider", "add", "brevo").stdout
    assert "shown this once" in made
    assert "nothing heard yet" in run("provider", "list").stdout
    assert json.loads(run("strays", "--json").stdout) == {"total": 0, "strays": []}
    assert run("provider", "remove", added["id"]).returncode == 0
    gone = run("provider", "remove", added["id"])
    assert (gone.returncode, gone.stderr) == (1, "resonanz: provider: there is no such provider\n")
    wrong = run("provider", "add", "pigeon")
    assert (wrong.returncode, "no such provider" in wrong.stderr) == (1, True)
