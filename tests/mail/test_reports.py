"""Reading reports: the kind, the recipient, what became of the mail, and whose mail it was."""

from __future__ import annotations

import base64
import quopri
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail.refusals import Outcome, Reason
from resonanz.mail.reports import ReportKind, read_report
from resonanz.tokens import mint_return_path, read_return_path
from tests.kit.reports import dsn, report
from tests.kit.workers import KEYS

MESSAGE = UUID("01900000-0000-7000-8000-000000000001")
TOKEN = mint_return_path(KEYS, MESSAGE)


@pytest.mark.parametrize(
    ("action", "status", "kind", "outcome"),
    [
        ("failed", "5.1.1", ReportKind.BOUNCE, Outcome.HARD),
        ("failed", "5.2.2", ReportKind.BOUNCE, Outcome.SOFT),
        ("failed", "4.4.7", ReportKind.BOUNCE, Outcome.SOFT),
        ("failed", "5.0.0", ReportKind.BOUNCE, Outcome.SOFT),
        ("delayed", "4.4.1", ReportKind.DELAY, Outcome.DELAYED),
        ("delivered", "2.0.0", ReportKind.DELIVERED, Outcome.DELIVERED),
        ("relayed", "2.0.0", ReportKind.DELIVERED, None),
        ("expanded", "2.0.0", ReportKind.DELIVERED, None),
    ],
)
def test_delivery_status(action: str, status: str, kind: ReportKind, outcome: Outcome | None) -> None:
    """Each action is told apart, and only a dead address is hard."""
    found = read_report(dsn("grace@rcpt.example", action, status, message_id="<7@sender.example>"))
    assert found.kind is kind
    assert [(one.address, one.outcome, one.status) for one in found.recipients] == [
        ("grace@rcpt.example", outcome, status)
    ]
    assert found.message_id == "<7@sender.example>"


def test_several_recipients_several_outcomes() -> None:
    """Each group of fields is a recipient of its own; one failure makes the report a bounce."""
    several = dsn("a@rcpt.example", "failed", "5.1.1", diagnostic="550 5.1.1 unknown").replace(
        b"--b1\r\nContent-Type: text/rfc822-headers",
        b"Final-Recipient: rfc822; b@rcpt.example\r\nAction: delivered\r\nStatus: 2.1.5\r\n\r\n"
        b"Final-Recipient: rfc822; c@rcpt.example\r\nAction: delayed\r\nStatus: 4.2.0\r\n"
        b"Diagnostic-Code: smtp; 452 4.2.2\r\n mailbox full\r\n\r\n--b1\r\nContent-Type: text/rfc822-headers",
    )
    found = read_report(several)
    assert found.kind is ReportKind.BOUNCE
    assert [(one.address, one.outcome) for one in found.recipients] == [
        ("a@rcpt.example", Outcome.HARD),
        ("b@rcpt.example", Outcome.DELIVERED),
        ("c@rcpt.example", Outcome.DELAYED),
    ]
    assert found.recipients[2].diagnostic == "452 4.2.2 mailbox full"
    assert found.recipients[2].reason is Reason.MAILBOX_FULL
    assert found.recipients[0].code == 550


def test_the_refusing_servers_own_words_win() -> None:
    """A status field that says "no such user" beside a quoted blocking list is not believed."""
    found = read_report(dsn("a@rcpt.example", "failed", "5.1.1", diagnostic="550 5.7.1 blacklisted"))
    assert found.recipients[0].outcome is Outcome.SOFT
    assert found.recipients[0].reason is Reason.REPUTATION


def test_whom_we_wrote_to() -> None:
    """The original recipient is ours; the final one is where somebody's forwarding ended."""
    forwarded = dsn("grace@rcpt.example", "failed", "5.1.1").replace(
        b"Final-Recipient: rfc822; grace@", b"Final-Recipient: rfc822; elsewhere@"
    )
    assert read_report(forwarded).recipients[0].address == "grace@rcpt.example"


@pytest.mark.parametrize("encode", ["quoted-printable", "base64"])
def test_an_encoded_status_part(encode: str) -> None:
    """Some systems put a transfer encoding over the status part."""
    plain = dsn("grace@rcpt.example", "failed", "5.1.1")
    head, rest = plain.split(b"Content-Type: message/delivery-status\r\n\r\n")
    fields, tail = rest.split(b"--b1\r\nContent-Type: text/rfc822-headers")
    coded = quopri.encodestring(fields) if encode == "quoted-printable" else base64.encodebytes(fields)
    message = (
        head
        + b"Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: "
        + encode.encode()
        + b"\r\n\r\n"
        + coded.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        + b"--b1\r\nContent-Type: text/rfc822-headers"
        + tail
    )
    assert read_report(message).recipients[0].outcome is Outcome.HARD


@pytest.mark.parametrize("ending", [b"\n", b"\r"])
def test_other_line_endings(ending: bytes) -> None:
    """Files with bare LF or bare CR are read like any other."""
    found = read_report(dsn("grace@rcpt.example", "failed", "5.1.1").replace(b"\r\n", ending))
    assert found.kind is ReportKind.BOUNCE
    assert found.recipients[0].address == "grace@rcpt.example"
    assert found.message_id == "<1@sender.example>"


