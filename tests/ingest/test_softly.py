"""Soft bounces in a row: counted with the contact, ended by what arrives, and too many give the address up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from resonanz.ingest import rebuild, record_all
from resonanz.ingest.softly import SOFT_BOUNCES
from resonanz.model import Event, EventKind, MessageState, Verdict
from resonanz.people import reason_for, restore
from resonanz.people.contacts import Details, change_contact
from resonanz.store import Database, Tx
from resonanz.store.tables import contacts
from tests.kit.cast import ALMA, BRUNO, NOON, Cast, event

SOFT, HARD = {"bounce": "soft", "reply": "452 mailbox full"}, {"bounce": "hard"}


def bounces(tx: Tx, cast: Cast, times: int, *, to: str = ALMA, detail: dict[str, str] = SOFT) -> None:
    """Let so many mails to somebody come back, one after the other."""
    for _ in range(times):
        record_all(tx, [event(cast.mail(tx, to), EventKind.BOUNCED, detail=detail)])


def runs(tx: Tx) -> dict[str, int]:
    """Return how many soft bounces in a row are counted, by address; who has none is left out."""
    rows = tx.execute(select(contacts.c.address, contacts.c.soft_bounces).where(contacts.c.soft_bounces > 0))
    return {row.address: row.soft_bounces for row in rows}


def test_too_many_in_a_row_give_the_address_up(database: Database) -> None:
    """Four soft bounces suppress nobody, the fifth does; hard ones and other people's are not among them."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        bounces(tx, cast, SOFT_BOUNCES - 1)
        bounces(tx, cast, 2, to=BRUNO)
        assert reason_for(tx, ALMA) is None
        bounces(tx, cast, 1)
        assert (reason_for(tx, ALMA), reason_for(tx, BRUNO)) == ("soft_bounced", None)
        bounces(tx, cast, 1, to=BRUNO, detail=HARD)
        assert reason_for(tx, BRUNO) == "bounced"
        assert runs(tx) == {ALMA: SOFT_BOUNCES, BRUNO: 2}
    assert rebuild(database).contacts_changed == 0


def test_the_same_message_bouncing_again_counts_once(database: Database) -> None:
    """A second report about a mail that is back already adds nothing."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
        record_all(tx, [event(message, EventKind.BOUNCED, detail=SOFT) for _ in range(9)])
        assert runs(tx) == {ALMA: 1}


@pytest.mark.parametrize(
    ("arrival", "ends"),
    [
        ({"kind": EventKind.DELIVERED}, True),
        ({"kind": EventKind.REPLIED}, True),
        ({"kind": EventKind.OPENED, "verdict": Verdict.HUMAN_DIRECT}, True),
        ({"kind": EventKind.OPENED, "verdict": Verdict.MACHINE_SCANNER}, False),
        ({"kind": EventKind.DEFERRED}, False),
    ],
)
def test_what_arrives_ends_the_row(database: Database, arrival: dict[str, object], ends: bool) -> None:
    """Evidence that a mail reached its recipient begins the count anew; a machine's look and a delay do not."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        bounces(tx, cast, SOFT_BOUNCES - 1)
        told = dict(arrival)
        record_all(tx, [event(cast.mail(tx), told.pop("kind"), **told)])  # type: ignore[arg-type]
        assert runs(tx) == ({} if ends else {ALMA: SOFT_BOUNCES - 1})
        bounces(tx, cast, 1)
        assert (reason_for(tx, ALMA) is None) is ends
    assert rebuild(database).contacts_changed == 0


def test_several_in_one_batch_count_in_their_order(database: Database) -> None:
    """What one transaction records is counted as if each had come by itself."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        batch: list[Event] = []
        for kind in (EventKind.BOUNCED, EventKind.BOUNCED, EventKind.DELIVERED, EventKind.BOUNCED):
            batch.append(event(cast.mail(tx), kind, detail=SOFT if kind is EventKind.BOUNCED else {}))
        record_all(tx, batch)
        assert runs(tx) == {ALMA: 1}


def test_an_address_put_back_on_begins_anew(database: Database) -> None:
    """After somebody lifted the suppression it takes five more, also by a rebuild."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        bounces(tx, cast, SOFT_BOUNCES)
        assert restore(tx, ALMA, now=NOON + timedelta(hours=1), source="dashboard", note="works again", actor="o@x.org")
        assert runs(tx) == {}
    assert rebuild(database).contacts_changed == 0
    with database.read() as tx:
        assert runs(tx) == {}


def test_bounces_of_an_old_address_say_nothing_about_the_new(database: Database) -> None:
    """Who changes their address begins anew; a late bounce of a mail to the old one is not counted."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        late = cast.mail(tx)
        bounces(tx, cast, SOFT_BOUNCES - 1)
        change_contact(tx, cast.people[ALMA], Details(), NOON, address="alma.new@example.org")
        record_all(tx, [event(late, EventKind.BOUNCED, detail=SOFT)])
        assert runs(tx) == {}
    assert rebuild(database).contacts_changed == 0


def test_a_rebuild_mends_the_count(database: Database) -> None:
    """Counts that are not as the facts say are brought back, and nobody is suppressed or restored by it."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        bounces(tx, cast, 3)
        assert cast.mail(tx, state=MessageState.SENT)
        tx.execute(update(contacts).values(soft_bounces=9))
    assert rebuild(database).contacts_changed == 3
    with database.read() as tx:
        assert runs(tx) == {ALMA: 3}
        assert reason_for(tx, ALMA) is None
