"""The state machine of a message: an event moves it along the table, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from resonanz.ingest.projections import apply
from resonanz.ingest.transitions import TRANSITIONS
from resonanz.model import (
    Coverage,
    Event,
    EventKind,
    MessageState,
    TrackingMode,
    Verdict,
    Who,
    from_microseconds,
    new_id,
    to_microseconds,
)
from resonanz.store.standings import Standing
from tests.kit.cast import ALMA, NOON

LATER = NOON + timedelta(hours=1)


def standing(state: MessageState) -> Standing:
    mode = TrackingMode.INDIVIDUAL
    ids, noon = (new_id(), new_id(), new_id()), to_microseconds(NOON)
    return Standing(*ids, ALMA, noon, mode, mode, Coverage.TRACKABLE, None, state, noon)


def happening(kind: EventKind, **more: object) -> Event:
    return Event(kind, LATER, LATER, "test", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", list(MessageState))
@pytest.mark.parametrize("kind", list(EventKind))
def test_an_event_moves_a_message_only_along_the_table(kind: EventKind, state: MessageState) -> None:
    """From every state, every kind of event leads where the table says, with time and note, or nowhere."""
    message = standing(state)
    apply(message, happening(kind, detail={"reply": "said so"}))
    origins, target = TRANSITIONS.get(kind, (frozenset(), state))
    expected = (target, LATER, "said so") if state in origins else (state, NOON, "")
    assert (message.state, from_microseconds(message.state_at), message.state_note) == expected


@pytest.mark.parametrize("kind", list(EventKind))
def test_a_repeat_moves_nothing(kind: EventKind) -> None:
    """What was folded into an earlier event has said all it had to say."""
    message = standing(MessageState.SENT)
    apply(message, happening(kind, repeat_of=1))
    assert message.state is MessageState.SENT


def test_settled_for_good_stays_settled() -> None:
    """No event leads out of bounced, failed or suppressed: what was decided is not undone by a late open."""
    settled = {MessageState.BOUNCED, MessageState.FAILED, MessageState.SUPPRESSED}
    assert all(not origins & settled for origins, _ in TRANSITIONS.values())


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("kind", [EventKind.OPENED, EventKind.CLICKED])
def test_only_what_is_no_machine_proves_delivery(kind: EventKind, verdict: Verdict) -> None:
    """Gateways open mail and follow links before they accept it; whoever it was is counted on their side."""
    message = standing(MessageState.SENT)
    apply(message, happening(kind, verdict=verdict))
    machine = verdict.who is Who.MACHINE
    assert message.state is (MessageState.SENT if machine else MessageState.DELIVERED)
    counted = {"opened": "opens", "clicked": "clicks"}[kind]
    assert {side: getattr(message, f"{counted}_{side}") for side in Who} == {
        side: int(side is verdict.who) for side in Who
    }
    first = message.first_opened_at if kind is EventKind.OPENED else message.first_clicked_at
    assert first == (to_microseconds(LATER) if verdict.who is Who.HUMAN else None)


def test_applying_says_whether_anything_changed() -> None:
    """What changes nothing need not be written: a machine's repeat, or a kind that projects nothing."""
    message = standing(MessageState.BOUNCED)
    assert not apply(message, happening(EventKind.VISITED))
    assert not apply(message, happening(EventKind.OPENED, verdict=Verdict.MACHINE_SCANNER, repeat_of=1))
    assert apply(message, happening(EventKind.OPENED, verdict=Verdict.MACHINE_SCANNER))
    assert apply(message, happening(EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT, repeat_of=1))
