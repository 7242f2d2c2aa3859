"""DKIM signatures, verified by another implementation."""

from __future__ import annotations

from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from resonanz.mail.author import author_domain
from resonanz.mail.dkim import Algorithm, Signer, relaxed_body, sign, zone_line
from resonanz.model import InvalidInput

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RSA = Signer.make("shop.example", "k1")
ED25519 = Signer.make("shop.example", "k2", Algorithm.ED25519)
RECORDS = {signer.name: signer.record.encode() for signer in (RSA, ED25519)}
MAIL = (
    b"From: Shop <news@shop.example>\r\nTo: ada@rcpt.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n  folded\r\n"
    b"Date: Sun, 01 Mar 2026 12:00:00 +0000\r\nList-Unsubscribe: <https://t.shop.example/u/x>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nHello  \t World \r\n\r\n\r\n"
)


def verifies(message: bytes, index: int = 0) -> bool:
    """Ask dkimpy about one of the signatures, of the mail as it arrives: SMTP ends the last line (RFC 5321 section
    4.1.1.4)."""
    arrived = message if message.endswith(b"\r\n") else message + b"\r\n"
    try:
        return bool(dkim.DKIM(arrived).verify(idx=index, dnsfunc=_published))
    except dkim.ValidationError:
        return False


def _published(name: bytes, timeout: int = 5) -> bytes:
    return RECORDS[name.decode().rstrip(".")]


@pytest.mark.parametrize("signer", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_a_signature_verifies(signer: Signer) -> None:
    """Every signature verifies by the published record, and the mail behind it is untouched."""
    signed = sign(MAIL, [signer], NOW)
    assert signed.endswith(MAIL)
    assert verifies(signed)
    assert max(len(line) for line in signed.split(b"\r\n")) < 100


def test_both_signatures_verify() -> None:
    """A domain may sign twice (RFC 8463 section 1): receivers take the one they know."""
    signed = sign(MAIL, [RSA, ED25519], NOW)
    assert verifies(signed, 0)
    assert verifies(signed, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello", b"Hallo"),
        (b"news@shop", b"evil@shop"),
        (b"Subject:", b"Subject: Another\r\nSubject:"),
        (b"\r\n\r\nHello", b"\r\nContent-Type: text/html\r\n\r\nHello"),
        (b"/u/x", b"/u/y"),
    ],
    ids=["body", "from", "second subject", "new content type", "unsubscribe"],
)
def test_a_change_breaks_it(old: bytes, new: bytes) -> None:
    """Whoever changes what a reader sees, or adds a second field of it, breaks the signature."""
    assert not verifies(sign(MAIL, [RSA], NOW).replace(old, new, 1))


def test_a_relays_white_space_does_not_break_it() -> None:
    """Blanks that programs on the way add or take are no change (relaxed canonicalisation)."""
    signed = sign(MAIL, [RSA], NOW)
    assert verifies(signed.replace(b"To: ada", b"To:   ada").replace(b"Hello  \t World \r\n", b"Hello World\r\n"))


NAMES = st.sampled_from(["From", "To", "to", "Subject", "X-Other", "Date", "Content-Type", "References", "Cc"])
VALUES = st.text(st.sampled_from("ab,:;<>@ \t"), max_size=60)
LINES = st.lists(st.text(st.sampled_from("a. \t=é"), max_size=20), max_size=12)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8), LINES, st.booleans())
def test_any_mail_verifies(fields: list[tuple[str, str]], lines: list[str], ends: bool) -> None:
    """Whatever the fields and the body are, the signature verifies with the other implementation."""
    head = "".join(f"{name}: x{value}\r\n" for name, value in fields)
    mail = f"From: a@shop.example\r\n{head}\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n" * ends
    if sum(name == "From" for name, _ in fields):
        return  # two authors: the other implementation refuses to look at it
    assert verifies(sign(mail, [ED25519], NOW))


@given(st.binary(max_size=300).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"\r\n")))
def test_the_body_is_read_as_others_read_it(body: bytes) -> None:
    """The relaxed body equals that of the other implementation, byte for byte, once its last line is ended."""
    assert relaxed_body(body) == dkim.canonicalization.Relaxed.canonicalize_body(body + b"\r\n")


@pytest.mark.parametrize(
    "mail", [b"To: a@x.example\r\n\r\nno author", b"From: a@shop.example\r\nno field at all\r\n\r\nx", b"", b"\r\n"]
)
def test_what_cannot_be_signed_stays(mail: bytes) -> None:
    """Without an author, or with lines that programs read differently, a mail goes out unsigned."""
    assert sign(mail, [RSA], NOW) == mail


def test_the_authors_domain() -> None:
    """It is the one domain that From names; of two authors' domains nobody can say which."""
    assert author_domain(MAIL) == "shop.example"
    assert author_domain(b"From: a@Shop.Example, b@shop.example\r\n\r\n") == "shop.example"
    assert author_domain(b"From: a@one.example, b@two.example\r\n\r\n") == ""
    assert author_domain(b"From: nobody\r\n\r\n") == ""


def test_keys_come_and_go_as_pem() -> None:
    """A key that was written is the same key when it is read; PKCS #1 is read too."""
    assert Signer.load("shop.example", "k1", RSA.pem).record == RSA.record
    traditional = RSA.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    assert Signer.load("Shop.Example.", "K1", traditional).name == "k1._domainkey.shop.example"
    assert "PRIVATE" not in repr(RSA)


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("domain", "selector", "pem"),
    [
        ("shop.example", "k1", b"nonsense"),
        ("shop.example", "k1", _pem(ec.generate_private_key(ec.SECP256R1()))),
        ("no dots", "k1", RSA.pem),
        ("../etc", "k1", RSA.pem),
        ("shop.example", "a b", RSA.pem),
    ],
    ids=["no key", "another kind of key", "no domain", "a path", "no selector"],
)
def test_unusable_keys_are_refused(domain: str, selector: str, pem: bytes) -> None:
    """What receivers could not verify is refused when it is made, not when mail bounces."""
    with pytest.raises(InvalidInput):
        Signer.load(domain, selector, pem)


def test_the_zone_line_fits() -> None:
    """No string of the zone line is longer than DNS can hold, and together they are the record."""
    strings = zone_line(RSA).split('"')[1::2]
    assert max(map(len, strings)) <= 255
    assert "".join(strings) == RSA.record
