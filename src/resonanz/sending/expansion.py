"""A campaign becomes mails: portion after portion of its audience, each portion one transaction.

Messages, their facts, their rows in the queue and the cursor that says how far it has come are committed together. So
a worker may die at any moment: the next one goes on behind the last portion that was committed, and nobody is left out
or written to twice. Several workers take turns, because each portion holds the campaign's row.

Only so many mails of a campaign wait in the queue at a time. Other mail that is handed in is never behind more than
those, pausing holds few, and a list of any length takes the memory of one portion.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from resonanz import ingest, model
from resonanz.mail.address import parse_address
from resonanz.model import Coverage, Event, EventKind, InvalidInput, MessageState, TemporaryFailure, new_id
from resonanz.people import mailing_choices, may_be_mailed, suppressed_among
from resonanz.sending.campaigns import due_times, fields_of
from resonanz.sending.outcomes import CANCELLED
from resonanz.sending.placeholders import SubjectLine
from resonanz.sending.submit import MAX_SUBJECT_STORED
from resonanz.store import Database, Tx, contacts, lists, queue
from resonanz.store import campaigns as rows
from resonanz.store import messages as message_rows
from resonanz.store.campaigns import Campaign, CampaignState
from resonanz.store.contacts import Contact
from resonanz.store.messages import Content, Message, Submission
from resonanz.store.text import storable

log = structlog.get_logger(__name__)

PORTION = 500  # contacts in one transaction
BACKLOG = 4_000  # mails of one campaign that wait for their first attempt
AHEAD = timedelta(seconds=20)  # how long before they may go out throttled mails are made
IDLE_SECONDS = 0.5
FAILED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Sifted:
    """Some contacts by whether they may be written to."""

    willing: tuple[Contact, ...]
    suppressed: int
    unwilling: int


async def run(database: Database, stopping: asyncio.Event, clock: Callable[[], datetime] = model.now) -> None:
    """Carry campaigns forward until `stopping` is set."""
    while not stopping.is_set():
        try:
            pause = 0.0 if await asyncio.to_thread(advance, database, clock()) else IDLE_SECONDS
        except TemporaryFailure as failure:
            log.error("campaigns have to wait", error=str(failure), in_seconds=FAILED_SECONDS)
            pause = FAILED_SECONDS
        try:
            await asyncio.wait_for(stopping.wait(), pause)
        except TimeoutError:
            continue


def advance(database: Database, now: datetime) -> bool:
    """Take every campaign one step further. Returns whether there is more to do at once. Raises TemporaryFailure.

    A campaign that fails for a reason nobody foresaw does not keep the others waiting.
    """
    with database.read() as tx:
        found = rows.at_work(tx, now)
    went_on = False
    for campaign in found:
        try:
            went_on = _STEPS[campaign.state](database, campaign.id, now) or went_on
        except TemporaryFailure:
            raise
        except Exception:
            log.exception("a campaign cannot go on", campaign=str(campaign.id))
    return went_on


# ── Beginning ───────────────────────────────────────────────────────────────────────────────────────────────────────


def begin(database: Database, campaign_id: UUID, now: datetime) -> bool:
    """Start a campaign whose time has come: from here on its content and its audience stand."""
    with database.write() as tx:
        campaign = rows.get_campaign(tx, campaign_id, lock=True)
        if campaign is None or campaign.state is not CampaignState.SCHEDULED:
            return False
        content_id, submission_id = new_id(), new_id()
        sender = parse_address(campaign.sender).spec
        body = fields_of(campaign).encode()
        message_rows.add_contents(tx, [Content(content_id, "template", body, sender, campaign.subject, now)])
        submission = Submission(
            id=submission_id,
            content_id=content_id,
            account_id=campaign.account_id,
            source="campaign",
            track_opens=campaign.track_opens,
            track_clicks=campaign.track_clicks,
            recipients=0,
            created_at=now,
            bulk=True,
        )
        message_rows.add_submissions(tx, [submission])
        state = {"state": CampaignState.SENDING, "state_at": now, "started_at": now, "submission_id": submission_id}
        rows.change(tx, campaign_id, state)
    log.info("campaign started", campaign=str(campaign_id))
    return True


# ── Going on ────────────────────────────────────────────────────────────────────────────────────────────────────────


def go_on(database: Database, campaign_id: UUID, now: datetime, *, backlog: int = BACKLOG) -> bool:
    """Make the next portion's mails, as far as there is room for them; or find that everything is done."""
    with database.write() as tx:
        campaign = rows.get_campaign(tx, campaign_id, lock=True)
        if campaign is None or campaign.state is not CampaignState.SENDING or campaign.submission_id is None:
            return False
        waiting = queue.count_waiting(tx, campaign.submission_id)
        if campaign.expanded:
            return _finish(tx, campaign, now) if not waiting else False
        room = min(PORTION, backlog - waiting, _released(campaign, now))
        if room <= 0:
            return False
        _expand(tx, campaign, now, room)
        return True


def _released(campaign: Campaign, now: datetime) -> int:
    """How many mails may be made because they may go out soon."""
    if campaign.per_minute is None:
        return PORTION
    if campaign.release_at is not None and campaign.release_at > now + AHEAD:
        return 0
    return max(1, int(campaign.per_minute * AHEAD / timedelta(minutes=1)))


