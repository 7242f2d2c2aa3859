"""Structure: headers and parts as byte ranges, in any state of repair."""

from __future__ import annotations

from base64 import b64encode
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonanz.mail import parse
from resonanz.mail.headers import read_parameters
from resonanz.mail.structure import MAX_DEPTH, read_encoding
from tests.kit.letters import HTML_PART, PLAIN_PART, mail, multipart
from tests.kit.oracle import decoded_leaves

PIECES = [
    b"--frame\r\n",
    b"--frame--\r\n",
    b"--in\r\n",
    b"--in--\r\n",
    b"\r\n",
    b"\n",
    b"text\r\n",
    b"X-A: 1\r\n",
    b" fold\r\n",
    b"Content-Type: multipart/mixed; boundary=frame\r\n",
    b"Content-Type: multipart/mixed; boundary=in\r\n",
    b"Content-Type: text/html\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"\x00\xff",
    b"--",
    b"junk\r\n",
]
IMAGE_PART = b"Content-Type: image/gif\r\n\r\nGIF"


@pytest.mark.parametrize("eol", [b"\r\n", b"\n", b"\r"])
def test_every_part_is_found_where_it_lies(eol: bytes) -> None:
    """Bodies are exact byte ranges, without the line ending that belongs to the delimiter, for every line ending."""
    inner = multipart(PLAIN_PART, HTML_PART, kind="alternative", boundary="inner").partition(b"1.0\r\n")[2]
    message = multipart(inner, b"Content-Type: image/png\r\n\r\nDATA").replace(b"\r\n", eol)
    structure = parse(message)
    assert [(part.path, part.type) for part in structure.leaves] == [
        ("1.1", "text/plain"),
        ("1.2", "text/html"),
        ("2", "image/png"),
    ]
    assert [structure.body(part) for part in structure.leaves] == [
        PLAIN_PART.partition(b"\r\n\r\n")[2],
        HTML_PART.partition(b"\r\n\r\n")[2],
        b"DATA",
    ]
    assert structure.header("subject") == "News"
    assert not structure.ambiguous


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([PLAIN_PART, HTML_PART, IMAGE_PART]), min_size=1, max_size=5))
def test_it_agrees_with_the_standard_library_on_sound_mail(parts: list[bytes]) -> None:
    """Types and bodies are those the standard library finds."""
    message = multipart(*parts)
    structure = parse(message)
    assert [(part.type, structure.body(part)) for part in structure.leaves] == decoded_leaves(message)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join) | st.binary(max_size=200))
def test_no_input_breaks_it(message: bytes) -> None:
    """Ranges lie inside the message and leaves do not overlap, whatever the bytes."""
    structure = parse(message)
    position = 0
    for part in structure.leaves:
        assert position <= part.start <= part.body_start <= part.end <= len(message)
        position = part.end
    for found in structure.headers:
        assert isinstance(found.decoded, str)


@pytest.mark.parametrize(
    "message",
    [
        mail(b"x", type="multipart/mixed"),
        mail(b"x", type="text/html; charset=utf-8; charset=latin1"),
        mail(b"x", extra=b"Content-Type: text/plain\r\n"),
        mail(b"x", extra=b"this is no header\r\n"),
        multipart(b"Content-Type: text/plain\r\n\r\n--framed\r\n"),
        multipart(b'Content-Type: multipart/mixed; boundary="frame"\r\n\r\nx'),
    ],
)
def test_what_can_be_read_in_two_ways_is_marked(message: bytes) -> None:
    """Missing boundaries, contradicting headers, stray lines and near-delimiters make a structure ambiguous."""
    assert parse(message).ambiguous


def test_the_same_header_twice_with_one_value_is_not_ambiguous() -> None:
    """A duplicate MIME-Version or an equal Content-Type contradicts nobody."""
    twice = b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
    assert not parse(mail(b"x", extra=twice)).ambiguous


def test_depth_is_bounded() -> None:
    """Nesting deeper than any letter is refused, not followed."""
    message = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(MAX_DEPTH + 5)
    )
    assert parse(message).ambiguous


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('text/html; charset="utf-8"', ("text/html", {"charset": "utf-8"})),
        ("TEXT/HTML;CHARSET=UTF-8;", ("text/html", {"charset": "UTF-8"})),
        ("text/html (a; comment); charset=utf-8 (x)", ("text/html", {"charset": "utf-8"})),
        ('multipart/mixed; boundary="a;b\\"c"', ("multipart/mixed", {"boundary": 'a;b"c'})),
        ("a/b; name*=utf-8''%C3%BC.txt", ("a/b", {"name": "ü.txt"})),
        ("a/b; name*0=abc; name*1*=%20d", ("a/b", {"name": "abc d"})),
        ("", ("", {})),
    ],
)
def test_parameters_are_read_as_the_standards_say(text: str, expected: tuple[str, dict[str, str]]) -> None:
    """Quotes, comments and RFC 2231 continuations."""
    assert read_parameters(text)[:2] == expected


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("8bits", "8bit"),
        ("quoted-printable;", "quoted-printable"),
        ('"Base64"', "base64"),
        ("", "7bit"),
        ("7BIT (x)", "7bit"),
        ("x-uuencode", "x-uuencode"),
    ],
)
def test_transfer_encodings_are_known_by_their_odd_names(written: str, meant: str) -> None:
    """Spellings that real programs write mean what they meant."""
    assert read_encoding(written) == meant


def test_headers_are_read_like_the_standard_library_reads_them() -> None:
    """Folded and encoded headers decode alike."""
    message = (
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?iso-8859-1?b?/A==?= and\r\n\tmore\r\nX: raw \xc3\xbc\r\n\r\nbody"
    )
    assert parse(message).header("Subject") == str(message_from_bytes(message, policy=policy.default)["Subject"])
    assert parse(message).header("x") == "raw ü"
    assert parse(message).header("absent") is None


def test_a_header_of_a_million_folds() -> None:
    """However often a field is folded, its value is all of it, and what comes after it is found."""
    message = b"From: ada@sender.example\r\nTo: a\r\n" + b" b\r\n" * 1_000_000 + b"Subject: x\r\n\r\nbody"
    structure = parse(message)
    assert structure.header("To") == "a" + " b" * 1_000_000
    assert [(found.name, message[found.end :][:7]) for found in structure.headers[1:]] == [
        ("To", b"Subject"),
        ("Subject", b"\r\nbody"),
    ]


@given(
    st.sampled_from(["utf-7", "utf-8", "utf-16", "utf-16-be", "utf-32", "unicode_escape", "raw_unicode_escape"]),
    st.binary(max_size=12) | st.sampled_from([b"+2AA-", rb"\ud800", b"a\0b", b"\xd8\x00", b"\xed\xa0\x80"]),
)
def test_a_header_holds_only_what_can_be_stored(charset: str, data: bytes) -> None:
    """Whatever an encoded word or an RFC 2231 parameter spells, no NUL and no half of a surrogate pair comes out."""
    word, percent = b64encode(data).decode(), "".join(f"%{byte:02X}" for byte in data)
    structure = parse(
        f"Subject: =?{charset}?b?{word}?= x\r\nContent-Type: text/plain; charset*={charset}''{percent}\r\n\r\n".encode()
    )
    for text in (structure.header("Subject") or "", structure.leaves[0].charset or ""):
        assert "\0" not in text
        assert text.encode().decode() == text
