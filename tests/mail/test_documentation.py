"""The examples in docs/letter.md and docs/reports.md run as they are printed."""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext
from email import message_from_bytes
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from resonanz.mail import parse
from resonanz.mail.refusals import DEAD, MEANINGS
from resonanz.model import TrackingMode, new_id
from resonanz.tokens import TokenKind, create_keys, read
from tests.kit.letters import BASE_URL, CAMPAIGN, HTML_PART, KEYS, MESSAGE, NOON, multipart, tracking
from tests.kit.reports import dsn

DOCUMENT = Path(__file__).parents[2] / "docs" / "letter.md"


def example(title: str) -> str:
    """The first block of Python under a heading."""
    section = re.split(r"^## ", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(title))
    return re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]


def run(title: str, names: dict[str, Any]) -> dict[str, Any]:
    exec(compile(example(title), str(DOCUMENT), "exec"), names)
    return names


def test_the_plain_script_tracks_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """It writes a tracked copy and prints where the links lead."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "offer.eml").write_bytes(multipart(HTML_PART))
    run("A plain script", {})
    assert "0 the sale → https://shop.example/sale" in capsys.readouterr().out
    assert b"https://t.example.org/c/" in (tmp_path / "offer-tracked.eml").read_bytes()


def test_the_smtplib_example_hands_over_a_tracked_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it gives to smtplib is one tracked copy with an unsubscribe header that is whole."""
    sent: list[tuple[str, list[str], bytes]] = []
    connection = SimpleNamespace(sendmail=lambda *arguments: sent.append(arguments))
    monkeypatch.setattr("smtplib.SMTP", lambda host, port: nullcontext(connection))
    keys = create_keys(tmp_path / "keys.json")
    run("smtplib", {})["send"](keys, "ivo@mail.example", "Grüße", "<p><a href='https://a.example'>x</a></p>")
    ((_, recipients, message),) = sent
    assert recipients == ["ivo@mail.example"]
    assert parse(message).header("List-Unsubscribe") == "<https://shop.example/leave>"
    url = re.search(rb"/c/([\w=\r\n-]+)'", message)[1].replace(b"=\r\n", b"").decode()
    assert read(keys, url).destination == "https://a.example"


def test_the_django_backend_sends_one_tracked_copy_to_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins for the two things it takes from Django (no dependency of ours), every recipient gets a copy."""
    sent: list[tuple[str, list[str], bytes]] = []
    backend = type("EmailBackend", (), {"connection": SimpleNamespace(sendmail=lambda *given: sent.append(given))})
    monkeypatch.setitem(sys.modules, "django", ModuleType("django"))
    stand_ins = {
        "conf": {"settings": SimpleNamespace(RESONANZ=tracking())},
        "core.mail.backends.smtp": {"EmailBackend": backend},
    }
    for name, contents in stand_ins.items():
        module = ModuleType(f"django.{name}")
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    mail = SimpleNamespace(
        recipients=lambda: ["one@x.example", "two@x.example"],
        message=lambda: message_from_bytes(multipart(HTML_PART)),
        from_email="a@x.example",
    )
    assert run("Django: an e-mail backend", {"__name__": "shop"})["TrackingBackend"]()._send(mail)
    assert [recipients for _, recipients, _ in sent] == [["one@x.example"], ["two@x.example"]]
    assert len({message for _, _, message in sent}) == 2
    assert all(b"https://t.example.org/c/" in message for _, _, message in sent)


def test_the_campaign_example_renders_a_copy_for_each() -> None:
    """Every contact gets a mail with their own token and fields."""
    contact = SimpleNamespace(
        message_id=new_id(),
        name="J & B",
        number="7/8",
        address="i@x.example",
        opens=TrackingMode.INDIVIDUAL,
        clicks=TrackingMode.ANONYMOUS,
    )
    names = {
        "now": NOON,
        "base_url": BASE_URL,
        "keys": KEYS,
        "submission": MESSAGE,
        "campaign_id": CAMPAIGN,
        "contacts": [contact],
    }
    message = run("A campaign", names)["mail"]
    assert parse(message).header("Subject") == "J & B, something new"
    urls = re.findall(r"/[ocu]/([\w-]+)", message.replace(b"=\r\n", b"").decode())
    tokens = {token.kind: token for token in (read(KEYS, url) for url in urls)}
    assert tokens[TokenKind.CLICK].destination == "https://shop.example/?c=7%2F8"
    assert (tokens[TokenKind.CLICK].id, tokens[TokenKind.OPEN].id) == (CAMPAIGN, contact.message_id)


def test_every_reason_is_documented_as_the_pages_tell_it() -> None:
    """docs/reports.md lists the closed list of reasons with the words that the dashboard shows."""
    text = DOCUMENT.with_name("reports.md").read_text("utf-8")
    for reason, said in MEANINGS.items():
        grade = "dead" if reason in DEAD else "lives"
        assert f"| `{reason.value}` | {grade} | {said.meaning} | {said.advice} |" in text


def test_the_example_reads_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """The example in docs/reports.md runs as it is printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.eml").write_bytes(dsn("grace@rcpt.example", "failed", "5.1.1"))
    text = DOCUMENT.with_name("reports.md").read_text("utf-8")
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], {})
    assert capsys.readouterr().out == "bounce grace@rcpt.example hard unknown_mailbox\n"
