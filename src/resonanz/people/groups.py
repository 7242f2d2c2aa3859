"""Small groups: when a number without names still names somebody."""

from __future__ import annotations

SMALLEST_GROUP = 5


def hides_in_group(recipients: int) -> bool:
    """Tell whether anonymous counts over so many recipients may be shown without pointing at one of them."""
    return recipients >= SMALLEST_GROUP
