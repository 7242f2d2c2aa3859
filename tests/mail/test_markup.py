"""The scanner: the same links as an independent HTML5 tokenizer, and a place for the pixel in every document."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonanz.mail.markup import MAX_LINKS, scan
from resonanz.mail.references import resolve_references
from tests.kit.oracle import hrefs

PIECES = [
    "<a href=",
    "<A HREF = ",
    "<area href='",
    "'",
    '"',
    ">",
    "/>",
    "</a>",
    "<p ",
    "x=1 ",
    "<!--",
    "-->",
    "--!>",
    "<!-->",
    "<![if !mso]>",
    "<!--[if !mso]><!-- -->",
    "<![endif]-->",
    "<script>",
    "</script>",
    "<style>",
    "</style",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea>",
    "<noscript>",
    "</noscript>",
    "http://a.example/?x=1&amp;y",
    "&timestamp=1",
    "&copy=",
    "&copy;",
    "&#38;",
    "&#x80;",
    "\n",
    "\r\n",
    " ",
    "/",
    "<",
    "=",
    "<div title='<a href=x>'>",
    "<iframe>",
    "</iframe>",
    "<xmp>",
    "<plaintext>",
    "<a",
    "href=q ",
    "<td>",
    "<table>",
    "</table>",
    "</body>",
    "</html>",
    "<body>",
    "\x00",
    "é",
    "<?php ",
    "<!DOCTYPE html>",
    '<a href="http://b.example">',
    "<a href='u'>",
    "<![CDATA[",
    "]]>",
    "<title/>",
    "<br/>",
    "<img>",
    "<a href=1 href=2>",
    "<noembed>",
    "</noembed>",
    "<noframes>",
]
MSO = ["<!--[if mso]>", "<!--[if gte mso 9]>", "<v:rect href='http://v.example'>", "<w:anchorlock/>", "</v:rect>"]
FOREIGN = [
    "<svg><title>a</title><a href='http://s.example'>b</a></svg>",
    "<svg><style/><a href=q></svg>",
    "<svg><foreignObject><p><style><a href=no></style></p></foreignObject></svg>",
    "<math><mi><b>x</b></mi></math>",
    "<svg><![CDATA[<a href=no>]]></svg>",
]


def documents(pieces: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces), max_size=25).map("".join)


def found(html: str) -> list[str]:
    """The values of all links, newlines and NUL as the tokenizer's input stream has them."""
    data = html.encode()
    values = [data[slice(*element.values[b"href"])].decode() for element in scan(data).links]
    plain = [resolve_references(value) for value in values]
    return [value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd") for value in plain]


@settings(max_examples=400, deadline=None)
@given(documents(PIECES + MSO) | documents(PIECES + FOREIGN))
def test_it_finds_the_links_an_html5_tokenizer_finds(html: str) -> None:
    """Whatever the markup, the scanner and html5lib agree on which links there are and what they say."""
    assert sorted(found(html)) == sorted(hrefs(html))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_it_never_raises_and_stays_inside_the_document(data: bytes) -> None:
    """Arbitrary bytes are scanned; every offset it reports lies in them."""
    result = scan(data)
    assert all(0 <= start <= end <= len(data) for link in result.links for start, end in link.values.values())
    assert result.image_end is None or 0 < result.image_end <= len(data)


@pytest.mark.parametrize(
    ("html", "before"),
    [
        ("<html><body><p>x</p></body></html>", "</body>"),
        ("<html><body><p>x</p></BODY ></html>", "</BODY >"),
        ("<html><body>a</body></html><html><body>b</body></html>", "</body></html>"),
        ("<body><p>x</p><!-- </body> --></html>", "</html>"),
        ("<body>a</body></html><p>after</p>", "</body>"),
        ("<p>a fragment</p>\r\n", "\r\n"),
        ("<p>x</p><!-- never closed", "<!-- never"),
        ("<p>x</p><style>p{", "<style>"),
        ("<body><p>x</p><select><option>1</body>", "<select>"),
        ("<body><p>x</p><svg><g></body>", "<svg>"),
        ("<body><p>x</p><template><p>y</p>", "<template>"),
        ("<body><p>x</p><p title='</body>'></p></body>", "</body>"),
        ("<body><script>'</body>'</script><p>x</p></body>", "</body>"),
    ],
)
def test_it_places_an_image_inside_the_body_near_its_end(html: str, before: str) -> None:
    """The place is before the last real end of the body, never inside a comment, raw text or what shows no image."""
    place = scan(html.encode()).image_end
    assert place is not None
    rest = html[place:]
    assert rest.startswith(before)
    assert rest.lower().count("</body") <= 1


@pytest.mark.parametrize("html", ["", " \r\n ", "<frameset><frame src=x></frameset>", "<!-- nothing else -->"[:-3]])
def test_it_finds_no_place_where_nothing_is_shown(html: str) -> None:
    """An empty document, frames, and a document that is one open comment have no place for an image."""
    assert scan(html.encode()).image_end is None


def test_it_gives_up_on_more_links_than_a_letter_has() -> None:
    """A document made of links alone is refused instead of being carried through every later step."""
    assert scan(b"<a href=x>" * (MAX_LINKS + 2)).is_endless
    assert not scan(b"<a href=x>" * 100).is_endless


def test_the_first_of_several_values_wins() -> None:
    """A browser takes the first href of a tag, so that one is the link."""
    assert found('<a href="http://one.example" HREF="http://two.example">x</a>') == ["http://one.example"]
