"""Hits as text: one JSON array per hit, a list of them per journal row.

JSON because it survives every character a hit can carry (a lone surrogate of a damaged URL included, as an ASCII
escape), because its encoder is the fastest the standard library has, and because anyone can read it with `sqlite3`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from resonanz.model import Hit, HitKind

_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)


def encode(hits: Sequence[Hit]) -> str:
    """Return the text of `hits`, ASCII only."""
    return _ENCODER.encode(
        [
            (
                hit.kind,
                f"{hit.id.int:032x}",
                hit.occurred_us,
                1 if hit.anonymous else 0,
                hit.link,
                hit.destination,
                hit.method,
                hit.address,
                hit.user_agent,
                dict(hit.headers) if hit.headers else 0,
                hit.body,
            )
            for hit in hits
        ]
    )


def decode(text: str) -> list[Hit]:
    """Return the hits in `text`. Raises ValueError when it is not what `encode` wrote."""
    try:
        return [_hit(row) for row in json.loads(text)]
    except (TypeError, AttributeError) as error:
        raise ValueError("a journal row of unknown form") from error


def _hit(row: list[object]) -> Hit:
    kind, id_hex, occurred_us, anonymous, link, destination, method, address, user_agent, headers, body = row
    return Hit(
        kind=HitKind(str(kind)),
        id=UUID(hex=str(id_hex)),
        occurred_us=int(str(occurred_us)),
        anonymous=bool(anonymous),
        link=link if isinstance(link, int) else None,
        destination=str(destination),
        method=str(method),
        address=str(address),
        user_agent=str(user_agent),
        headers=headers if isinstance(headers, dict) else {},
        body=str(body),
    )
