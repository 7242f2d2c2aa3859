"""Contacts, and what they allow: consent per purpose, and the suppression list.

Nothing here sends or tracks; it answers whether somebody else may. Addresses are normalised by whoever calls.
"""

from resonanz.people.consent import (
    Choice,
    Purpose,
    allowed_among,
    choices_in_force,
    enter_choice,
    mailing_choices,
    may_be_mailed,
    record_choice,
    still_allowed,
    tracking_modes,
)
from resonanz.people.erasure import is_pseudonym, without_person
from resonanz.people.groups import SMALLEST_GROUP, hides_in_group
from resonanz.people.suppression import Reason, reason_for, restore, suppress, suppressed_among

__all__ = [
    "SMALLEST_GROUP",
    "Choice",
    "Purpose",
    "Reason",
    "allowed_among",
    "choices_in_force",
    "enter_choice",
    "hides_in_group",
    "is_pseudonym",
    "mailing_choices",
    "may_be_mailed",
    "reason_for",
    "record_choice",
    "restore",
    "still_allowed",
    "suppress",
    "suppressed_among",
    "tracking_modes",
    "without_person",
]
