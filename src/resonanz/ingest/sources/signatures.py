"""How providers prove that a delivery is theirs. Compared in constant time, over the bytes as they came in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta

from resonanz.model import Forbidden, InvalidInput

WINDOW = timedelta(minutes=5)


def refused(why: str) -> Forbidden:
    """Return the error for a delivery that is not let in."""
    return Forbidden(why, where="signature", remedy="compare the secret here with the one that the provider shows")


def check_password(given: str, secret: str) -> None:
    """Check a secret that is sent along: by Basic authentication, or in the path."""
    if not given or not hmac.compare_digest(given.encode(), secret.encode()):
        raise refused("the secret in the address, or the password, is missing or wrong")


def check_hmac(message: bytes, secret: bytes, given: str, *, digest: str = "sha256", in_base64: bool = False) -> None:
    """Check a keyed hash, given as hexadecimal digits or in base64."""
    made = hmac.new(secret, message, digest).digest()
    expected = base64.b64encode(made).decode() if in_base64 else made.hex()
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise refused("the signature is missing or wrong")


def check_time(seconds: str, now: datetime, window: timedelta = WINDOW) -> None:
    """Check that what was signed, in seconds since the epoch, is not too old, nor from the future."""
    try:
        difference = abs(now.timestamp() - int(seconds))
    except ValueError:
        raise refused("the time of the signature is missing") from None
    if difference > window.total_seconds():
        raise refused("the signature is too old, or the clocks differ")


def check_public_key(message: bytes, key: str, given: str, *, digest: str = "sha256") -> None:
    """Check an RSA (PKCS #1 v1.5) or ECDSA signature in base64 by a public key in PEM, or its DER in base64."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    public = load_public_key(key)
    # SHA-1 is what two providers' older signatures use; a second preimage, which a forger needs, is out of reach.
    algorithm = hashes.SHA256() if digest == "sha256" else hashes.SHA1()  # noqa: S303
    try:
        signature = base64.b64decode(given, validate=True)
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, message, padding.PKCS1v15(), algorithm)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, message, ec.ECDSA(algorithm))
        else:
            raise refused("the key is neither RSA nor ECDSA")
    except (InvalidSignature, binascii.Error, ValueError):
        raise refused("the signature is missing or wrong") from None


def load_public_key(text: str) -> object:
    """Read a public key. Raises InvalidInput."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

    try:
        if "-----BEGIN" in text:
            return load_pem_public_key(text.encode())
        return load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, binascii.Error, TypeError):
        raise InvalidInput("not a public key", where="secret", remedy="paste it as the provider shows it") from None


def check_standard_webhook(
    body: bytes, secret: str, *, message_id: str, seconds: str, given: str, now: datetime
) -> None:
    """Check a Standard Webhooks signature: `v1,` and base64 of HMAC-SHA256 over id, time and body, one of several."""
    check_time(seconds, now)
    expected = hmac.new(standard_secret(secret), f"{message_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
    found = [one.partition(",")[2] for one in given.split() if one.startswith("v1,")]
    made = base64.b64encode(expected)
    if not any(hmac.compare_digest(made, one.encode("utf-8", "replace")) for one in found):
        raise refused("the signature is missing or wrong")


def standard_secret(text: str) -> bytes:
    """Read a Standard Webhooks secret: `whsec_` and base64. Raises InvalidInput."""
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (ValueError, binascii.Error):
        raise InvalidInput("not a signing secret", where="secret", remedy="it begins with whsec_") from None
