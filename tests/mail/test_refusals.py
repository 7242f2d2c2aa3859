"""What a refusal means, and above all: that nobody is called dead who is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail.refusals import DEAD, Reason, understand
from tests.mail.refusal_reasons import REPLIES
from tests.mail.refusal_texts import ALIVE_SAID, DEAD_SAID

CASES = [
    ("550 5.1.1 <a@b.example>: Recipient address rejected: User unknown", Reason.UNKNOWN_MAILBOX),
    ("550 no such user here", Reason.UNKNOWN_MAILBOX),
    ("550 Requested action not taken: mailbox unavailable", Reason.UNKNOWN_MAILBOX),
    ("550-5.1.1 The email account that you tried to reach does not exist", Reason.UNKNOWN_MAILBOX),
    ("550 5.1.2 bad destination system address", Reason.UNKNOWN_DOMAIN),
    ("Host or domain name not found. Name service error for name=x.example", Reason.UNKNOWN_DOMAIN),
    ("551 5.1.6 moved, try new@b.example", Reason.MOVED),
    ("556 5.1.10 recipient address has null MX", Reason.NO_MAIL_ACCEPTED),
    ("552 5.2.2 over quota", Reason.MAILBOX_FULL),
    ("550 5.2.1 the account is disabled", Reason.MAILBOX_DISABLED),
    ("552 5.3.4 message too big", Reason.TOO_LARGE),
    ("554 5.7.1 blocked using zen.spamhaus.org", Reason.REPUTATION),
    ("553 5.1.3 listed at zen.spamhaus.org", Reason.REPUTATION),
    ("550 5.7.26 unauthenticated mail is prohibited", Reason.AUTHENTICATION),
    ("550 5.7.1 SPF check failed", Reason.AUTHENTICATION),
    ("421 4.7.0 too many connections from your host", Reason.RATE_LIMITED),
    ("550 5.1.8 sender address rejected", Reason.SENDER_REFUSED),
    ("554 5.7.1 this looks like spam", Reason.CONTENT),
    ("550 5.7.1 you are not allowed to write to this group", Reason.FILTERED),
    ("4.4.7 delivery time expired", Reason.EXPIRED),
    ("451 4.4.1 connection timed out", Reason.NETWORK),
    ("554 5.3.0 something of theirs broke", Reason.SYSTEM),
    ("550 5.0.0 no", Reason.UNSPECIFIED),
    ("550 User joe not listed in Domino Directory", Reason.UNKNOWN_MAILBOX),
    ("450 4.1.1 unknown user, try later", Reason.SYSTEM),
]


@pytest.mark.parametrize(("text", "reason"), CASES, ids=[text[:40] for text, _ in CASES])
def test_reasons(text: str, reason: Reason) -> None:
    """Code, status and prose together say what it means."""
    found = understand(text)
    assert found.reason is reason
    assert found.is_dead is (reason in DEAD)


@pytest.mark.parametrize(("reason", "reply"), REPLIES)
def test_words_of_many_systems(reason: Reason, reply: str) -> None:
    """Each says why, in the words of one mail system, provider or language."""
    assert understand(reply).reason is reason


@pytest.mark.parametrize("reply", DEAD_SAID)
def test_words_of_a_dead_address(reply: str) -> None:
    """Nobody there, no such domain, moved away, no mail taken."""
    assert understand(reply).is_dead


@pytest.mark.parametrize("reply", ALIVE_SAID)
def test_words_that_kill_nobody(reply: str) -> None:
    """Full, late, filtered, blocked, about the sender: the address lives, whatever other words stand beside."""
    assert not understand(reply).is_dead


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ("", Reason.UNKNOWN_MAILBOX),
        ("(in reply to RCPT TO command)", Reason.UNKNOWN_MAILBOX),
        ("after end of data", Reason.FILTERED),
        (">>> DATA <<< 550 User unknown <<< 503 Need RCPT", Reason.UNKNOWN_MAILBOX),
        ("(in reply to MAIL FROM command)", Reason.SENDER_REFUSED),
    ],
)
def test_what_was_refused(context: str, reason: Reason) -> None:
    """User unknown kills an address only where the recipient was refused, not its sender or the content."""
    assert understand("550 User unknown", context=context).reason is reason


def test_what_is_given_wins() -> None:
    """A code or status known from the protocol is not looked for in the prose."""
    found = understand("see 5.1.1 in our help", code=550, status="5.7.1")
    assert (found.code, found.status) == (550, "5.7.1")
    assert not found.is_dead


@pytest.mark.parametrize("text", ["server 10.5.1.1 said no", "5.1.1.2 is no status", "room 550a", "12550", "1550 5000"])
def test_numbers_that_are_no_codes(text: str) -> None:
    """Addresses and other numbers are not taken for codes."""
    found = understand(text)
    assert (found.code, found.status) == (None, "")


@given(st.text(), st.sampled_from([None, 421, 450, 451, 452]))
def test_temporary_never_kills(text: str, code: int | None) -> None:
    """Whatever the prose, a 4xx reply says nothing final about an address; and no text raises."""
    found = understand(text, code=code)
    if code is not None:
        assert not found.is_dead
