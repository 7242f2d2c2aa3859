"""Composing: headers no program misreads, nothing injected, a text alternative always there."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail import compose, parse
from resonanz.mail.composing import write_header
from resonanz.model import InvalidInput
from tests.kit.letters import NOON

LONG_URL = "https://t.example.org/u/" + "x" * 300


def letter(**changes: object) -> bytes:
    fields = {
        "sender": "Mara <mara@shop.example>",
        "to": "ivo@mail.example",
        "subject": "News",
        "text": "Hello",
        "html": None,
        "message_id": "abc@shop.example",
        "date": NOON,
    }
    return compose(**{**fields, **changes})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("List-Unsubscribe", f"<{LONG_URL}>, <mailto:leave@shop.example?subject=unsubscribe>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("References", " ".join(f"<{'r' * 90}{number}@shop.example>" for number in range(9))),
        ("Feedback-ID", "campaign-" + "9" * 90 + ":shop:news:sender"),
    ],
)
def test_urls_and_ids_are_never_encoded_nor_torn(name: str, value: str) -> None:
    """However long, the words of a structured header arrive whole, folded only at spaces (RFC 5322 section 2.2.3)."""
    message = letter(headers={name: value})
    assert b"=?" not in message.partition(b"\r\n\r\n")[0]
    assert parse(message).header(name).split() == value.split()
    assert " ".join(message_from_bytes(message)[name].split()) == value
    assert max(map(len, message.split(b"\r\n"))) <= 998


def test_a_long_message_id_stays_on_the_line_of_its_name() -> None:
    """A Message-ID of 200 characters is one line, because some readers take a folded first line for nothing."""
    long_id = f"<{'m' * 200}@shop.example>"
    assert f"\r\nMessage-ID: {long_id}\r\n".encode() in letter(message_id=long_id)


@pytest.mark.parametrize(
    "text", ["Grüße an alle " * 12, "plain " * 40, "=?utf-8?q?tricky?=", "日本語" * 40, "a" * 1500, "", "  x  y "]
)
def test_a_subject_arrives_as_written(text: str) -> None:
    """Free text is encoded where it must be, in words of at most 75 characters (RFC 2047), and decodes to itself."""
    message = letter(subject=text)
    assert parse(message).header("Subject") == text.strip() or parse(message).header("Subject") == text
    head = message.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert all(len(line) <= 78 for line in head.split(b"\r\n"))


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b", "a\ud800"])
def test_nothing_is_injected(bad: str) -> None:
    """A line break in any value is refused, whoever wrote it."""
    changes: list[dict[str, object]] = [
        {"subject": bad},
        {"headers": {"X-Note": bad}},
        {"headers": {f"X-{bad}": "1"}},
        {"sender": f"{bad} <a@b.example>"},
        {"to": f"{bad}@x.example"},
        {"message_id": f"{bad}@x"},
        {"reply_to": bad},
    ]
    for change in changes:
        with pytest.raises(InvalidInput):
            letter(**change)


def test_fields_of_ours_are_not_overwritten() -> None:
    """`headers` cannot bring a second From or Content-Type."""
    for name in ("From", "content-type", "MIME-Version"):
        with pytest.raises(InvalidInput):
            letter(headers={name: "x@y.example"})


def test_names_are_encoded_and_addresses_are_not() -> None:
    """A name outside ASCII becomes encoded words; the address beside it stays readable for every server."""
    message = letter(sender='"Müller, Jörg" <joerg@müller.example>', to=["A <a@x.example>", '"B, C" <b@x.example>'])
    assert message_from_bytes(message, policy=policy.default)["From"].addresses[0].display_name == "Müller, Jörg"
    assert b"<joerg@xn--mller-kva.example>" in message
    assert b'To: A <a@x.example>, "B, C" <b@x.example>\r\n' in message


def test_the_text_alternative_is_made_from_the_html() -> None:
    """HTML alone becomes multipart/alternative, text first, with the addresses of its links."""
    html = "<h1>Sale</h1><p>See <a href='https://a.example/?x=1&amp;y=2'>the offer</a></p><ul><li>one<li>two</ul>"
    structure = parse(letter(text=None, html=html))
    assert [part.type for part in structure.leaves] == ["text/plain", "text/html"]
    text, markup = message_from_bytes(structure.message).get_payload()
    assert text.get_payload(decode=True).decode().replace("\r\n", "\n") == (
        "Sale\n\nSee the offer (https://a.example/?x=1&y=2)\n\n- one\n- two\n"
    )
    assert markup.get_payload(decode=True).decode() == html


def test_text_alone_is_one_part() -> None:
    """Without HTML there is no multipart around the text; with neither there is no mail."""
    assert parse(letter()).root.type == "text/plain"
    with pytest.raises(InvalidInput):
        letter(text=None)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400))
def test_any_text_arrives_within_the_line_limits(text: str) -> None:
    """Whatever the text, the body decodes to it (line endings aside) and no line is over 76 characters."""
    message = letter(text=text)
    body = message_from_bytes(message).get_payload(decode=True).decode()
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    assert body == plain
    lines = message.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.startswith((b".", b"-")) for line in lines)


@given(st.text(max_size=60), st.text(max_size=200))
def test_a_header_is_written_in_one_piece_or_refused(name: str, value: str) -> None:
    """No name and no value makes a second field or an empty line."""
    try:
        line = write_header(name, value)
    except InvalidInput:
        return
    assert line.endswith(b"\r\n")
    assert all(piece[:1] == b" " and piece.strip() for piece in line[:-2].split(b"\r\n")[1:])
