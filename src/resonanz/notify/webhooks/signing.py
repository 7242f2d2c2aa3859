"""Secrets and signatures of the specification Standard Webhooks (`spec/standard-webhooks.md`, symmetric form `v1`).

>>> headers("msg_1", 1_700_000_000, b"{}", ["whsec_" + "A" * 32])["webhook-signature"]
'v1,pQ1fJKEUEd2jzr5SzMf65TSLnzVlxmpN+dnTJKt5Lf8='
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256

_PREFIX = "whsec_"
_SECRET_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    """Return a fresh secret, as it is shown to the owner of an endpoint."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def headers(id: str, timestamp: int, body: bytes, in_force: Sequence[str]) -> dict[str, str]:
    """Return the headers of a delivery at `timestamp` (seconds since the epoch), with a signature by each secret."""
    signed = f"{id}.{timestamp}.".encode() + body
    signatures = [f"v1,{_sign(secret, signed)}" for secret in in_force]
    return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(signatures)}


def _sign(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, sha256)).decode()
