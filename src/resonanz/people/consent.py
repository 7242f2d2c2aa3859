"""What each contact allows, and how far one mail to them may be tracked.

Choices are appended, never overwritten: what was chosen last per contact and purpose is in force, whenever it was
written down; the older ones are the proof of what was in force before (GDPR article 7 (1) asks the controller to be
able to show it).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from resonanz.model import InvalidInput, TrackingMode
from resonanz.store import Tx
from resonanz.store.contacts import ConsentRow, add_consent, current_consents
from resonanz.store.text import storable

MAX_SOURCE_CHARACTERS = 500


class Purpose(StrEnum):
    """What a contact is asked about, each apart: one may want the mail and refuse the pixel."""

    MAILING = "mailing"
    OPENS = "opens"
    CLICKS = "clicks"


class Choice(StrEnum):
    """What the contact said."""

    GRANTED = "granted"
    UNCONFIRMED = "unconfirmed"  # mailing alone: asked for, but that it was them is not confirmed yet
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_STRICTEST_FIRST = (TrackingMode.OFF, TrackingMode.ANONYMOUS, TrackingMode.INDIVIDUAL)
_ALLOWS = {
    Choice.GRANTED: TrackingMode.INDIVIDUAL,
    Choice.UNCONFIRMED: TrackingMode.OFF,
    Choice.REFUSED: TrackingMode.OFF,
    Choice.WITHDRAWN: TrackingMode.OFF,
}


def record_choice(
    tx: Tx,
    contact_id: UUID,
    purpose: Purpose,
    choice: Choice,
    *,
    now: datetime,
    source: str,
    text_version: str = "",
    actor: str = "",
) -> None:
    """Append what a contact chose at `now`; it is in force unless they have chosen since.

    `source` says where the choice was made (a form, the preference page, an import), `text_version` which wording the
    contact had before them, `actor` who entered it when the contact did not.
    """
    add_consent(tx, ConsentRow(contact_id, purpose, choice, now, source, text_version, actor))


def enter_choice(
    tx: Tx,
    contact_id: UUID,
    purpose: Purpose,
    choice: Choice,
    *,
    now: datetime,
    source: str,
    actor: str,
    chosen_at: datetime | None = None,
    text_version: str = "",
) -> None:
    """Append what a contact chose, by the word of somebody else (`actor`), who has to say where they said so.

    Raises InvalidInput naming the field: a source that is missing, a moment to come, a state that the purpose cannot
    have.
    """
    refused: list[InvalidInput] = []
    source, text_version = storable(source).strip(), storable(text_version).strip()
    if not source:
        remedy = "say where they said so (a form, a call, a letter): you may have to prove it"
        refused.append(InvalidInput("is missing", where="source", remedy=remedy))
    if max(len(source), len(text_version)) > MAX_SOURCE_CHARACTERS:
        refused.append(InvalidInput(f"has more than {MAX_SOURCE_CHARACTERS} characters", where="source"))
    if chosen_at is not None and chosen_at > now:
        refused.append(InvalidInput("is in the future", where="occurred_at"))
    if choice is Choice.UNCONFIRMED and purpose is not Purpose.MAILING:
        refused.append(InvalidInput("is for mailing alone", where="state"))
    if refused:
        raise InvalidInput.together(refused)
    record_choice(
        tx,
        contact_id,
        purpose,
        choice,
        now=chosen_at or now,
        source=source,
        text_version=text_version,
        actor=actor,
    )


def choices_in_force(tx: Tx, contact_id: UUID) -> dict[Purpose, Choice | None]:
    """Return what is in force for each purpose of one contact; None where they were never asked."""
    current = current_consents(tx, [contact_id])
    return {
        purpose: Choice(state) if (state := current.get((contact_id, purpose))) is not None else None
        for purpose in Purpose
    }


def mailing_choices(tx: Tx, contact_ids: Collection[UUID]) -> dict[UUID, Choice]:
    """Return what these contacts chose last about getting mail; who was never asked is left out."""
    return {
        contact_id: Choice(state)
        for (contact_id, purpose), state in current_consents(tx, contact_ids).items()
        if purpose == Purpose.MAILING
    }


def may_be_mailed(choice: Choice | None, *, marketing: bool) -> bool:
    """Tell whether a contact with this choice about mailing may be written to, suppression apart.

    Marketing needs a grant that is in force; other mail (about an order, say) only that they have not said no.
    """
    if choice is None or choice is Choice.UNCONFIRMED:
        return not marketing
    return choice is Choice.GRANTED


def tracking_modes(
    tx: Tx, contact_ids: Iterable[UUID], *, opens: TrackingMode, clicks: TrackingMode, unknown: TrackingMode
) -> dict[UUID, tuple[TrackingMode, TrackingMode]]:
    """Return for each contact how far (opens, clicks) may be tracked: the lesser of what the sender asks for and what
    the contact allows. `unknown` is the instance's answer for a contact who was never asked."""
    wanted = set(contact_ids)
    recorded = current_consents(tx, wanted)

    def allows(contact_id: UUID, purpose: Purpose) -> TrackingMode:
        state = recorded.get((contact_id, purpose))
        return unknown if state is None else _ALLOWS[Choice(state)]

    return {
        contact_id: (
            lesser(opens, allows(contact_id, Purpose.OPENS)),
            lesser(clicks, allows(contact_id, Purpose.CLICKS)),
        )
        for contact_id in wanted
    }


def lesser(one: TrackingMode, other: TrackingMode) -> TrackingMode:
    """Return the stricter of two modes."""
    return min(one, other, key=_STRICTEST_FIRST.index)


def still_allowed(tx: Tx, message: Tracked) -> tuple[bool, bool]:
    """Return whether (opens, clicks) of this message may still be recorded with its recipient's name."""
    return allowed_among(tx, [message])[message.id]


class Tracked(Protocol):
    """What decides whether a message may still be tracked: a `Message`, or how one stands."""

    @property
    def id(self) -> UUID: ...
    @property
    def contact_id(self) -> UUID | None: ...
    @property
    def track_opens(self) -> TrackingMode: ...
    @property
    def track_clicks(self) -> TrackingMode: ...


def allowed_among(tx: Tx, messages: Collection[Tracked]) -> dict[UUID, tuple[bool, bool]]:
    """Return per message whether (opens, clicks) may still be recorded with the recipient's name.

    Asked when a hit is taken in, so that a withdrawal also silences mail that was sent before it. A message without a
    contact is that of an erased one: nothing personal is recorded of it any more. A contact who was never asked is
    judged by the mode that the message was built with.
    """
    recorded = current_consents(tx, {message.contact_id for message in messages if message.contact_id is not None})
    refused = {key for key, state in recorded.items() if state != Choice.GRANTED}
    individual = TrackingMode.INDIVIDUAL
    if not refused:
        return {
            message.id: (message.track_opens is individual, message.track_clicks is individual)
            if message.contact_id is not None
            else (False, False)
            for message in messages
        }

    def allowed(message: Tracked, mode: TrackingMode, purpose: Purpose) -> bool:
        if message.contact_id is None or mode is not individual:
            return False
        return (message.contact_id, purpose) not in refused

    return {
        message.id: (
            allowed(message, message.track_opens, Purpose.OPENS),
            allowed(message, message.track_clicks, Purpose.CLICKS),
        )
        for message in messages
    }
