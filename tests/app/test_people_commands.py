"""Contacts, lists and the suppression list on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.kit.commands import Run

FILE = "email;first name;last name;town;nick\nalma@example.org;Alma;Adler;Ulm;=1+1\nnobody;No;Body;Ulm;x\n"


def test_a_file_of_contacts_goes_in_and_everything_known_comes_out(run: Run, tmp_path: Path) -> None:
    """Define an attribute, look at a file, import it onto a list with consent; show, change, export, erase."""
    assert run("setup").returncode == 0
    assert run("attributes", "add", "town", "--label", "Town").returncode == 0
    assert run("lists", "create", "News").returncode == 0
    file, errors = tmp_path / "people.csv", tmp_path / "errors.csv"
    file.write_text(FILE)
    seen = json.loads(run("contacts", "import", str(file), "--dry-run", "--json").stdout)
    assert (seen["columns"], seen["good"], seen["refused"]) == (
        ["address", "first_name", "last_name", "town", ""],
        1,
        1,
    )
    told = run(
        *("contacts", "import", str(file), "--list", "news", "--map", "nick=", "--errors", str(errors), "--json"),
        *("--consent", "mailing", "--consent-source", "fair", "--consent-at", "2026-01-05"),
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["added"] == 1
    assert "3,address: 'nobody' has no @,nobody,No,Body,Ulm,x" in errors.read_text(encoding="utf-8-sig")
    assert run("contacts", "set", "ALMA@example.org", "--language", "de", "--attribute", "town=Köln").returncode == 0
    shown = json.loads(run("contacts", "show", "alma@example.org", "--json").stdout)
    assert (shown["name"], shown["language"], shown["attributes"]) == ("Alma Adler", "de", {"town": "Köln"})
    assert shown["consent"] == {"mailing": "granted", "opens": None, "clicks": None}
    assert shown["lists"] == ["News"]
    csv = run("contacts", "list", "--list", "News", "--csv").stdout
    assert csv.lstrip("\ufeff").split() == ["address,name,language,town", "alma@example.org,Alma", "Adler,de,Köln"]
    everything = json.loads(run("contacts", "export", "alma@example.org").stdout)
    assert everything["choices"][0]["source"] == "fair"
    assert everything["messages"] == []
    assert run("contacts", "delete", "alma@example.org", "--yes", "--suppress").returncode == 0
    gone = run("contacts", "show", "alma@example.org")
    assert (gone.returncode, gone.stderr) == (1, "resonanz: address: there is no contact with this address\n")
    assert "suppressed: manual" in run("suppression", "show", "alma@example.org").stdout


def test_what_cannot_be_done_is_said(run: Run, tmp_path: Path) -> None:
    """Suppression is added and lifted with a note; consent needs moment and source; names that are none are told."""
    assert run("setup").returncode == 0
    assert run("suppression", "add", "a@example.org", "--note", "asked by phone").returncode == 0
    assert "a@example.org  manual" in run("suppression", "list").stdout
    assert run("suppression", "remove", "a@example.org", "--note", "asked again").returncode == 0
    assert run("suppression", "list").stdout == ""
    assert "asked again" in run("suppression", "show", "a@example.org").stdout
    assert run("suppression", "remove", "a@example.org", "--note", "x").returncode == 1
    file = tmp_path / "people.csv"
    file.write_text("a@example.org\n")
    assert run("contacts", "import", str(file), "--consent", "mailing").returncode == 2
    unsaid = run("contacts", "import", str(file), "--consent", "mailing", "--consent-at", "2026-01-05")
    assert (unsaid.returncode, "source: is missing" in unsaid.stderr) == (1, True)
    assert run("contacts", "import", str(file), "--list", "Nowhere").returncode == 1
    assert run("contacts", "import", str(file), "--map", "x=name").returncode == 2
    assert run("contacts", "set", "b@example.org", "--attribute", "shoes=9").stderr == (
        "resonanz: shoes: there is no such attribute (define it first)\n"
    )
    assert run("contacts", "set", "b@example.org", "--name", "Bo").returncode == 0
    unconfirmed = ("--state", "unconfirmed", "--source", "form")
    assert run("contacts", "consent", "b@example.org", "--purpose", "mailing", *unconfirmed).returncode == 0
    assert run("contacts", "consent", "b@example.org", "--purpose", "opens", *unconfirmed).returncode == 1
