"""The letter's commands, through the command line: files in, mails and reports out; tokens read and minted."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from resonanz.app.letter_commands import commands
from tests.kit.letters import HTML_PART, PLAIN_PART, multipart
from tests.kit.reports import dsn

KEY = "00" * 32
MESSAGE = "018f0000-0000-7000-8000-000000000001"
instrument, bounce, token = commands


def run(command: object, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "out", tmp_path / "reports"


def apply(data: bytes, report: dict) -> bytes:
    """Apply a report's splices to the input."""
    for splice in reversed(report["splices"]):
        start, end = splice["start"], splice["end"]
        assert data[start:end] == base64.b64decode(splice["original"])
        data = data[:start] + base64.b64decode(splice["replacement"]) + data[end:]
    return data


def test_instrument_reports_every_change(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    """The report's fields are those other programs read, and its splices make the output from the input."""
    out, reports = folders
    file = tmp_path / "news.eml"
    file.write_bytes(multipart(PLAIN_PART, HTML_PART, kind="alternative"))
    result = run(
        instrument,
        file,
        "--out-dir",
        out,
        "--report-dir",
        reports,
        "--key",
        KEY,
        "--message",
        MESSAGE,
        "--base-url",
        "https://t.example.org/",
        "--text-links",
    )
    assert result.exit_code == 0
    assert result.output == "1 files: 1 tracked, 0 as they came\n"
    report = json.loads((reports / "news.eml.json").read_text())
    assert (report["file"], report["tracked"], report["reason"]) == (str(file), True, None)
    text, html = report["parts"]
    assert {"path", "type", "charset", "links", "untracked", "pixel"} <= html.keys()
    (link,) = html["links"]
    assert (link["index"], link["original"], link["destination"]) == (0, *["https://shop.example/sale"] * 2)
    assert link["url"] == link["replacement"]
    assert text["links"][0]["index"] == 1
    assert html["pixel"].startswith('<img src="https://t.example.org/o/')
    assert (out / "news.eml").read_bytes() == apply(file.read_bytes(), report)
    said = json.loads(run(token, "read", link["url"], "--key", KEY).output)
    assert said == {
        "kind": "click",
        "id": MESSAGE,
        "anonymous": False,
        "link": 0,
        "destination": "https://shop.example/sale",
    }


def test_a_bad_file_stops_nothing(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    """Noise, a missing file and two files of one name: each gets its report, the rest is done, the exit code is 1."""
    out, reports = folders
    (tmp_path / "a").mkdir()
    noise, page, twin = tmp_path / "noise.eml", tmp_path / "page.html", tmp_path / "a" / "page.html"
    noise.write_bytes(bytes(range(256)) * 20)
    page.write_bytes(b'<a href="https://a.example">x</a> \xff')
    twin.write_bytes(b"<p>twin</p>")
    missing = tmp_path / "missing.eml"
    result = run(
        instrument, noise, missing, page, twin, "--out-dir", out, "--report-dir", reports, "--key", KEY, "--text"
    )
    assert result.exit_code == 1
    assert json.loads((reports / "missing.eml.json").read_text())["reason"] == "unreadable"
    assert (out / "noise.eml").read_bytes() == noise.read_bytes()
    assert json.loads((reports / "page.html.json").read_text())["tracked"]
    assert json.loads((reports / "page-2.html.json").read_text())["file"] == str(twin)
    assert (out / "page-2.html.txt").read_text() == "twin\n"


def test_the_type_can_be_said(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    """`--type html` reads a file of any name as a document."""
    out, reports = folders
    file = tmp_path / "page.eml"
    file.write_bytes(b'<a href="https://a.example">x</a>')
    run(instrument, file, "--out-dir", out, "--report-dir", reports, "--key", KEY, "--type", "html")
    assert json.loads((reports / "page.eml.json").read_text())["parts"][0]["links"]


def test_keys_come_from_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --key the instance's own key signs, made on first use; another key does not verify it."""
    monkeypatch.setenv("RESONANZ_DATA_DIR", str(tmp_path / "data"))
    minted = run(token, "mint", "--kind", "click", "--link", 3, "--destination", "https://a.example/?x=1")
    text = minted.output.strip()
    said = json.loads(run(token, "read", f"https://t.example.org/c/{text}").output)
    assert (said["link"], said["destination"]) == (3, "https://a.example/?x=1")
    refused = run(token, "read", text, "--key", KEY)
    assert refused.exit_code == 1
    assert "error" in json.loads(refused.output)


@pytest.mark.parametrize("kind", ["open", "unsubscribe", "preferences", "view", "return_path", "file"])
def test_every_kind_is_minted_and_read(kind: str) -> None:
    """Bare, in the URL of its route, or as the local part of a return path."""
    more = ["--destination", "abc"] if kind == "file" else []
    text = run(token, "mint", "--kind", kind, "--id", MESSAGE, "--key", KEY, *more).output.strip()
    wrapped = {
        "open": f"https://t.example.org/o/{text}.gif",
        "file": f"https://t.example.org/f/{text}/offer.pdf",
        "return_path": f"{text.upper()}@bounce.example",
    }.get(kind, text)
    said = json.loads(run(token, "read", wrapped, "--key", KEY).output)
    assert (said["kind"], said["id"]) == (kind, MESSAGE)


def test_several_tokens_are_read_one_a_line() -> None:
    """One line of JSON each, in order, bad ones named in theirs."""
    text = run(token, "mint", "--kind", "open", "--key", KEY).output.strip()
    result = run(token, "read", text, "nonsense", "https://t.example.org/", "--key", KEY)
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert [("error" in line) for line in lines] == [False, True, True]
    assert result.exit_code == 1


def test_a_key_must_be_one() -> None:
    """Short or non-hexadecimal keys are refused with the reason."""
    for key in ("zz", "00"):
        result = run(token, "mint", "--kind", "open", "--key", key)
        assert result.exit_code == 2
        assert "--key" in result.output


# ── bounce ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bounce_prints_a_line_for_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports, what is none, and a file that is not there: one line each in their order, and no failure."""
    monkeypatch.setenv("RESONANZ_DATA_DIR", str(tmp_path / "nothing"))
    report, garbage, missing = tmp_path / "a.eml", tmp_path / "b.eml", tmp_path / "c.eml"
    report.write_bytes(dsn("grace@rcpt.example", "failed", "5.1.1", diagnostic="550 5.1.1 User unknown"))
    garbage.write_bytes(bytes(range(256)))
    result = run(bounce, report, garbage, missing)
    assert result.exit_code == 0
    first, second, third = (json.loads(line) for line in result.stdout.splitlines())
    assert first == {
        "file": str(report),
        "kind": "bounce",
        "recipients": [
            {
                "address": "grace@rcpt.example",
                "outcome": "hard",
                "status": "5.1.1",
                "code": 550,
                "reason": "unknown_mailbox",
                "diagnostic": "550 5.1.1 User unknown",
            }
        ],
        "message_id": "<1@sender.example>",
        "token": None,
        "detail": None,
    }
    assert (second["kind"], second["recipients"]) == ("none", [])
    assert (third["kind"], third["recipients"]) == ("none", [])
    assert "No such file" in third["error"]


def test_bounce_verifies_the_token_when_it_has_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without keys a token is what has its shape; with keys it is ours and names its message, or it is none."""
    monkeypatch.setenv("RESONANZ_DATA_DIR", str(tmp_path / "nothing"))
    minted = run(token.commands["mint"], "--kind", "return_path", "--id", MESSAGE, "--key", KEY).stdout.strip()
    file = tmp_path / "report.eml"
    file.write_bytes(f"To: <{minted.upper()}@bounces.example>\r\n".encode() + dsn("a@rcpt.example", "failed", "5.1.1"))

    def said(*arguments: object) -> dict:
        return json.loads(run(bounce, file, *arguments).stdout)

    assert said()["token"] == minted
    assert (said("--key", KEY)["token"], said("--key", KEY)["message"]) == (minted, MESSAGE)
    assert said("--key", "11" * 32)["token"] is None
