"""A shared cast: an account, a few people, and mails to them, written down as the rooms above do it, facts included.

    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx)                                  # to Alma, tracked with names
        submission = cast.mailing(tx, recipients=6, opens=TrackingMode.ANONYMOUS)

Nothing here runs by itself: tests ask for what they need, at `NOON` unless they say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from resonanz.ingest import record_all
from resonanz.model import (
    Coverage,
    Event,
    EventKind,
    Hit,
    HitKind,
    MessageState,
    TrackingMode,
    new_id,
    to_microseconds,
)
from resonanz.store import Tx, accounts, contacts, messages
from resonanz.store.messages import Content, Link, Message, Submission

NOON = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)  # a Wednesday, in UTC+1 for those who live by Berlin time

ALMA, BRUNO, CLEO = "alma@example.org", "bruno@example.org", "cleo@example.net"
SENDER = "letters@resonanz.example"
LINKS = (
    Link(0, "https://shop.example/new?colour=blue", "See what is new"),
    Link(1, "https://shop.example/help", "Help"),
)

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
APPLE_PRIVACY = "Mozilla/5.0"
APPLE_RELAY = "172.225.10.20"
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)"


@dataclass(frozen=True, slots=True)
class Cast:
    """One account and three contacts."""

    account_id: UUID
    people: dict[str, UUID]

    @classmethod
    def enter(cls, tx: Tx, *, now: datetime = NOON, address: str = "owner@resonanz.example") -> Cast:
        """Write the account and the contacts."""
        account_id = new_id()
        accounts.add_account(tx, accounts.Account(account_id, address, "Olga Owner", "no-password", now, now))
        people = [(ALMA, "Alma Adler"), (BRUNO, "Bruno Baum"), (CLEO, "")]
        return cls(account_id, contacts.ensure_contacts(tx, people, now))

    def mail(
        self,
        tx: Tx,
        to: str = ALMA,
        *,
        opens: TrackingMode = TrackingMode.INDIVIDUAL,
        clicks: TrackingMode = TrackingMode.INDIVIDUAL,
        state: MessageState = MessageState.SENT,
        now: datetime = NOON,
        subject: str = "What is new in March",
    ) -> Message:
        """Write a submission with one message and return that."""
        (message,) = self.mailing(tx, [to], opens=opens, clicks=clicks, state=state, now=now, subject=subject)[1]
        return message

    def mailing(
        self,
        tx: Tx,
        to: list[str] | int = 3,
        *,
        opens: TrackingMode = TrackingMode.INDIVIDUAL,
        clicks: TrackingMode = TrackingMode.INDIVIDUAL,
        state: MessageState = MessageState.SENT,
        now: datetime = NOON,
        subject: str = "What is new in March",
        source: str = "dashboard",
    ) -> tuple[Submission, list[Message]]:
        """Write a submission with a message for each of these addresses, or for so many made-up ones."""
        addresses = [f"reader{number}@example.org" for number in range(to)] if isinstance(to, int) else to
        known = contacts.ensure_contacts(tx, [(address, "") for address in addresses], now)
        content = Content(new_id(), "rfc822", b"Subject: x\r\n\r\nx\r\n", SENDER, subject, now)
        messages.add_contents(tx, [content])
        messages.add_links(tx, {content.id: LINKS})
        submission = Submission(new_id(), content.id, self.account_id, source, opens, clicks, len(addresses), now)
        messages.add_submissions(tx, [submission])
        rows = [
            Message(
                id=new_id(),
                submission_id=submission.id,
                contact_id=known[address],
                recipient=address,
                sender=SENDER,
                subject=subject,
                header_id=f"<{new_id().hex}@resonanz.example>",
                created_at=now,
                track_opens=opens,
                track_clicks=clicks,
                coverage=Coverage.TRACKABLE,
                untracked_reason="",
                state=MessageState.QUEUED,
                state_at=now,
            )
            for address in addresses
        ]
        messages.add_messages(tx, rows)
        record_all(tx, [event(row, kind, at=now) for kind in _FACTS[state] for row in rows])
        return submission, messages.of_submission(tx, submission.id)


# What has happened to a message that stands so.
_FACTS = {
    MessageState.QUEUED: [EventKind.QUEUED],
    MessageState.SENT: [EventKind.QUEUED, EventKind.SENT],
    MessageState.DELIVERED: [EventKind.QUEUED, EventKind.SENT, EventKind.DELIVERED],
}


def event(message: Message, kind: EventKind, *, at: datetime = NOON, **more: object) -> Event:
    """Return an event about a message, not yet recorded."""
    about: dict[str, object] = {
        "message_id": message.id,
        "submission_id": message.submission_id,
        "recipient": message.recipient,
        "source": "test",
    }
    return Event(kind, at, at, **(about | more))  # type: ignore[arg-type]


def hit(
    message_or_submission: Message | Submission,
    kind: HitKind = HitKind.OPEN,
    *,
    at: datetime = NOON + timedelta(hours=1),
    user_agent: str = OUTLOOK,
    method: str = "GET",
    **more: object,
) -> Hit:
    """Return a hit on a message's own token, or on the shared token of an anonymous submission."""
    if kind in (HitKind.CLICK, HitKind.FILE):
        more = {"link": 0, "destination": LINKS[0].url} | more
    return Hit(
        kind=kind,
        id=message_or_submission.id,
        occurred_us=to_microseconds(at),
        anonymous=isinstance(message_or_submission, Submission),
        user_agent=user_agent,
        method=method,
        **({"address": APPLE_RELAY if user_agent == APPLE_PRIVACY else "192.0.2.7"} | more),  # type: ignore[arg-type]
    )
