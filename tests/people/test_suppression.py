"""The list of addresses that get no mail."""

from __future__ import annotations

from datetime import timedelta

from resonanz.people import Reason, reason_for, restore, suppress, suppressed_among
from resonanz.store import Database, suppressions
from tests.kit.cast import ALMA, BRUNO, CLEO, NOON


def test_the_first_reason_stays_until_the_address_is_restored(database: Database) -> None:
    """A second reason does not hide the first, and its time is not forgotten; restoring begins anew."""
    with database.write() as tx:
        assert suppress(tx, ALMA, Reason.UNSUBSCRIBED, now=NOON, source="edge")
        assert not suppress(tx, ALMA, Reason.BOUNCED, now=NOON + timedelta(days=1), source="relay")
        assert reason_for(tx, ALMA) == "unsubscribed"
        row = suppressions.find_suppression(tx, ALMA)
        assert row is not None
        assert (row.since, row.source) == (NOON, "edge")
        assert restore(
            tx, ALMA, now=NOON, source="dashboard", note="she asked to be written to", actor="olga@x.example"
        )
        assert not restore(tx, ALMA, now=NOON, source="dashboard", note="", actor="olga@x.example")
        assert reason_for(tx, ALMA) is None
        assert suppress(tx, ALMA, Reason.BOUNCED, now=NOON, source="relay", note="550 no such user")
        assert reason_for(tx, ALMA) == "bounced"
        assert [(line.change, line.reason, line.note, line.actor) for line in suppressions.changes_of(tx, ALMA)] == [
            ("added", "unsubscribed", "", ""),
            ("removed", "unsubscribed", "she asked to be written to", "olga@x.example"),
            ("added", "bounced", "550 no such user", ""),
        ]


def test_many_addresses_are_looked_up_at_once(database: Database) -> None:
    """A long list of recipients is checked in a few statements, and only suppressed ones are named."""
    with database.write() as tx:
        suppress(tx, ALMA, Reason.COMPLAINED, now=NOON, source="relay")
        suppress(tx, CLEO, Reason.MANUAL, now=NOON, source="dashboard")
        others = [f"reader{number}@example.org" for number in range(33_000)]
        assert suppressed_among(tx, [*others, ALMA, BRUNO, CLEO]) == {ALMA: "complained", CLEO: "manual"}
        assert suppressed_among(tx, []) == {}
