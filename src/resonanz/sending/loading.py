"""What the database knows about claimed messages, asked for all of them at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from resonanz.mail import parse_address
from resonanz.model import TrackingMode
from resonanz.people import hides_in_group, suppressed_among, tracking_modes
from resonanz.sending.building import Work
from resonanz.sending.domains import TrackingHosts
from resonanz.sending.drafts import OWN
from resonanz.sending.rules import RULE_REASONS
from resonanz.sending.transports.base import ALL_WISHES, Wishes
from resonanz.store import Tx, contacts, messages
from resonanz.store.blocks import blocked_among
from resonanz.store.campaigns import standing_still
from resonanz.store.messages import Message, Submission
from resonanz.store.opens import NO_PAST, past_of
from resonanz.store.queue import Claim
from resonanz.store.wanted import Wanted, find_wanted

SMALL = 65_536  # bytes of a content that is loaded together with its message, so often as mails are claimed at a time

Modes = tuple[TrackingMode, TrackingMode]
_UNTRACKED: Modes = (TrackingMode.OFF, TrackingMode.OFF)


def load(
    tx: Tx, claims: Sequence[Claim], unknown: TrackingMode, edge_url: str, *, reports_to_us: bool = True
) -> list[Work]:
    """Return the work that these claims are. A message that is gone, and its row in the queue with it, is left out.

    Blocks, suppression and consent are asked here, because much may have happened since the mail was queued. Links lead
    to the sender's custom domain where there is one that works, else to `edge_url`. Unless reports come back
    `reports_to_us`, the next server reports to the sender, and only what they asked for.
    """
    found = messages.get_messages(tx, [claim.message_id for claim in claims])
    submissions = messages.get_submissions(tx, {message.submission_id for message in found.values()})
    addresses = {message.id: parse_address(message.recipient).normalised for message in found.values()}
    suppressed = suppressed_among(tx, set(addresses.values()))
    people = [message.contact_id for message in found.values() if message.contact_id is not None]
    known = contacts.get_contacts(tx, people)
    modes = _modes(tx, found.values(), submissions, unknown)
    blocked = blocked_among(tx, submissions.keys())
    still = standing_still(tx, submissions.keys())
    wishes = {} if reports_to_us else _wishes(tx, found.values())
    hosts = TrackingHosts.load(tx, edge_url)
    pasts = past_of(tx, people)
    # What many get is fetched once and kept by whoever builds it.
    single = {one.id: one.content_id for one in submissions.values() if one.recipients == 1}
    contents = messages.small_contents(tx, single.values(), most=SMALL)
    return [
        Work(
            claim=claim,
            message=message,
            submission=submissions[message.submission_id],
            contact=known.get(message.contact_id) if message.contact_id else None,
            # A notice, or an answer, is for whoever handed a mail in, whatever they chose as a recipient.
            suppressed=""
            if submissions[message.submission_id].source in OWN
            else suppressed.get(addresses[message.id], ""),
            wishes=wishes.get(message.id, ALL_WISHES),
            blocked=message.submission_id in blocked,
            standing_still=still.get(message.submission_id),
            content=contents.get(single[message.submission_id]) if message.submission_id in single else None,
            base_url=hosts.for_sender(message.sender),
            past=pasts.get(message.contact_id, NO_PAST) if message.contact_id else NO_PAST,
            allowed=_UNTRACKED if message.untracked_reason in RULE_REASONS else modes.get(message.id, _UNTRACKED),
        )
        for claim in claims
        if (message := found.get(claim.message_id)) is not None
    ]


def _wishes(tx: Tx, found: Collection[Message]) -> dict[UUID, Wishes]:
    wanted = find_wanted(tx, [message.id for message in found])
    return {message.id: _wish(wanted.get(message.id)) for message in found}


def _wish(wanted: Wanted | None) -> Wishes:
    if wanted is None:
        return Wishes(notify="FAILURE,DELAY")
    asked = {"SUCCESS": wanted.on_success, "FAILURE": wanted.on_failure, "DELAY": wanted.on_delay}
    words = ",".join(word for word, is_asked in asked.items() if is_asked) or "NEVER"
    return Wishes(words, wanted.whole, wanted.envelope_id, wanted.original_recipient)


def _modes(
    tx: Tx, found: Collection[Message], submissions: Mapping[UUID, Submission], unknown: TrackingMode
) -> dict[UUID, Modes]:
    """Return per message the lesser of what its sender asked for and what its contact allows. One whose contact was
    erased is left out: nobody is there who could allow anything."""
    asked: dict[Modes, dict[UUID, UUID]] = {}
    for message in found:
        if message.contact_id is not None:
            asked.setdefault(_asked(submissions[message.submission_id]), {})[message.id] = message.contact_id
    modes: dict[UUID, Modes] = {}
    for (opens, clicks), contact_of in asked.items():
        allowed = tracking_modes(tx, contact_of.values(), opens=opens, clicks=clicks, unknown=unknown)
        modes |= {message_id: allowed[contact_id] for message_id, contact_id in contact_of.items()}
    few = {id for id, one in submissions.items() if _points_at_few(one)}
    return modes | {
        message.id: _as_one_of_few(modes[message.id])
        for message in found
        if message.submission_id in few and message.id in modes
    }


def _points_at_few(submission: Submission) -> bool:
    """Whether what is counted for its group says something about each of them: a copy shared by a few."""
    return submission.shared and not hides_in_group(submission.recipients)


def _asked(submission: Submission) -> Modes:
    """What its sender asks each recipient's consent for: to be one of a few is as much as to be named."""
    asked = submission.track_opens, submission.track_clicks
    if not _points_at_few(submission):
        return asked
    opens, clicks = (TrackingMode.OFF if mode is TrackingMode.OFF else TrackingMode.INDIVIDUAL for mode in asked)
    return opens, clicks


def _as_one_of_few(allowed: Modes) -> Modes:
    opens, clicks = (
        TrackingMode.ANONYMOUS if mode is TrackingMode.INDIVIDUAL else TrackingMode.OFF for mode in allowed
    )
    return opens, clicks
