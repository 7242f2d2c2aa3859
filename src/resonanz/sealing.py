"""Secrets of other systems, sealed before they go into the database: passwords, refresh tokens, webhook secrets.

The key lies in a file of its own, outside the database and away from the edge's keys, so that neither a copy of the
database nor a stolen edge opens anything. Sealed with AES-256-GCM (NIST SP 800-38D); what a secret is for is part of
the seal, so that a row's secret cannot be put into another row.

    >>> sealer = Sealer(Keys([Key(1, bytes(32))]))
    >>> sealer.open(sealer.seal("hunter2", "transport 7"), "transport 7")
    'hunter2'
"""

from __future__ import annotations

import secrets
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resonanz.model import TemporaryFailure
from resonanz.tokens import Key, Keys, create_keys

_VERSION = 1
_NONCE_BYTES = 12
_PERSON = b"resonanz.seal"


class Sealer:
    """Seals and opens. The first key seals, all open, so that secrets outlive a rotation."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def seal(self, secret: str, purpose: str) -> bytes:
        """Return `secret` sealed for `purpose`, such as `transport <id> password`; each time another string."""
        key = self._keys.signing
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = _cipher(key).encrypt(nonce, secret.encode(), purpose.encode())
        return bytes([_VERSION, key.id]) + nonce + sealed

    def open(self, sealed: bytes, purpose: str) -> str:
        """Return the secret. Raises TemporaryFailure when it was sealed by a key that we do not have, or for another
        purpose: nothing is lost, but somebody has to bring the key file back or give the secret anew."""
        key = self._keys.find(sealed[1]) if len(sealed) > 2 + _NONCE_BYTES and sealed[0] == _VERSION else None
        try:
            if key is None:
                raise InvalidTag
            nonce, rest = sealed[2 : 2 + _NONCE_BYTES], sealed[2 + _NONCE_BYTES :]
            return _cipher(key).decrypt(nonce, rest, purpose.encode()).decode()
        except InvalidTag:
            raise TemporaryFailure(
                "a stored secret cannot be opened",
                where=purpose,
                remedy="restore the file of sealing keys from the backup, or give the secret anew",
            ) from None


def open_sealer(path: Path) -> Sealer:
    """Return the sealer of the key file, creating it once. Raises InvalidInput when it is damaged."""
    return Sealer(create_keys(path))


def _cipher(key: Key) -> AESGCM:
    return AESGCM(blake2b(digest_size=32, key=key.secret, person=_PERSON).digest())
