"""What contacts allow decides how far their mail is tracked."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from resonanz.model import TrackingMode, new_id
from resonanz.people import (
    Choice,
    Purpose,
    mailing_choices,
    may_be_mailed,
    record_choice,
    still_allowed,
    tracking_modes,
)
from resonanz.store import Database, messages
from resonanz.store.contacts import ensure_contacts
from tests.kit.cast import ALMA, BRUNO, NOON, Cast
from tests.kit.rows import update_message

OFF, ANONYMOUS, INDIVIDUAL = TrackingMode.OFF, TrackingMode.ANONYMOUS, TrackingMode.INDIVIDUAL


def test_the_lesser_of_what_is_asked_for_and_what_is_allowed(database: Database) -> None:
    """A sender never gets more than the contact allows, and a contact never gives more than the sender asks for."""
    order = [OFF, ANONYMOUS, INDIVIDUAL]
    with database.write() as tx:
        for choice in (None, *Choice):
            alma = ensure_contacts(tx, [(f"{choice}@example.org", "")], NOON)[f"{choice}@example.org"]
            if choice is not None:
                record_choice(tx, alma, Purpose.OPENS, choice, now=NOON, source="form")
            for asked, unknown in product(TrackingMode, TrackingMode):
                modes = tracking_modes(tx, [alma], opens=asked, clicks=asked, unknown=unknown)
                allowed = {None: unknown, Choice.GRANTED: INDIVIDUAL}.get(choice, OFF)
                opens, clicks = modes[alma]
                assert order.index(opens) == min(order.index(asked), order.index(allowed))
                assert order.index(clicks) == min(order.index(asked), order.index(unknown)), "purposes stand apart"
        assert tracking_modes(tx, [], opens=OFF, clicks=OFF, unknown=OFF) == {}


def test_the_newest_choice_is_in_force_for_each_contact_apart(database: Database) -> None:
    """Changing one's mind counts, and only for oneself; also when two choices bear the same time."""
    with database.write() as tx:
        people = Cast.enter(tx).people
        for choice in (Choice.GRANTED, Choice.WITHDRAWN, Choice.GRANTED, Choice.WITHDRAWN):
            record_choice(tx, people[ALMA], Purpose.CLICKS, choice, now=NOON, source="preferences")
        record_choice(tx, people[BRUNO], Purpose.CLICKS, Choice.GRANTED, now=NOON, source="import")
        stranger = new_id()
        modes = tracking_modes(
            tx, [people[ALMA], people[BRUNO], stranger], opens=OFF, clicks=INDIVIDUAL, unknown=ANONYMOUS
        )
    assert modes == {people[ALMA]: (OFF, OFF), people[BRUNO]: (OFF, INDIVIDUAL), stranger: (OFF, ANONYMOUS)}


def test_modes_of_more_contacts_than_one_statement_can_name(database: Database) -> None:
    """A submission to a whole list asks for all of them at once."""
    everybody = {new_id() for _ in range(33_000)}
    with database.read() as tx:
        modes = tracking_modes(tx, everybody, opens=INDIVIDUAL, clicks=OFF, unknown=ANONYMOUS)
    assert modes.keys() == everybody
    assert set(modes.values()) == {(ANONYMOUS, OFF)}


def test_a_withdrawal_silences_mail_that_was_sent_before(database: Database) -> None:
    """What was allowed when the mail went out may be forbidden when it is opened."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)
        assert still_allowed(tx, message) == (True, True)
        record_choice(
            tx,
            cast.people[ALMA],
            Purpose.OPENS,
            Choice.WITHDRAWN,
            now=NOON + timedelta(days=1),
            source="preferences",
        )
        assert still_allowed(tx, message) == (False, True)


def test_a_mail_built_without_names_stays_without(database: Database) -> None:
    """Consent given later does not reach back to a mail that was built anonymous or untracked."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx, opens=ANONYMOUS, clicks=OFF)
        for purpose in (Purpose.OPENS, Purpose.CLICKS):
            record_choice(tx, cast.people[ALMA], purpose, Choice.GRANTED, now=NOON, source="form")
        assert still_allowed(tx, message) == (False, False)


def test_nothing_is_recorded_of_an_erased_contact(database: Database) -> None:
    """A message that lost its contact by erasure is nobody's any more."""
    with database.write() as tx:
        message = Cast.enter(tx).mail(tx)
        update_message(tx, message.id, {"contact_id": None})
        erased = messages.get_message(tx, message.id)
        assert erased is not None
        assert still_allowed(tx, erased) == (False, False)


@pytest.mark.parametrize(
    ("choice", "marketing", "other"),
    [
        (None, False, True),
        (Choice.UNCONFIRMED, False, True),
        (Choice.GRANTED, True, True),
        (Choice.REFUSED, False, False),
        (Choice.WITHDRAWN, False, False),
    ],
)
def test_marketing_needs_a_grant_and_other_mail_no_refusal(
    database: Database, choice: Choice | None, marketing: bool, other: bool
) -> None:
    """Silence and an address nobody has confirmed yet are no consent to marketing; a no is a no to everything."""
    with database.write() as tx:
        people = Cast.enter(tx).people
        record_choice(tx, people[BRUNO], Purpose.OPENS, Choice.GRANTED, now=NOON, source="form")
        if choice is not None:
            record_choice(tx, people[ALMA], Purpose.MAILING, choice, now=NOON, source="form")
        chosen = mailing_choices(tx, people.values())
        assert chosen == ({} if choice is None else {people[ALMA]: choice})
        assert may_be_mailed(chosen.get(people[ALMA]), marketing=True) is marketing
        assert may_be_mailed(chosen.get(people[ALMA]), marketing=False) is other
