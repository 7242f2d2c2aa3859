"""What a person reads out of HTML: nothing of it is lost, and nothing that is not shown gets in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail.readable import text_from_html, text_of


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<p>one</p><p title="<script>">two</p><p>three</p>', "one\n\ntwo\n\nthree\n"),
        ("<p title='<style>'>two</p>three", "two\n\nthree\n"),
        ('<a href="https://a.example/<script>">go</a> on', "go (https://a.example/<script>) on\n"),
        ('<img alt="<!-- " src=x>after', "<!-- after\n"),
        ("a<script>if (x<y) { '</p>' }</script>b<style>p{}</style>c", "abc\n"),
        ("<head><title>Never</title><meta name=x><body>Shown", "Shown\n"),
        ("a<!-- <p>no</p> -->b<!-->c<!--->d<!-- e --!>f", "abcdf\n"),
        ("<!--[if mso]><p>Outlook</p><![endif]-->web<![if !mso]>, all<![endif]>", "web, all\n"),
        ("a<template>b<template>c</template>d</template>e<select><option>f</select>g", "aeg\n"),
        ("1 < 2 &amp; 3 &lt; 4", "1 < 2 & 3 < 4\n"),
        ("a<xmp><b></xmp>c", "a<b>c\n"),
        ("a<b never closed", "a\n"),
        ("a<plaintext>b<c>", "ab<c>\n"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc\n"),
        ("Grün \ud800 <b>ß</b>", "Grün \ud800 ß\n"),
    ],
)
def test_the_text_is_what_a_reader_sees(html: str, text: str) -> None:
    """Markup ends where the HTML standard ends it: a bracket in an attribute's value is only a character."""
    assert text_from_html(html) == text


@given(st.text(alphabet="<>/!-=\"' &;ab\n", max_size=60), st.sampled_from(["", "img ", "a href=", "script", "!--"]))
def test_any_markup_is_read(junk: str, start: str) -> None:
    """Nothing raises, and text before the first bracket is always there."""
    for read in (text_from_html, text_of):
        assert read(f"begin<{start}{junk}").startswith("begin")


@given(st.text(alphabet="<>/!- abscriptyle&;=", max_size=40))
def test_no_attribute_ends_the_text(value: str) -> None:
    """Whatever an attribute holds, what follows its element is read."""
    assert text_from_html(f'<p title="{value}">before</p><p>after</p>') == "before\n\nafter\n"
