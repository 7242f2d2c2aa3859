"""Reading reports: the kind, the recipient, what became of the mail, and whose mail it was."""

from __future__ import annotations

import base64
import json
import quopri
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail.refusals import Outcome, Reason
from resonanz.mail.reports import REPLY, ReportKind, find_message, read_report
from resonanz.tokens import Token, TokenKind, mint, mint_return_path, read_return_path
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


@pytest.mark.parametrize(
    ("final", "address"),
    [
        ("hopper@rcpt.example", "grace@rcpt.example"),
        ("hopper@mail-store", "grace@rcpt.example"),
        ("hopper@node7.rcpt.example", "grace@rcpt.example"),
        ("hopper@elsewhere.example", "hopper@elsewhere.example"),
    ],
)
def test_whom_we_wrote_to(final: str, address: str) -> None:
    """The original recipient is ours, whatever its system calls it inside; where the mail was forwarded to another
    organisation, it is the forward that failed."""
    forwarded = dsn("grace@rcpt.example", "failed", "5.1.1").replace(
        b"Final-Recipient: rfc822; grace@rcpt.example", f"Final-Recipient: rfc822; {final}".encode()
    )
    assert read_report(forwarded).recipients[0].address == address


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
        ("virus", ReportKind.NONE),
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


SHAPES = {
    "a status under another type": (b"message/delivery-status", b"text/plain"),
    "a status as bytes": (b"message/delivery-status", b"application/octet-stream"),
    "no empty line before the recipient": (b"(UTC)\r\n\r\nFinal", b"(UTC)\r\nFinal"),
    "an empty line too many": (b"Action: failed", b"\r\nAction: failed"),
    "another word for failed": (b"Action: failed", b"Action: error"),
    "failed, with a comment": (b"Action: failed", b"Action: Failed (no such user)"),
    "no action": (b"Action: failed\r\n", b""),
    "an address in brackets without its type": (b"rfc822; grace@rcpt.example", b"<grace@rcpt.example>"),
    "a status with a comment": (b"Status: 5.1.1", b"Status: 5.1.1 (bad destination mailbox address)"),
    "a charset nobody has": (b"charset=us-ascii", b"charset=uft-8"),
    "no end": (b"--b1--", b""),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_a_status(shape: str) -> None:
    """What real systems do to the fields of a delivery status does not hide what they say."""
    before, after = SHAPES[shape]
    whole = dsn("grace@rcpt.example", "failed", "5.1.1", diagnostic="550 5.1.1 User unknown")
    assert before in whole
    found = read_report(whole.replace(before, after))
    assert (found.kind, [(one.address, one.outcome) for one in found.recipients]) == (
        ReportKind.BOUNCE,
        [("grace@rcpt.example", Outcome.HARD)],
    )


def test_a_report_inside_another() -> None:
    """A gateway or helpdesk that passes a report on as an attachment does not hide it."""
    inner = dsn("grace@rcpt.example", "failed", "5.1.1")
    outer = report(
        """
        From: helpdesk@sender.example
        Subject: Delivery Status
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=outer

        --outer
        Content-Type: message/rfc822

        INNER
        --outer--
        """
    ).replace(b"INNER", inner)
    assert [one.address for one in read_report(outer).recipients] == ["grace@rcpt.example"]


def test_the_text_explains_a_status_without_a_diagnosis() -> None:
    """Fields that only say 5.0.0 are explained by what the text says of the same recipient."""
    whole = dsn("grace@rcpt.example", "failed", "5.0.0").replace(
        b"This is the mail system", b"<grace@rcpt.example>: 552 5.2.2 Mailbox full\r\n\r\nThis is the mail system"
    )
    assert read_report(whole).recipients[0].reason is Reason.MAILBOX_FULL


def test_refused_after_the_content() -> None:
    """Who took the recipient and says "user unknown" to the content has filtered it; the address is not dead."""
    whole = dsn("grace@rcpt.example", "failed", "5.0.0", diagnostic="550 User unknown").replace(
        b"This is the mail system",
        b"<grace@rcpt.example>: host mx said: 550 User unknown (in reply to end of DATA\r\n    command)\r\n\r\nThis",
    )
    assert (read_report(whole).recipients[0].outcome, read_report(whole).recipients[0].reason) == (
        Outcome.SOFT,
        Reason.FILTERED,
    )


def test_a_tracking_link_names_the_mail() -> None:
    """Where nothing else came back, a link of ours in the returned mail does, also through its encoding."""
    link = mint(KEYS, Token(TokenKind.CLICK, MESSAGE, link=0, destination="https://shop.example/"))
    body = quopri.encodestring(f"Look: https://t.sender.example/c/{link} now".encode())
    whole = dsn("grace@rcpt.example", "failed", "5.1.1").replace(b"text/rfc822-headers", b"message/rfc822")
    whole = whole.replace(
        b"Subject: Minutes\r\n\r\n",
        b"Subject: Minutes\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + body + b"\r\n",
    )
    found = read_report(whole)
    assert find_message(found, KEYS) == MESSAGE
    assert find_message(read_report(dsn("grace@rcpt.example", "failed", "5.1.1")), KEYS) is None


def test_a_rejection_that_comes_as_a_receipt() -> None:
    """A Sieve script that refuses writes a disposition notification (RFC 5429): that is a bounce."""
    found = read_report(
        report(
            """
            From: Mail Delivery Subsystem <postmaster@rcpt.example>
            Subject: Automatically rejected mail
            Auto-Submitted: auto-replied (rejected)
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=disposition-notification; boundary=b

            --b
            Content-Type: text/plain

            Your message to <grace@rcpt.example> was automatically rejected:
            Quota exceeded
            --b--
            """
        )
    )
    assert found.kind is ReportKind.BOUNCE
    assert [(one.address, one.outcome, one.reason) for one in found.recipients] == [
        ("grace@rcpt.example", Outcome.SOFT, Reason.MAILBOX_FULL)
    ]


@pytest.mark.parametrize(
    "subject",
    [
        "Out of Office: Minutes",
        "Automatic reply: Minutes",
        "Automatische Antwort: Protokoll",
        "Abwesenheitsnotiz",
        "Réponse automatique : Procès-verbal",
        "Respuesta automática: Acta",
        "Risposta automatica: Verbale",
        "Resposta automática: Ata",
        "Automatisch antwoord: Notulen",
        "Automatiskt svar: Protokoll",
        "Odpowiedź automatyczna: Protokół",
        "Автоответ: Протокол",
        "自動応答: 議事録",
        "自动回复: 纪要",
        "자동 회신: 회의록",
    ],
)
def test_automatic_replies_by_their_subject(subject: str) -> None:
    """Out-of-office notes that carry no mark are known by how their subject begins, in many languages."""
    text = f"From: grace@rcpt.example\nTo: news@sender.example\nSubject: {subject}\n\nI am away.\n"
    found = read_report(text.encode())
    assert (found.kind, [one.outcome for one in found.recipients]) == (ReportKind.AUTOREPLY, [None])


def test_a_challenge_is_nothing() -> None:
    """Who asks for proof that a person wrote has neither refused the mail nor answered it."""
    text = AUTOMATIC.format(header="Auto-Submitted: auto-replied").replace("Away", "Please confirm your message")
    assert read_report(report(text)).kind is ReportKind.NONE


def test_a_persons_reply() -> None:
    """An answer is no report, and is told from other mail by naming what it answers; a list's is none."""
    answer = report(AUTOMATIC.format(header="X-Mailer: a client"))
    assert (read_report(answer).kind, read_report(answer).detail) == (ReportKind.NONE, REPLY)
    assert read_report(answer).message_id == "<7@sender.example>"
    assert read_report(b"List-Id: <x.example>\r\n" + answer).detail == ""
    assert read_report(answer.replace(b"In-Reply-To", b"X-Other")).detail == ""


def test_a_complaint_of_hotmails_kind() -> None:
    """The mail itself, forwarded with the complainer in a header of its own."""
    found = read_report(
        report(
            """
            From: staff@hotmail.example
            Subject: complaint about message from 192.0.2.1
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=b

            --b
            Content-Type: message/rfc822

            X-HmXmrOriginalRecipient: grace@rcpt.example
            From: ada@sender.example
            Message-ID: <7@sender.example>

            body
            --b--
            """
        )
    )
    assert (found.kind, found.message_id) == (ReportKind.COMPLAINT, "<7@sender.example>")
    assert [one.address for one in found.recipients] == ["grace@rcpt.example"]


def test_a_notification_of_amazons_by_mail() -> None:
    """SES by way of SNS sends JSON, its lines broken; bounces, complaints and deliveries are read alike."""
    said = {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bouncedRecipients": [
                {
                    "emailAddress": "grace@rcpt.example",
                    "status": "5.1.1",
                    "action": "failed",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
        },
        "mail": {"headers": [{"name": "Message-ID", "value": "<7@sender.example>"}]},
    }
    body = json.dumps({"Type": "Notification", "Message": json.dumps(said)})
    head = "From: Alerts <no-reply@sns.amazonaws.com>\r\nSubject: AWS Notification Message\r\n\r\n"
    found = read_report((head + body[:90] + "\r\n " + body[90:]).encode())
    assert (found.kind, found.message_id) == (ReportKind.BOUNCE, "<7@sender.example>")
    assert [(one.address, one.outcome) for one in found.recipients] == [("grace@rcpt.example", Outcome.HARD)]


def test_absence_under_the_subject_of_our_mail() -> None:
    """A machine that answers with "Re:" and says that somebody is away; a person who says so is a person."""
    text = "From: grace@rcpt.example\nSubject: Re: Minutes\n{header}\n\nI am out of the office until Monday.\n"
    assert read_report(report(text.format(header="Precedence: junk"))).kind is ReportKind.AUTOREPLY
    assert read_report(report(text.format(header="X-Mailer: a client"))).kind is ReportKind.NONE


def test_several_who_complained() -> None:
    """A feedback report may name several recipients."""
    found = read_report(
        report(
            """
            From: fbl@provider.example
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=feedback-report; boundary=b

            --b
            Content-Type: message/feedback-report

            Feedback-Type: abuse
            Original-Rcpt-To: grace@rcpt.example
            Original-Rcpt-To: ivan@rcpt.example

            --b--
            """
        )
    )
    assert [one.address for one in found.recipients] == ["grace@rcpt.example", "ivan@rcpt.example"]


def test_what_powermta_made_of_the_reply() -> None:
    """Its category is asked where the reply says nothing that we know."""
    plain = dsn("grace@rcpt.example", "failed", "5.0.0", diagnostic="550 no thanks")
    told = plain.replace(b"Status: 5.0.0", b"Status: 5.0.0\r\nX-PowerMTA-BounceCategory: bad-mailbox")
    assert read_report(plain).recipients[0].outcome is Outcome.SOFT
    assert read_report(told).recipients[0].outcome is Outcome.HARD
