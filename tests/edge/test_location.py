"""What stands in a Location header is what the author wrote, or what a browser would have made of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.edge.location import location

plain = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
anything = st.text(st.characters(exclude_categories=()), max_size=60)


@given(st.sampled_from(["http://", "https://", "HTTPS://"]), plain)
def test_plain_destinations_go_out_byte_for_byte(scheme: str, rest: str) -> None:
    """Printable ASCII is never touched: no normalising, no decoding, no escaping."""
    assert location(f"{scheme}h{rest}") == f"{scheme}h{rest}".encode()


@given(st.sampled_from(["", " ", "\t", "http://", "https:", "https://example.org/", "javascript:"]), anything)
def test_whatever_comes_out_fits_a_header_and_is_http(start: str, rest: str) -> None:
    """Any string at all gives printable ASCII that begins with http(s)://, or nothing."""
    result = location(start + rest)
    assert result is None or re.fullmatch(rb"https?:[/\\]{2,}[!-~]+", result, re.IGNORECASE)


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        # Expectations as the WHATWG URL parser gives them.
        ("  https://example.org/a b\n", "https://example.org/a%20b"),
        ("https://exam\tple.org/a\r\nb", "https://example.org/ab"),
        ("https://example.org/ü?ä=ö#ß", "https://example.org/%C3%BC?%C3%A4=%C3%B6#%C3%9F"),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("https://MÜNCHEN.de:8443/x", "https://xn--mnchen-3ya.de:8443/x"),
        ("https://user:pä@münchen.de/x", "https://user:p%C3%A4@xn--mnchen-3ya.de/x"),
        ("http://日本語。jp/", "http://xn--wgv71a119e.jp/"),
        ("http://☕.example/", "http://xn--53h.example/"),
        ("http://\u00ad/", "http://%C2%AD/"),
        ("https://example.org/\ud800", "https://example.org/%EF%BF%BD"),
        ("https://example.org/\x00\x7f", "https://example.org/%00%7F"),
        ("https:/example.org/x", "https://example.org/x"),
        ("https:example.org/x", "https://example.org/x"),
        ('https://example.org/%zz[]{}|^`"<>\\', 'https://example.org/%zz[]{}|^`"<>\\'),
        ("ht\ntps://example.org/", "https://example.org/"),
    ],
)
def test_what_a_header_cannot_carry_is_written_as_browsers_do(destination: str, expected: str) -> None:
    """Controls, spaces, non-ASCII characters and internationalised hosts."""
    assert location(destination) == expected.encode()


@pytest.mark.parametrize(
    "destination",
    [
        "",
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "mailto:a@example.org",
        "//example.org/",
        "/x",
        "http:",
        "https://",
        "http:///",
        "https://?x",
        "ftp://example.org/",
        "ht tp://example.org",
        "\\\\example.org",
    ],
)
def test_other_destinations_lead_nowhere(destination: str) -> None:
    """Only http and https addresses with a host are redirected to."""
    assert location(destination) is None
