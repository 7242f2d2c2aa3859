"""Whose hits are not to be recorded any more, in the form in which the edge is told."""

from __future__ import annotations

from resonanz.people.consent import Choice, Purpose
from resonanz.snapshot import IdSet
from resonanz.store import Tx
from resonanz.store.silence import silent_messages


def silent_ids(tx: Tx, limit: int) -> tuple[IdSet, IdSet, IdSet, int]:
    """Return the messages of which nothing, no opens, and no clicks may be recorded by name; each is in one set only.

    At most `limit` ids, those of the newest messages; the last figure says how many were left out. The sets agree with
    `consent.allowed_among`, which decides when a hit is taken in.
    """
    taken = left_out = 0
    wholly: list[bytes] = []
    opens: list[bytes] = []
    clicks: list[bytes] = []
    for portion in silent_messages(tx, opens=Purpose.OPENS, clicks=Purpose.CLICKS, granted=Choice.GRANTED):
        kept = [one for one in portion if one.opens or one.clicks]
        fitting = kept[: limit - taken]
        taken += len(fitting)
        left_out += len(kept) - len(fitting)
        wholly.append(_oldest_first([one.id for one in fitting if one.opens and one.clicks]))
        opens.append(_oldest_first([one.id for one in fitting if one.opens and not one.clicks]))
        clicks.append(_oldest_first([one.id for one in fitting if one.clicks and not one.opens]))
    return _whole(wholly), _whole(opens), _whole(clicks), left_out


def _oldest_first(ids: list[bytes]) -> bytes:
    return b"".join(reversed(ids))


def _whole(portions: list[bytes]) -> IdSet:
    """Join portions that came newest first into one ascending run; a million single ids would take five times the
    room."""
    return IdSet(b"".join(reversed(portions)))