@pytest.mark.parametrize("fold", [str, str.upper])
def test_our_return_path(fold: type[str]) -> None:
    """The token is found where the report was sent to, in whatever case it came back."""
    to = f"To: <{fold(TOKEN)}@bounces.sender.example>\r\n".encode()
    found = read_report(to + dsn("grace@rcpt.example", "failed", "5.1.1"))
    assert read_return_path(KEYS, found.token) == MESSAGE


def test_our_return_path_in_the_returned_copy() -> None:
    """Where the report went to another address, the returned copy still names the return path."""
    returned = dsn("grace@rcpt.example", "failed", "5.1.1").replace(
        b"\r\n\r\nFrom: ada@", f"\r\n\r\nReturn-Path: <{TOKEN}@bounces.sender.example>\r\nFrom: ada@".encode()
    )
    assert read_report(returned).token == TOKEN


@pytest.mark.parametrize(
    ("feedback", "kind"),
    [
        ("abuse", ReportKind.COMPLAINT),
        ("fraud", ReportKind.COMPLAINT),
        ("opt-out", ReportKind.COMPLAINT),
        ("not-spam", ReportKind.NONE),
        ("auth-failure", ReportKind.NONE),
    ],
)
def test_feedback(feedback: str, kind: ReportKind) -> None:
    """A complaint names its type; taking one back, and reports about authentication, are none."""
    found = read_report(
        report(
            f"""
            From: fbl@provider.example
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=feedback-report; boundary=b

            --b
            Content-Type: text/plain

            This is an email abuse report.
            --b
            Content-Type: message/feedback-report

            Feedback-Type: {feedback}
            User-Agent: SomeGenerator/1.0
            Version: 1
            Original-Rcpt-To: <grace@rcpt.example>

            --b
            Content-Type: message/rfc822

            From: ada@sender.example
            Message-ID: <7@sender.example>

            body
            --b--
            """
        )
    )
    assert found.kind is kind
    assert found.detail == feedback
    assert found.message_id == "<7@sender.example>"
    if kind is ReportKind.COMPLAINT:
        assert [(one.address, one.outcome) for one in found.recipients] == [("grace@rcpt.example", None)]


@pytest.mark.parametrize("disposition", ["displayed", "deleted"])
def test_receipts(disposition: str) -> None:
    """A read receipt says displayed or deleted, and which mail."""
    found = read_report(
        report(
            f"""
            From: grace@rcpt.example
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=disposition-notification; boundary=b

            --b
            Content-Type: text/plain

            The mail was {disposition}.
            --b
            Content-Type: message/disposition-notification

            Reporting-UA: mail.rcpt.example; SomeClient
            Final-Recipient: rfc822;grace@rcpt.example
            Original-Message-ID: <7@sender.example>
            Disposition: manual-action/MDN-sent-manually; {disposition}

            --b--
            """
        )
    )
    assert (found.kind, found.detail, found.message_id) == (ReportKind.RECEIPT, disposition, "<7@sender.example>")


AUTOMATIC = "From: grace@rcpt.example\nIn-Reply-To: <7@sender.example>\nSubject: Away\n{header}\n\nI am away.\n"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-replied (vacation)",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
    ],
)
def test_automatic_replies(header: str) -> None:
    """Out of office is no bounce, and names the mail it answers."""
    found = read_report(report(AUTOMATIC.format(header=header)))
    assert (found.kind, found.message_id) == (ReportKind.AUTOREPLY, "<7@sender.example>")


@pytest.mark.parametrize(
    "header",
    [
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        "Auto-Submitted: no",
        "Auto-Submitted: auto-generated",
        "X-A: b",
    ],
)
def test_what_is_no_report(header: str) -> None:
    """A person's reply and ordinary bulk mail are no report; a request not to be answered is no answer."""
    assert read_report(report(AUTOMATIC.format(header=header))).kind is ReportKind.NONE


def test_a_bounce_that_calls_itself_auto_replied() -> None:
    """The mail system's own mail is never a vacation reply."""
    text = AUTOMATIC.format(header="Auto-Submitted: auto-replied").replace("grace@", "MAILER-DAEMON@")
    assert read_report(report(text)).kind is ReportKind.NONE


@given(st.binary(max_size=400))
def test_garbage(data: bytes) -> None:
    """No bytes raise, alone or inside a report."""
    assert read_report(data).kind in ReportKind
    assert read_report(dsn("grace@rcpt.example", "failed", "5.1.1").replace(b"Arrival", data)).kind in ReportKind


@given(st.data())
def test_torn_reports(data: st.DataObject) -> None:
    """A report cut off or damaged at any place does not raise, and is never about somebody it does not name."""
    whole = dsn("grace@rcpt.example", "failed", "5.1.1", diagnostic="550 5.1.1 unknown")
    cut = data.draw(st.integers(0, len(whole)))
    junk = data.draw(st.binary(max_size=5))
    for recipient in read_report(whole[:cut] + junk).recipients:
        assert "grace@rcpt.example".startswith(recipient.address[: len("grace@r")])
