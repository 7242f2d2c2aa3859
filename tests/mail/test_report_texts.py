"""Reports that follow no standard: each mail system's words are understood, and nobody else's."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail.refusals import Outcome
from resonanz.mail.reports import ReportKind, read_report
from tests.mail.report_languages import HARMLESS, MORE_TEXTS
from tests.mail.report_texts import GRACE, TEXTS, Text

ALL = (*TEXTS, *MORE_TEXTS)


@pytest.mark.parametrize("text", ALL, ids=[text.system for text in ALL])
def test_the_words_of_a_mail_system(text: Text) -> None:
    """Kind, recipients, whether each is dead, and why."""
    found = read_report(text.message)
    assert found.kind == text.kind
    assert {
        one.address: (one.outcome and one.outcome.value, one.reason and one.reason.value) for one in found.recipients
    } == text.recipients


@pytest.mark.parametrize("ending", [b"\n", b"\r"])
@pytest.mark.parametrize("text", ALL, ids=[text.system for text in ALL])
def test_other_line_endings(text: Text, ending: bytes) -> None:
    """Bare LF and bare CR change nothing."""
    found = read_report(text.message.replace(b"\r\n", ending))
    assert (found.kind, {one.address for one in found.recipients}) == (text.kind, set(text.recipients))


def test_the_copy_in_the_text_names_our_mail() -> None:
    """The Message-ID is read from the header that stands behind the report's text."""
    found = read_report(next(text for text in TEXTS if text.system == "Exim").message)
    assert found.message_id == "<7@sender.example>"


QUOTE = "".join(f"> {line}\n" for line in TEXTS[0].message.decode().split("\r\n")[7:])


@pytest.mark.parametrize(
    ("sender", "subject", "header", "body"),
    [
        ("Ada <ada@rcpt.example>", "Re: failure notice", "In-Reply-To: <1@x.example>\n", f"What is this?\n\n{QUOTE}"),
        ("Ada <ada@rcpt.example>", "Fwd: failure notice", "", f"Could you have a look?\n\n{QUOTE}"),
        ("Ada <ada@rcpt.example>", "Delivery of the chairs", "", "They could not be delivered to grace@rcpt.example."),
        ("news@shop.example", "Your parcel", "List-Id: <a.shop.example>\n", "It was not delivered; we try again.\n"),
        ("list-request@rcpt.example", "confirm 123456", "Precedence: bulk\n", "Reply to confirm your subscription.\n"),
        ("postmaster@rcpt.example", "Planned maintenance", "", "Mail will be down tonight.\n"),
    ],
)
def test_what_is_no_report(sender: str, subject: str, header: str, body: str) -> None:
    """People who quote or forward a report, shops, lists and postmasters with something to say are no reports."""
    message = f"From: {sender}\nTo: news@sender.example\nSubject: {subject}\n{header}\n{body}".encode()
    found = read_report(message)
    assert (found.kind, found.recipients) == (ReportKind.NONE, ())


@pytest.mark.parametrize(("sender", "subject", "header", "body"), HARMLESS, ids=[one[1] for one in HARMLESS])
def test_what_suppresses_nobody(sender: str, subject: str, header: str, body: str) -> None:
    """Warnings to a mailbox's owner, digests, questions about a bounce, challenges, absences, notices about mail: none
    is a complaint, and none says that somebody's address is dead."""
    message = f"From: {sender}\nTo: news@sender.example\nSubject: {subject}\n{header}\n{dedent(body).lstrip()}"
    found = read_report(message.encode())
    assert found.kind is not ReportKind.COMPLAINT
    assert all(one.outcome is not Outcome.HARD for one in found.recipients)


def test_an_absence_that_speaks_of_delivery() -> None:
    """Somebody away is away, even where the text says that the mail was not delivered to somebody else."""
    head = "From: grace@rcpt.example\nReturn-Path: <>\nSubject: Out of office: Minutes\nAuto-Submitted: auto-replied\n"
    found = read_report(f"{head}\nYour message was not delivered to my substitute ivan@rcpt.example.\n".encode())
    assert (found.kind, [one.address for one in found.recipients]) == (ReportKind.AUTOREPLY, ["grace@rcpt.example"])


@given(st.sampled_from(ALL), st.data())
def test_damaged_texts(text: Text, data: st.DataObject) -> None:
    """Whatever is cut out of a report or put into it, reading it does not raise and a delay never becomes a death."""
    whole = text.message
    start, end = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    found = read_report(whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:])
    assert found.kind in ReportKind
    if found.kind is ReportKind.DELAY:
        assert all(one.outcome is not Outcome.HARD for one in found.recipients)


HOSTILE = (
    "a@" * 40_000,
    "<" * 100_000,
    "a" * 300_000 + "@rcpt.example",
    "could not be delivered to " * 10_000,
    "user " * 50_000 + "unknown",
    ": ".join(["Final-Recipient"] * 20_000),
    "\n".join(f"<{number}@rcpt.example>:" for number in range(20_000)),
    "--- " * 60_000,
    "(\"" * 60_000,
)  # fmt: skip


@pytest.mark.timeout(60)  # what is not linear would take hours
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts(body: str) -> None:
    """Texts made to keep a reader busy are read in linear time, and a report has a bounded number of recipients."""
    head = "From: MAILER-DAEMON@rcpt.example\nSubject: Undeliverable\n\nCould not be delivered to:\n"
    assert len(read_report((head + body).encode()).recipients) <= 1_000


def test_one_named_in_passing_is_nobodys_recipient() -> None:
    """Whom to turn to and who wrote are not taken for those that did not get it."""
    text = Text(
        "",
        "MAILER-DAEMON@rcpt.example",
        "Undeliverable mail",
        f"""
        Your message from news@sender.example could not be delivered to:

        {GRACE}

        Please contact helpdesk@rcpt.example for further assistance.
        """,
        "bounce",
        {},
    )
    assert [one.address for one in read_report(text.message).recipients] == [GRACE]
