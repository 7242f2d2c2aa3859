"""Hits as text: one JSON array per hit, a list of them per journal row.

JSON because it survives every character a hit can carry (a lone surrogate of a damaged URL included, as an ASCII
escape), because its encoder is the fastest the standard library has, and because anyone can read it with `sqlite3`.

A hit stands in one of two forms, told apart by their length: all fields (`whole_row`), or, as the edge writes it, the
text of the token it verified in place of what the token says: kind, token, microseconds, method, address, user agent,
headers, body. The edge then has nothing to build or to convert.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from resonanz.model import Hit, HitKind
from resonanz.tokens import BadToken, read_verified

Row = str
"""The JSON array of one hit."""

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_quoted = json.encoder.encode_basestring_ascii


def whole_row(hit: Hit) -> Row:
    """Return the form with all fields."""
    return _encode(
        (
            hit.kind,
            hit.id.hex,
            hit.occurred_us,
            hit.anonymous,
            hit.link,
            hit.destination,
            hit.method,
            hit.address,
            hit.user_agent,
            dict(hit.headers),
            hit.body,
        )
    )


def token_row(
    kind: HitKind,
    token: str,
    occurred_us: int,
    method: str,
    address: str,
    user_agent: str,
    headers: Mapping[str, str],
    body: str,
) -> Row:
    """Return the form with the text of a verified token."""
    # Written out: of a hit's few strings JSON's own encoder would make much more work.
    kept = ",".join([f"{_quoted(name)}:{_quoted(value)}" for name, value in headers.items()])
    return (
        f'[{_quoted(kind)},"{token}",{occurred_us},{_quoted(method)},{_quoted(address)},{_quoted(user_agent)},'
        f"{{{kept}}},{_quoted(body)}]"
    )


def encode(rows: Sequence[Row]) -> str:
    """Return the text of a group of hits, ASCII only."""
    return f"[{','.join(rows)}]"


def decode(text: str) -> list[Hit]:
    """Return the hits in `text`. Raises ValueError when it is not what `encode` wrote."""
    try:
        return [_from_token(*row) if len(row) == 8 else _from_fields(*row) for row in json.loads(text)]
    except (TypeError, AttributeError, BadToken) as error:
        raise ValueError("a journal row of unknown form") from error


def _from_token(
    kind: str,
    token_text: str,
    occurred_us: int,
    method: str,
    address: str,
    user_agent: str,
    headers: dict[str, str],
    body: str,
) -> Hit:
    token = read_verified(token_text)
    return Hit(
        kind=HitKind(kind),
        id=token.id,
        occurred_us=occurred_us,
        anonymous=token.anonymous,
        link=token.link,
        destination=token.destination,
        method=method,
        address=address,
        user_agent=user_agent,
        headers=headers,
        body=body,
    )


def _from_fields(
    kind: str,
    id_hex: str,
    occurred_us: int,
    anonymous: bool,
    link: int | None,
    destination: str,
    method: str,
    address: str,
    user_agent: str,
    headers: dict[str, str],
    body: str,
) -> Hit:
    return Hit(
        HitKind(kind),
        UUID(hex=id_hex),
        occurred_us,
        anonymous,
        link,
        destination,
        method,
        address,
        user_agent,
        headers,
        body,
    )
