"""A fact as a row, and a row as a fact: by SQLAlchemy, and past it as the driver has it (`store.bulk`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from resonanz.model import (
    Client,
    ClientKind,
    Confidence,
    Event,
    EventKind,
    Place,
    Verdict,
    from_microseconds,
    to_microseconds,
)
from resonanz.store.bulk import WORDS, Ids, Plain, Row
from resonanz.store.tables import events

KINDS = {kind.value: kind for kind in EventKind}
VERDICTS: dict[str | None, Verdict | None] = {None: None, **{verdict.value: verdict for verdict in Verdict}}
_CONFIDENCES: dict[str | None, Confidence | None] = {None: None, **{word.value: word for word in Confidence}}


def values_of(event: Event) -> dict[str, Any]:
    """Return an event's columns by name, its id left out."""
    client, place = event.client or _NO_CLIENT, event.place or _NO_PLACE
    return {
        "kind": event.kind,
        "message_id": event.message_id,
        "submission_id": event.submission_id,
        "recipient": event.recipient,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "source": event.source,
        "source_key": event.source_key,
        "verdict": event.verdict,
        "confidence": event.confidence,
        "reasons": list(event.reasons),
        "client_kind": event.client.kind if event.client else None,
        "client_name": client.name,
        "client_os": client.os,
        "client_device": client.device,
        "country": place.country,
        "region": place.region,
        "city": place.city,
        "timezone": place.timezone,
        "link": event.link,
        "url": event.url,
        "repeat_of": event.repeat_of,
        "detail": dict(event.detail),
    }


def plain_row(event: Event, received_us: int, as_plain: Plain) -> Row:
    """Return an event's columns in their order in the table, for the bulk path."""
    client, place = event.client or _NO_CLIENT, event.place or _NO_PLACE
    return (
        event.id,
        WORDS[event.kind],
        as_plain.id(event.message_id),
        as_plain.id(event.submission_id),
        event.recipient,
        to_microseconds(event.occurred_at),
        received_us,
        event.source,
        event.source_key,
        WORDS[event.verdict],
        WORDS[event.confidence],
        as_plain.words(event.reasons),
        WORDS[client.kind] if event.client is not None else None,
        client.name,
        client.os,
        client.device,
        place.country,
        place.region,
        place.city,
        event.link,
        event.url,
        event.repeat_of,
        as_plain.json(event.detail),
        place.timezone,
    )


_NO_CLIENT, _NO_PLACE = Client(ClientKind.UNKNOWN, ""), Place("")


NAMES = [column.name for column in events.columns]


def read_plain(row: Any, ids: Ids) -> Event:
    """Read the driver's row, for the bulk path; in the order of the table's columns."""
    id, kind, message_id, submission_id, recipient, occurred_us, received_us, source, source_key, *more = row
    verdict, confidence, reasons, *client, country, region, city, link, url, repeat_of, detail, timezone = more
    return Event(
        KINDS[kind],
        from_microseconds(occurred_us),
        from_microseconds(received_us),
        source,
        source_key,
        id,
        None if message_id is None else ids[message_id],
        None if submission_id is None else ids[submission_id],
        recipient,
        VERDICTS[verdict],
        _CONFIDENCES[confidence],
        read_words(reasons),
        _client(*client) if client[0] is not None else None,
        Place(country, region, city, timezone) if country else None,
        link,
        url,
        repeat_of,
        _detail(detail) if isinstance(detail, str) else detail,
    )


def read_words(words: str | list[str]) -> tuple[str, ...]:
    """Read a list of words, as SQLite's driver gives it or PostgreSQL's."""
    return _words_of(words) if isinstance(words, str) else tuple(words)


# The same few programs, lists of words and small objects come thousands of times.
@lru_cache(maxsize=1_000)
def _words_of(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


@lru_cache(maxsize=1_000)
def _client(kind: str, name: str, os: str, device: str) -> Client:
    return Client(ClientKind(kind), name, os, device)


@lru_cache(maxsize=1_000)
def _detail(text: str) -> Mapping[str, object]:
    return dict(json.loads(text))


def event_of(row: Any) -> Event:
    """Read a row as SQLAlchemy gives it."""
    return Event(
        id=row.id,
        kind=row.kind,
        message_id=row.message_id,
        submission_id=row.submission_id,
        recipient=row.recipient,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        source=row.source,
        source_key=row.source_key,
        verdict=row.verdict,
        confidence=row.confidence,
        reasons=tuple(row.reasons),
        client=Client(row.client_kind, row.client_name, row.client_os, row.client_device) if row.client_kind else None,
        place=Place(row.country, row.region, row.city, row.timezone) if row.country else None,
        link=row.link,
        url=row.url,
        repeat_of=row.repeat_of,
        detail=row.detail,
    )


# ── What a correction changes ───────────────────────────────────────────────────────────────────────────────────────

JUDGED = ("verdict", "confidence", "reasons", "country", "region", "city", "timezone", "detail")


def judged_row(event: Event, as_plain: Plain) -> Row:
    """Return the columns of `JUDGED`, and the id."""
    place = event.place or _NO_PLACE
    return (
        WORDS[event.verdict],
        WORDS[event.confidence],
        as_plain.words(event.reasons),
        place.country,
        place.region,
        place.city,
        place.timezone,
        as_plain.json(event.detail),
        event.id,
    )
