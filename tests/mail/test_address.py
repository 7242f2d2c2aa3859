"""Addresses: what is read, how it is told apart, what is refused."""

from __future__ import annotations

import re
from ast import literal_eval
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail import parse_address, parse_addresses
from resonanz.model import InvalidInput


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        ("a@b.example", "", "a@b.example"),
        ("  Mara K. <Mara@Shop.Example> ", "Mara K.", "Mara@shop.example"),
        ('"Müller, Jörg" <j@x.example>', "Müller, Jörg", "j@x.example"),
        ("=?utf-8?q?J=C3=B6rg?= <j@x.example>", "Jörg", "j@x.example"),
        ("a@b.example (Mara)", "Mara", "a@b.example"),
        ('"neko....nyaan...."@x.example', "", '"neko....nyaan...."@x.example'),
        ('"a b"@x.example', "", '"a b"@x.example'),
        ('"simple"@x.example', "", "simple@x.example"),
        ("grün@müller.example", "", "grün@xn--mller-kva.example"),
        ("a@faß.example", "", "a@xn--fa-hia.example"),
        ("a@例え.テスト", "", "a@xn--r8jz45g.xn--zckzah"),
        ("a+b=c@x.example", "", "a+b=c@x.example"),
        ("a@[192.0.2.1]", "", "a@[192.0.2.1]"),
        ("a@[IPv6:2001:db8::1]", "", "a@[IPv6:2001:db8::1]"),
        ("a@x.example.", "", "a@x.example"),
    ],
)
def test_it_reads_one_mailbox(text: str, name: str, spec: str) -> None:
    """Names are decoded, domains become lower-case ASCII labels, needless quotes go."""
    address = parse_address(text)
    assert (address.name, address.spec) == (name, spec)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("mara", "^address: 'mara' has no @$"),
        ("a@x.example, mara", "^address: 'mara' has no @$"),
        ("Mara <>", "^address: 'Mara <>' has no @$"),
        ("@x.example", "nothing before"),
        ("a@", "empty label"),
        ("a@-x.example", "no domain can hold"),
        ("a@x..example", "empty label"),
        ("a..b@x.example", "dot out of place"),
        (".a@x.example", "dot out of place"),
        ("a b@x.example", "space before"),
        ("a@b@x.example", "needs quotes"),
        ("a@x.example, b@x.example", "not one address"),
        ("a@192.0.2.1", "ends in a number"),
        ("a@[300.1.1.1]", "no IP address"),
        ("a@x.example\r\nBcc: b@x.example", "control character"),
        ("a@x.example\0", "control character"),
        ("A <a@x.example", "not closed"),
        ('"a@x.example', "quote that is not closed"),
        ("a@x.example)", "bracket too many"),
        ("<<a@x.example>>", "bracket too many"),
        ("x" * 65 + "@x.example", "64 octets"),
        ("a@" + "x" * 64 + ".example", "63 octets"),
        ("a@" + "x" * 60 + ("." + "x" * 60) * 4, "253 octets"),
        ("a@x.💩", "no domain can hold"),
        ("\ud800 <a@x.example>", "not valid Unicode"),
        ("\ud800@x.example", "not valid Unicode"),
    ],
)
def test_it_says_what_is_wrong(text: str, why: str) -> None:
    """A refusal names the reason."""
    with pytest.raises(InvalidInput, match=why):
        parse_address(text)


@given(
    st.text(min_size=61, max_size=400)
    | st.sampled_from(["x" * 200 + "@y.example", "a@" + "ü♥" * 100, "a@b." + "-" * 90])
)
def test_a_refusal_quotes_little_of_what_was_handed_in(text: str) -> None:
    """At most sixty characters: errors are read by people, and kept in logs."""
    try:
        parse_addresses(text)
    except InvalidInput as refused:
        quoted = re.match(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", refused.what)
        assert quoted is not None
        assert len(literal_eval(quoted.group())) <= 60


@given(st.text(max_size=80), st.sampled_from(["q", "b"]))
def test_any_display_name_comes_back(name: str, encoding: str) -> None:
    """Commas, quotes and brackets in an encoded word are part of the name, not of the syntax (RFC 2047 section 5)."""
    octets = name.encode("utf-8", "replace")
    word = "".join(f"={octet:02X}" for octet in octets) if encoding == "q" else b64encode(octets).decode()
    address = parse_address(f"=?utf-8?{encoding}?{word}?= <a@x.example>")
    shown = octets.decode().replace("\0", "\ufffd")
    assert address.name == " ".join(re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", shown).split())
    assert parse_address(str(address)) == address


def test_a_list_is_cut_at_its_commas_only() -> None:
    """Commas in quotes and comments do not separate; groups are opened; empty places are skipped."""
    text = '"A, B" <a@x.example>, c@x.example (d, e),, Friends: f@x.example, g@x.example;'
    assert [found.spec for found in parse_addresses(text)] == [
        "a@x.example",
        "c@x.example",
        "f@x.example",
        "g@x.example",
    ]


@pytest.mark.parametrize(
    "text",
    ["(" * 900_000, "((((" * 20 + "a@x.example" + "))))" * 20, "a@" + "\u0300\u0323a" * 300_000, "a@" + "ü" * 900_000],
    ids=["brackets", "nested", "marks", "label"],
)
def test_what_would_take_long_to_read_is_refused(text: str) -> None:
    """Nesting and labels beyond all use are refused, in few words however long the text is."""
    with pytest.raises(InvalidInput) as refused:
        parse_addresses(text)
    assert len(str(refused.value)) < 300


def test_comments_and_names_in_many_pieces() -> None:
    """Whatever number of pieces a mailbox comes in, they end up in one name and one address."""
    (found,) = parse_addresses("a(1)(2(3))" + "()" * 40_000 + "@x.example")
    assert (found.name, found.spec) == ("12(3)", "a@x.example")
    (found,) = parse_addresses('"A"' + "b:c" * 40_000 + " <a@x.example>")
    assert found.name == "c"
    (found,) = parse_addresses("a@b" + '"A"' * 40_000 + " <a@x.example>")
    assert found.name == "a@b" + '"A"' * 40_000


def test_two_spellings_of_one_mailbox_are_one() -> None:
    """What is compared is lower case, composed and in ASCII labels."""
    one, two = (parse_address(text).normalised for text in ("MARA@Müller.Example", "mara@xn--MLLER-kva.example"))
    assert one == two == "mara@xn--mller-kva.example"


@given(st.text(max_size=80) | st.text(alphabet='ab@<>",;:()\\. \r\n\0', max_size=40))
def test_what_is_accepted_is_safe_in_a_header_and_in_smtp(text: str) -> None:
    """Any input is refused or gives addresses without control characters that read back as themselves."""
    try:
        found = parse_addresses(text)
    except InvalidInput:
        return
    for address in found:
        assert not any(character < " " or character == "\x7f" for character in str(address))
        assert parse_address(address.spec).normalised == address.normalised
