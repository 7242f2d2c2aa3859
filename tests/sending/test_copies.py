"""Making a copy ready for SMTP: of an author's mail nothing changes but what has to."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail import parse
from resonanz.sending.copies import Fields, header_id_for, prepare_copy

DATE = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
OURS = "<1@sender.example>"
COMPLETE = b"Date: Mon, 04 May 2026 12:00:00 +0000\r\nMessage-ID: <mine@sender.example>\r\nFrom: ada@sender.example\r\n"

names = st.sampled_from(
    ["Subject", "X-Thing", "To", "Cc", "Received", "Comments", "References", "Bcc", "RESENT-BCC", "bcc"]
)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
bodies = st.binary(max_size=300).map(lambda data: data.replace(b"\r", b"").replace(b"\n", b"\r\n"))


@given(st.lists(st.tuples(names, values, values), max_size=12), bodies)
def test_only_bcc_goes(fields: list[tuple[str, str, str]], body: bytes) -> None:
    """A complete mail comes out byte for byte but for its Bcc fields, folds and all; its body is never touched."""
    lines = [f"{name}: {value}\r\n\tfolded {more}\r\n".encode() for name, value, more in fields]
    kept = [line for line, (name, _, _) in zip(lines, fields, strict=True) if "bcc" not in name.lower()]
    copy = prepare_copy(COMPLETE + b"".join(lines) + b"\r\n" + body, header_id=OURS, date=DATE)
    assert copy.message == COMPLETE + b"".join(kept) + b"\r\n" + body
    assert copy.header_id == "<mine@sender.example>"


@given(st.binary(max_size=200))
def test_whatever_comes_goes_out_with_crlf(data: bytes) -> None:
    """No bytes raise, and no bare CR or LF is left for a server to stumble over."""
    message = prepare_copy(b"From: ada@sender.example\n" + data, header_id=OURS, date=DATE).message
    assert message.count(b"\r\n") == message.count(b"\n") == message.count(b"\r")


@pytest.mark.parametrize("ending", [b"\r\n", b"\n", b"\r"])
def test_what_is_missing_is_added(ending: bytes) -> None:
    """A mail without Date and Message-ID gets both, once, whatever its line endings."""
    raw = ending.join([b"From: ada@sender.example", b"Subject: x", b"", b"body", b""])
    copy = prepare_copy(raw, header_id=OURS, date=DATE)
    assert copy.message == (
        b"Date: Mon, 04 May 2026 12:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n"
        b"From: ada@sender.example\r\nSubject: x\r\n\r\nbody\r\n"
    )
    again = prepare_copy(copy.message, header_id="<2@sender.example>", date=DATE)
    assert (again.message, again.header_id) == (copy.message, copy.header_id)
    assert again.structure == parse(again.message)


def test_a_mailbox_files_separator_is_dropped() -> None:
    """The `From ` line of an mbox file is no header field and would end the header block of what is sent."""
    copy = prepare_copy(
        b"From ada Mon May  4 12:00:00 2026\r\n" + COMPLETE + b"\r\nbody\r\n", header_id=OURS, date=DATE
    )
    assert copy.message == COMPLETE + b"\r\nbody\r\n"


@given(st.builds(Fields, values, values, st.none() | st.text(), st.none() | st.text(), st.none() | values))
def test_the_stored_form(fields: Fields) -> None:
    """Fields come back as they were stored, and the same fields are the same bytes."""
    try:
        stored = fields.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate; composing it was refused before
    assert Fields.decode(stored) == fields
    assert Fields.decode(stored).encode() == stored


def test_the_message_id_is_always_the_same() -> None:
    """Every attempt carries the same id; an address literal is no domain for one."""
    message = UUID(int=7)
    assert header_id_for(message, "sender.example") == header_id_for(message, "sender.example")
    assert "[" not in header_id_for(message, "[192.0.2.1]")
    assert parse(f"Message-ID: {header_id_for(message, 'x.example')}\r\n\r\n".encode()).header("Message-ID")
