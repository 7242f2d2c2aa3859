"""Notices in each language: what they say, and that our own reader takes them for what they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest

from resonanz.mail.notices import Fate, Notice, compose_notice
from resonanz.mail.refusals import Reason
from resonanz.mail.reports import Report, ReportKind, read_report

AT = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
GRACE = "grace@rcpt.example"
UNTIL = {
    "en": "Attempts end on 2026-05-09 at 12:30 UTC.",
    "de": "Die Versuche enden am 09.05.2026 um 12:30 Uhr (UTC).",
    "fr": "Elles prendront fin le 09/05/2026 à 12:30 UTC.",
    "es": "Los intentos terminarán el 09/05/2026 a las 12:30 UTC.",
}
each = pytest.mark.parametrize("language", UNTIL)


def _notice(language: str, fate: Fate, *, until: datetime | None = None) -> bytes:
    original = b"From: ada@sender.example\r\nMessage-ID: <7@sender.example>\r\nSubject: Minutes\r\n\r\nHello\r\n"
    return compose_notice(
        Notice(
            host="mx.sender.example", sender="mailer-daemon@sender.example", to="ada@sender.example", fates=[fate],
            original=original, arrived_at=AT, at=AT, message_id="<n@sender.example>", language=language,
            retry_until=until,
        )
    )  # fmt: skip


def _words(raw: bytes) -> str:
    told = next(iter(message_from_bytes(raw, policy=policy.default).iter_parts())).get_content()
    return str(told).replace("\r\n", "\n")


def _read(raw: bytes) -> tuple[Report, list[str]]:
    report = read_report(raw)
    return report, [one.address for one in report.recipients]


@each
def test_a_delay(language: str) -> None:
    """It says until when it is tried, as dates are written in that language, and is read as a delay."""
    raw = _notice(language, Fate(GRACE, "delayed", "4.4.1", Reason.NETWORK, "421 later"), until=AT + timedelta(days=5))
    assert UNTIL[language] in _words(raw)
    report, named = _read(raw)
    assert (report.kind, named) == (ReportKind.DELAY, [GRACE])


@each
@pytest.mark.parametrize("reason", list(Reason))
def test_a_failure(language: str, reason: Reason) -> None:
    """Every reason has words in every language; whatever they are, the report is about the recipient alone."""
    raw = _notice(language, Fate(GRACE, "failed", "5.1.1", reason, "550 5.1.1 user unknown"))
    assert len(_words(raw).strip().split("\n\n")) == 3
    report, named = _read(raw)
    assert (report.kind, named) == (ReportKind.BOUNCE, [GRACE])


@each
@pytest.mark.parametrize("action", ["delivered", "relayed"])
def test_good_news(language: str, action: str) -> None:
    """A success is read as one; handed on is no proof of delivery."""
    report, named = _read(_notice(language, Fate(GRACE, action, "2.0.0")))
    assert (report.kind, named) == (ReportKind.DELIVERED, [GRACE])
