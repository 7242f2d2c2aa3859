"""Attachments as tracked documents: taken out, named, replaced by links; everything else as it was."""

from __future__ import annotations

import base64

import pytest

from resonanz.mail import instrument, parse, undo
from resonanz.mail.documents import safe_name, size
from resonanz.model import TrackingMode
from resonanz.tokens import TokenKind, read
from tests.kit.letters import BASE_URL, HTML_PART, KEYS, PLAIN_PART, multipart, tracking

PDF = b"%PDF-1.7 offer"
PDF_PART = (
    b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="Angebot & Preis.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(PDF)
)
IMAGE_PART = b"Content-Type: image/png\r\nContent-Disposition: attachment; filename=plan.png\r\n\r\nPNG"


def everything(part: object) -> bool:
    return True


@pytest.mark.parametrize(
    "order", [(HTML_PART, PDF_PART, IMAGE_PART), (PDF_PART, HTML_PART, IMAGE_PART), (PLAIN_PART, PDF_PART)]
)
def test_a_chosen_attachment_becomes_a_link(order: tuple[bytes, ...]) -> None:
    """The part leaves the message, its content and a signed link come back, and undoing restores the mail."""
    message = multipart(*order)
    result = instrument(message, tracking(documents=lambda part: part.type == "application/pdf"))
    (document,) = result.documents
    assert (document.name, document.type, document.content) == ("Angebot & Preis.pdf", "application/pdf", PDF)
    token = read(KEYS, document.url.removeprefix(f"{BASE_URL}/f/").partition("/")[0])
    assert (token.kind, token.link, token.destination) == (TokenKind.FILE, len(result.links), document.key)
    assert document.index == token.link
    assert document.url.endswith("/Angebot%20%26%20Preis.pdf")
    after = parse(result.message)
    assert not after.ambiguous
    assert [part.type for part in after.leaves] == [
        part.type for part in parse(message).leaves if "pdf" not in part.type
    ]
    assert document.url.encode() in result.message
    assert PDF_PART not in result.message
    assert undo(result.message, result.splices) == message


def test_an_empty_attachment_takes_no_delimiter_with_it() -> None:
    """Where its header runs straight into the next delimiter, the parts around it stay what they were."""
    empty = b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=empty.pdf\r\n"
    message = multipart(HTML_PART, empty, IMAGE_PART)
    result = instrument(message, tracking(documents=lambda part: part.type == "application/pdf"))
    assert [document.content for document in result.documents] == [b""]
    assert [part.type for part in parse(result.message).leaves] == ["text/html", "image/png"]
    assert undo(result.message, result.splices) == message


def test_the_link_stands_in_both_versions_of_the_letter() -> None:
    """HTML and text readers both get it; the same content twice has one key and two indices, none of them a link's."""
    inner = multipart(PLAIN_PART, HTML_PART, kind="alternative", boundary="inner").partition(b"1.0\r\n")[2]
    result = instrument(multipart(inner, PDF_PART, PDF_PART), tracking(documents=everything))
    first, second = result.documents
    assert first.key == second.key
    assert (first.index, second.index) == (1, 2)
    assert set(result.links) == {0}
    assert result.message.count(first.url.encode()) == 2
    assert b">Angebot &amp; Preis.pdf</a> (14 B)" in result.message
    assert b"Angebot & Preis.pdf (14 B):\r\n" in result.message


@pytest.mark.parametrize(
    ("message", "settings"),
    [
        (multipart(IMAGE_PART, PDF_PART), {}),
        (multipart(HTML_PART, PDF_PART), {"clicks": TrackingMode.OFF}),
        (multipart(HTML_PART, PDF_PART, extra=b"X-No-Track: 1\r\n"), {}),
        (multipart(HTML_PART, PDF_PART.replace(b"base64\r\n\r\n", b"base64\r\n\r\n*")), {}),
        (multipart(HTML_PART, PDF_PART.replace(b"attachment", b"inline")), {}),
        (multipart(HTML_PART, PDF_PART).rpartition(b"\r\n--")[0], {}),
    ],
)
def test_an_attachment_stays_where_no_link_can_stand_for_it(message: bytes, settings: dict[str, object]) -> None:
    """No letter for the link, clicks off, opted out, unreadable, shown inline or never closed: it stays attached."""
    result = instrument(message, tracking(documents=everything, **settings))
    assert result.documents == ()
    assert b"application/pdf" in result.message


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\offer.pdf", "offer.pdf"),
        ('a"<b>.pdf', "ab.pdf"),
        ("..", ""),
        ("é" * 300, "é" * 120),
    ],
)
def test_names_are_harmless(name: str, safe: str) -> None:
    """Folders, quotes and endless names do not get into a URL or onto a disk."""
    assert safe_name(name) == safe


def test_a_name_the_charset_lacks_harms_nothing() -> None:
    """A text part in a charset without the name's letters gets question marks there; HTML gets references."""
    text = b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nHi"
    part = PDF_PART.replace(b'filename="Angebot & Preis.pdf"', b"filename*=utf-8''%C3%BC%E6%97%A5.pdf")
    result = instrument(multipart(text, HTML_PART, part), tracking(documents=everything))
    assert [document.name for document in result.documents] == ["ü日.pdf"]
    assert b"\xfc?.pdf (14 B):" in result.message
    assert "ü日.pdf".encode("ascii", "xmlcharrefreplace") + b"</a>" in result.message


def test_sizes_are_for_people() -> None:
    """Bytes, then KB, then MB."""
    assert [size(octets) for octets in (10, 2048, 5 * 1024 * 1024)] == ["10 B", "2 KB", "5.0 MB"]
