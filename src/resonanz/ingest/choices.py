"""Choices made on the preference page: an act that follows from the fact at once, within its batch and its transaction.

Like suppression it is no projection: a rebuild must not undo what somebody chose since.
"""

from __future__ import annotations

from datetime import datetime

from resonanz.ingest.pipeline import Surroundings
from resonanz.ingest.sources.edge import tracking_chosen, wording_seen
from resonanz.model import Hit, from_microseconds
from resonanz.people import Choice, Purpose, allowed_among, record_choice
from resonanz.store import Tx

SOURCE = "preferences page"

_CHOICES = {"off": Choice.WITHDRAWN, "on": Choice.GRANTED}


def follow_choice(tx: Tx, hit: Hit, around: Surroundings, now: datetime) -> None:
    """Record what the contact of a hit's message chose, and let it count for every hit behind it.

    The hit has passed the pipeline: it is a known choice, and its message has a contact.
    """
    contact_id = around.standings[hit.id].contact_id
    assert contact_id is not None
    # An edge whose clock is ahead must not hold off the choices that come after this one.
    chosen_at = min(from_microseconds(hit.occurred_us), now)
    for purpose in (Purpose.OPENS, Purpose.CLICKS):
        record_choice(
            tx,
            contact_id,
            purpose,
            _CHOICES[tracking_chosen(hit)],
            now=chosen_at,
            source=SOURCE,
            text_version=wording_seen(hit),
        )
    theirs = [standing for standing in around.standings.values() if standing.contact_id == contact_id]
    around.allowed.update(allowed_among(tx, theirs))
