"""Where an event takes a message: the whole state machine, as a table.

    queued ─ sending ─ sent ─ delivered
       └─ deferred ─┘     └─ bounced
       └─ suppressed, failed, uncertain

An event that is not in the table, or comes in a state it does not lead out of, leaves the state alone.
"""

from __future__ import annotations

from resonanz.model import Event, EventKind, MessageState, Who, to_microseconds
from resonanz.store.standings import Standing

_ON_ITS_WAY = frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.DEFERRED, MessageState.UNCERTAIN})
_LEFT_US = frozenset({MessageState.SENT, MessageState.UNCERTAIN})
_NOT_SETTLED = _ON_ITS_WAY | {MessageState.SENT}

# kind → (states it leads out of, the state it leads to)
TRANSITIONS: dict[EventKind, tuple[frozenset[MessageState], MessageState]] = {
    EventKind.SENT: (_ON_ITS_WAY, MessageState.SENT),
    EventKind.DEFERRED: (_ON_ITS_WAY, MessageState.DEFERRED),
    EventKind.SUPPRESSED: (_ON_ITS_WAY, MessageState.SUPPRESSED),
    EventKind.FAILED: (_ON_ITS_WAY, MessageState.FAILED),
    # A bounce that arrives later outweighs earlier signs of delivery: a gateway may accept what the mailbox refuses.
    EventKind.BOUNCED: (_NOT_SETTLED | {MessageState.DELIVERED}, MessageState.BOUNCED),
    EventKind.DELIVERED: (_NOT_SETTLED, MessageState.DELIVERED),
    # What only somebody can do who has the mail proves that it arrived.
    EventKind.OPENED: (_LEFT_US, MessageState.DELIVERED),
    EventKind.SHOWN: (_LEFT_US, MessageState.DELIVERED),
    EventKind.CLICKED: (_LEFT_US, MessageState.DELIVERED),
    EventKind.DOWNLOADED: (_LEFT_US, MessageState.DELIVERED),
    EventKind.UNSUBSCRIBED: (_LEFT_US, MessageState.DELIVERED),
    EventKind.PREFERRED: (_LEFT_US, MessageState.DELIVERED),
    EventKind.COMPLAINED: (_LEFT_US, MessageState.DELIVERED),
    EventKind.REPLIED: (_LEFT_US, MessageState.DELIVERED),
    EventKind.AUTORESPONDED: (_LEFT_US, MessageState.DELIVERED),
    EventKind.DISPLAYED: (_LEFT_US, MessageState.DELIVERED),
}


def move(standing: Standing, event: Event) -> bool:
    """Take the message to where this event leads, and return whether it leads anywhere.

    `detail["reply"]`, what the other server said, becomes the note beside the state. A failure with
    `detail["uncertain"]` means that the mail was on the wire when its worker died.
    """
    transition = TRANSITIONS.get(event.kind)
    if transition is None or standing.state not in transition[0] or _proves_nothing(event):
        return False
    target = transition[1]
    if event.kind is EventKind.FAILED and event.detail.get("uncertain"):
        target = MessageState.UNCERTAIN
    standing.state = target
    standing.state_at = to_microseconds(event.occurred_at)
    standing.state_note = str(event.detail.get("reply", ""))
    return True


def _proves_nothing(event: Event) -> bool:
    """Machines look into a mail before it is accepted as well as after."""
    return event.verdict is not None and event.verdict.who is Who.MACHINE
