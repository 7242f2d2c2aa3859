"""From a queued message to the bytes that go out: the steps before delivery, in order.

Each step takes the work so far and returns it with something added, or with an outcome, which ends the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from resonanz.mail import Tracking, parse_address
from resonanz.mail import instrument as instrument_mail
from resonanz.mail.tracking import Instrumented
from resonanz.model import InvalidInput, MessageState, TrackingMode
from resonanz.people import reason_for, tracking_modes
from resonanz.sending import outcomes
from resonanz.sending.copies import Copy, Fields, compose_copy, header_id_for, prepare_copy
from resonanz.sending.outcomes import Outcome
from resonanz.store import Tx, contacts
from resonanz.store.messages import Content, Link, Message, Submission
from resonanz.store.queue import Claim
from resonanz.tokens import Keys

MAX_LABEL_CHARACTERS = 200

_STILL_TO_SEND = frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.DEFERRED, MessageState.UNCERTAIN})


@dataclass(frozen=True, slots=True)
class Workshop:
    """What building needs of the instance."""

    keys: Keys
    edge_url: str
    unknown: Callable[[Tx], TrackingMode]


@dataclass(frozen=True, slots=True)
class Work:
    """One message on its way through the steps."""

    claim: Claim
    message: Message
    submission: Submission
    content: Content
    opens: TrackingMode = TrackingMode.OFF
    clicks: TrackingMode = TrackingMode.OFF
    copy: Copy | None = None
    built: Instrumented | None = None
    outcome: Outcome | None = None

    def ended(self, outcome: Outcome) -> Work:
        """Return this work with its outcome: no further step is taken."""
        return replace(self, outcome=outcome)


Step = Callable[[Workshop, Tx, Work], Work]


def skip_settled(workshop: Workshop, tx: Tx, work: Work) -> Work:
    """Leave alone what evidence has settled since it was queued: a mail that was opened need not be sent again."""
    if work.message.state in _STILL_TO_SEND:
        return work
    return work.ended(outcomes.nothing_to_do())


def check_suppression(workshop: Workshop, tx: Tx, work: Work) -> Work:
    """Stop at the suppression list; asked now, because much may have happened since the mail was queued."""
    reason = reason_for(tx, parse_address(work.message.recipient).normalised)
    return work if reason is None else work.ended(outcomes.suppressed(reason))


def choose_tracking(workshop: Workshop, tx: Tx, work: Work) -> Work:
    """Take the lesser of what the sender asked for and what the contact allows. Who is gone allows nothing."""
    contact_id = work.message.contact_id
    if contact_id is None:
        return work
    asked = work.submission
    modes = tracking_modes(
        tx, [contact_id], opens=asked.track_opens, clicks=asked.track_clicks, unknown=workshop.unknown(tx)
    )
    opens, clicks = modes[contact_id]
    return replace(work, opens=opens, clicks=clicks)


def personalise(workshop: Workshop, tx: Tx, work: Work) -> Work:
    """Make this recipient's copy."""
    message, content = work.message, work.content
    header_id = header_id_for(message.id, message.sender.rpartition("@")[2])
    if content.form == "rfc822":
        copy = prepare_copy(content.body, header_id=header_id, date=message.created_at)
        return replace(work, copy=copy)
    address = parse_address(message.recipient)
    contact = contacts.find_contact(tx, address.normalised)
    to = str(replace(address, name=contact.name if contact else ""))
    try:
        copy = compose_copy(Fields.decode(content.body), to=to, header_id=header_id, date=message.created_at)
    except InvalidInput as error:
        return work.ended(outcomes.failed(str(error)))
    return replace(work, copy=copy)


def instrument(workshop: Workshop, tx: Tx, work: Work) -> Work:
    """Add pixel and links. On any doubt the mail goes out as it is, and the reason is kept."""
    assert work.copy is not None
    tracking = Tracking(
        base_url=workshop.edge_url,
        keys=workshop.keys,
        message=work.message.id,
        campaign=work.submission.id,
        opens=work.opens,
        clicks=work.clicks,
    )
    built = instrument_mail(work.copy.message, tracking)
    return replace(work, built=built, copy=replace(work.copy, message=built.message))


STEPS: tuple[Step, ...] = (skip_settled, check_suppression, choose_tracking, personalise, instrument)


def build(workshop: Workshop, tx: Tx, work: Work) -> Work:
    """Go through the steps until one of them ends the way."""
    for step in STEPS:
        work = step(workshop, tx, work)
        if work.outcome is not None:
            return work
    return work


def links_of(work: Work) -> list[Link]:
    """Return the links of the mail that was built, for reports to name them by."""
    built = work.built
    found = built.links.values() if built is not None else ()
    return [Link(link.index, link.destination, " ".join(link.text.split())[:MAX_LABEL_CHARACTERS]) for link in found]
