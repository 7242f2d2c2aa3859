"""Random secrets and their stored form. 32 random bytes need no slow hash: there is nothing to guess."""

from __future__ import annotations

import secrets
from hashlib import sha256

SECRET_BYTES = 32
MAX_SECRET_CHARACTERS = 128


def new_secret() -> str:
    """Return 32 random bytes as 43 characters that need no escaping in a URL, a cookie or a header."""
    return secrets.token_urlsafe(SECRET_BYTES)


def stored(secret: str) -> bytes:
    """Return what the database keeps of a secret: its SHA-256."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