def _expand(tx: Tx, campaign: Campaign, now: datetime, size: int) -> None:
    assert campaign.started_at is not None
    sifted, last = next_portion(
        tx, rows.lists_of(tx, campaign.id), after=campaign.cursor, limit=size, joined_by=campaign.started_at
    )
    due, release_at = due_times(campaign.per_minute, campaign.release_at, now, len(sifted.willing))
    subject = SubjectLine(campaign.subject)
    made = [_message(campaign, contact, subject.of(contact), now) for contact in sifted.willing]
    message_rows.add_messages(tx, made)
    ingest.record_all(tx, [_queued(message, now) for message in made])
    queue.enqueue_each(tx, {message.id: moment for message, moment in zip(made, due, strict=True)})
    assert campaign.submission_id is not None
    audience = campaign.audience + len(made)
    message_rows.set_recipients(tx, campaign.submission_id, audience)
    progress = {
        "cursor": last or campaign.cursor,
        "expanded": last is None,
        "release_at": release_at,
        "audience": audience,
        "suppressed": campaign.suppressed + sifted.suppressed,
        "unwilling": campaign.unwilling + sifted.unwilling,
    }
    rows.change(tx, campaign.id, progress)


def next_portion(
    tx: Tx, list_ids: Collection[UUID], *, after: UUID | None, limit: int, joined_by: datetime
) -> tuple[Sifted, UUID | None]:
    """Return the next contacts on any of these lists, each once, sifted; and the last one looked at, None at the end.

    Whoever came on a list after `joined_by` does not count. Mail to a marketing list needs a consent that is in force;
    who is on another of the lists, too, gets it as that list allows.
    """
    found = lists.next_members(tx, list_ids, after=after, limit=limit, joined_by=joined_by)
    marketing = lists.marketing_among(tx, list_ids)
    people = contacts.get_contacts(tx, list(found))
    reasons = suppressed_among(tx, [contact.address for contact in people.values()])
    choices = mailing_choices(tx, people)
    willing, suppressed, unwilling = [], 0, 0
    for id, on in found.items():
        contact = people.get(id)
        if contact is None or not _is_address(contact.address):
            continue
        if contact.address in reasons:
            suppressed += 1
        elif may_be_mailed(choices.get(id), marketing=on <= marketing):
            willing.append(contact)
        else:
            unwilling += 1
    return Sifted(tuple(willing), suppressed, unwilling), max(found) if found else None


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except InvalidInput:
        return False
    return True


def _message(campaign: Campaign, contact: Contact, subject: str, now: datetime) -> Message:
    assert campaign.submission_id is not None
    return Message(
        id=new_id(),
        submission_id=campaign.submission_id,
        contact_id=contact.id,
        recipient=contact.address,
        sender=parse_address(campaign.sender).spec,
        subject=storable(subject[:MAX_SUBJECT_STORED]),
        header_id=None,
        created_at=now,
        track_opens=campaign.track_opens,
        track_clicks=campaign.track_clicks,
        coverage=Coverage.NOT_TRACKED,  # until it is built
        untracked_reason="",
        state=MessageState.QUEUED,
        state_at=now,
    )


def _queued(message: Message, now: datetime) -> Event:
    return _fact(EventKind.QUEUED, message, now)


def _fact(kind: EventKind, message: Message, now: datetime, **detail: object) -> Event:
    return Event(
        kind=kind,
        occurred_at=now,
        received_at=now,
        source="sending",
        message_id=message.id,
        submission_id=message.submission_id,
        recipient=message.recipient,
        detail=detail,
    )


def _finish(tx: Tx, campaign: Campaign, now: datetime) -> bool:
    state = {"state": CampaignState.FINISHED, "state_at": now, "finished_at": now}
    rows.change(tx, campaign.id, state)
    log.info("campaign finished", campaign=str(campaign.id), messages=campaign.audience)
    return False


# ── Putting away ────────────────────────────────────────────────────────────────────────────────────────────────────


def put_away(database: Database, campaign_id: UUID, now: datetime) -> bool:
    """Take a portion of what a cancelled campaign still has in the queue out of it, and say why in each mail's story.

    What a worker holds right now it finds to be cancelled by itself.
    """
    with database.write() as tx:
        campaign = rows.get_campaign(tx, campaign_id, lock=True)
        if campaign is None or campaign.state is not CampaignState.CANCELLED or campaign.submission_id is None:
            return False
        ids = queue.take_unclaimed(tx, campaign.submission_id, PORTION)
        if not ids:
            rows.change(tx, campaign_id, {"expanded": True})
            return False
        _record_cancelled(tx, ids, now)
    return True


def _record_cancelled(tx: Tx, ids: Sequence[UUID], now: datetime) -> None:
    found = message_rows.get_messages(tx, ids).values()
    facts = [_fact(EventKind.FAILED, message, now, reply=CANCELLED, cancelled=True) for message in found]
    ingest.record_all(tx, facts)


_STEPS: dict[CampaignState, Callable[[Database, UUID, datetime], bool]] = {
    CampaignState.SCHEDULED: begin,
    CampaignState.SENDING: go_on,
    CampaignState.CANCELLED: put_away,
}
