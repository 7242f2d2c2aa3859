"""Signing mail with DKIM (RFC 6376; Ed25519: RFC 8463): relaxed canonicalisation of headers and body, no length tag.

The bytes that are signed are those that go out: whoever calls has done every other change, line endings included.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from resonanz.mail.headers import Header, read_message_block
from resonanz.model import InvalidInput

RSA_BITS = 2048
MIN_RSA_BITS = 1024  # RFC 8301 section 3.2: verifiers take nothing shorter
_TAG_CHARACTERS = 72  # of base64 on each line of the field
_TXT_CHARACTERS = 255  # RFC 1035 section 3.3: the longest string within a TXT record

# What is signed where it is there. RFC 6376 section 5.4.1 and RFC 8058 section 4, which asks for the last two.
SIGNED_FIELDS = (
    *("from", "reply-to", "sender", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding", "content-language", "feedback-id", "list-id"),
    *("list-help", "list-subscribe", "list-owner", "list-archive", "list-post"),
    *("list-unsubscribe", "list-unsubscribe-post"),
)
# Named once more than they are there, so that nobody adds a second one on the way which programs would show instead.
OVERSIGNED_FIELDS = frozenset(
    (
        *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding"),
        *("list-unsubscribe", "list-unsubscribe-post"),
    )
)

_BLANKS = re.compile(rb"[ \t]+")
_FOLDS = re.compile(rb"\r\n(?=[ \t])")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
_SELECTOR = re.compile(r"(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


class Algorithm(StrEnum):
    """How a signature is made; RSA is what every receiver verifies, Ed25519 is shorter and verified by few."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a domain, the selector under which its public key is published, and the private key.

    `make` and `load` check what they are given; both names are lower case.
    """

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @classmethod
    def make(cls, domain: str, selector: str, algorithm: Algorithm = Algorithm.RSA) -> Signer:
        """Return a signer with a fresh key. Raises InvalidInput for a domain or selector that no DNS name can hold."""
        key: RSAPrivateKey | Ed25519PrivateKey
        if algorithm is Algorithm.RSA:
            key = generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        else:
            key = Ed25519PrivateKey.generate()
        return cls(_checked(_DOMAIN, domain, "domain"), _checked(_SELECTOR, selector, "selector"), key)

    @classmethod
    def load(cls, domain: str, selector: str, pem: bytes) -> Signer:
        """Return the signer of an existing private key in PEM form (PKCS #8 or PKCS #1). Raises InvalidInput."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise InvalidInput(
                "not a private key in PEM form without a password", where=f"{selector}._domainkey.{domain}"
            ) from error
        if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
            raise InvalidInput("neither an RSA nor an Ed25519 key", where=f"{selector}._domainkey.{domain}")
        if isinstance(key, RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
            raise InvalidInput(
                f"an RSA key of {key.key_size} bits; receivers take {MIN_RSA_BITS} and more",
                where=f"{selector}._domainkey.{domain}",
                remedy=f"make one of {RSA_BITS} bits",
            )
        return cls(_checked(_DOMAIN, domain, "domain"), _checked(_SELECTOR, selector, "selector"), key)

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm that goes with the key."""
        return Algorithm.RSA if isinstance(self.key, RSAPrivateKey) else Algorithm.ED25519

    @property
    def name(self) -> str:
        """Where the public key is published: the name of its TXT record, without a dot at the end."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """What the TXT record says (RFC 6376 section 3.6.1)."""
        return f"v=DKIM1; k={'rsa' if self.algorithm is Algorithm.RSA else 'ed25519'}; p={self.public}"

    @property
    def public(self) -> str:
        """The public key in base64: as SubjectPublicKeyInfo for RSA, bare for Ed25519 (RFC 8463 section 4)."""
        if isinstance(self.key, RSAPrivateKey):
            der = self.key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        else:
            der = self.key.public_key().public_bytes_raw()
        return base64.b64encode(der).decode()

    @property
    def pem(self) -> bytes:
        """The private key, PKCS #8, not encrypted: a secret."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, data: bytes) -> str:
        """Return the signature of these bytes in base64. Ed25519 signs their SHA-256 (RFC 8463 section 3)."""
        if isinstance(self.key, RSAPrivateKey):
            signature = self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = self.key.sign(hashlib.sha256(data).digest())
        return base64.b64encode(signature).decode()


def sign(message: bytes, signers: Sequence[Signer], now: datetime) -> bytes:
    """Return the message with one DKIM-Signature in front for each signer.

    `message` must have CRLF line endings, as it has on the wire. A mail without a From field cannot be signed (RFC 6376
    section 5.4), and in one with lines among its headers that are none, programs see different fields: both are
    returned as they are.
    """
    block = read_message_block(message)
    if not signers or block.has_junk or block.first("From") is None:
        return message
    named, covered = _covered(block.fields)
    digest = base64.b64encode(hashlib.sha256(relaxed_body(message[block.body_start :])).digest()).decode()
    signatures = [_signature(signer, named, covered, digest, now) for signer in signers]
    return b"".join(signatures) + message


def relaxed_header(name: bytes, value: bytes) -> bytes:
    """Return a field in relaxed form, its line ending included (RFC 6376 section 3.4.2)."""
    return name.lower() + b":" + _BLANKS.sub(b" ", _FOLDS.sub(b"", value)).strip(b" \t\r\n") + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """Return a body in relaxed form (RFC 6376 section 3.4.4): blanks at line ends go, runs of blanks become one, empty
    lines at the end go."""
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    while b"  " in body:  # each round halves every run: a body of blanks alone takes 30 rounds at most
        body = body.replace(b"  ", b" ")
    body = body.replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def _covered(fields: Sequence[Header]) -> tuple[list[str], bytes]:
    """Return the names for the `h` tag and the fields they stand for, in relaxed form.

    A name that comes again means the next field of it from below (RFC 6376 section 5.4.2); one that is there no more
    stands for nothing and says that there shall be none.
    """
    by_name: dict[str, list[Header]] = {}
    for found in fields:
        by_name.setdefault(found.name.lower(), []).append(found)
    named: list[str] = []
    covered: list[bytes] = []
    for name in SIGNED_FIELDS:
        present = by_name.get(name, [])
        named += [name] * (len(present) + (name in OVERSIGNED_FIELDS))
        covered += [relaxed_header(name.encode(), found.raw) for found in reversed(present)]
    return named, b"".join(covered)


def _signature(signer: Signer, named: Sequence[str], covered: bytes, digest: str, now: datetime) -> bytes:
    tags = (
        f" v=1; a={signer.algorithm}; c=relaxed/relaxed; d={signer.domain}; s={signer.selector};\r\n"
        f"\tt={int(now.timestamp())}; bh={digest};\r\n"
        f"\th={_wrapped_names(named)};\r\n"
        f"\tb="
    ).encode()
    # The field signs itself with an empty `b`, and without a line ending (RFC 6376 section 3.7).
    data = covered + relaxed_header(b"DKIM-Signature", tags).removesuffix(b"\r\n")
    value = signer.sign(data)
    lines = [value[at : at + _TAG_CHARACTERS] for at in range(0, len(value), _TAG_CHARACTERS)]
    return b"DKIM-Signature:" + tags + "\r\n\t".join(lines).encode() + b"\r\n"


def _wrapped_names(named: Sequence[str]) -> str:
    lines = [""]
    for name in named:
        if len(lines[-1]) + len(name) > _TAG_CHARACTERS:
            lines.append("")
        lines[-1] += f"{name}:"
    return "\r\n\t".join(lines).removesuffix(":")


def _checked(pattern: re.Pattern[str], text: str, where: str) -> str:
    lowered = text.strip().rstrip(".").lower()
    if not pattern.fullmatch(lowered):
        raise InvalidInput("not a name that DNS can hold", where=where, remedy="letters, digits, hyphens and dots")
    return lowered


def zone_line(signer: Signer) -> str:
    """Return the record as a line for a zone file, its text cut into strings of a length that fits."""
    text = signer.record
    strings = " ".join(f'"{text[at : at + _TXT_CHARACTERS]}"' for at in range(0, len(text), _TXT_CHARACTERS))
    return f"{signer.name}. IN TXT {strings}"
