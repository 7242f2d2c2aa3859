"""Campaigns for tests: lists of contacts who agreed, and a worker's steps without a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from resonanz.model import new_id
from resonanz.sending import campaigns, expansion
from resonanz.sending.campaigns import Plan
from resonanz.store import Database, contacts, lists
from resonanz.store.campaigns import Campaign
from resonanz.store.contacts import ConsentRow, Contact
from resonanz.store.lists import MailingList
from resonanz.store.rows import insert_missing
from resonanz.store.tables import attributes, messages
from tests.kit.mails import NOW

HTML = (
    '<html><body><p>Dear {{ contact.name|default("reader") }},</p>'
    '<p><a href="https://shop.example/?c={{ contact.number }}">Look</a></p>'
    '<p><a href="{{ unsubscribe_url }}">Leave</a></p></body></html>'
)


def add_list(database: Database, name: str, *, marketing: bool = True) -> UUID:
    """Make a list."""
    one = MailingList(new_id(), name, "", marketing, NOW)
    number = {"name": "number", "label": "Number", "kind": "number", "choices": [], "created_at": NOW}
    with database.write() as tx:
        lists.add_list(tx, one)
        insert_missing(tx, attributes, [number])  # which HTML names
    return one.id


def add_people(
    database: Database,
    list_ids: Iterable[UUID],
    addresses: Iterable[str],
    *,
    consent: str = "granted",
    since: datetime = NOW,
    **attributes: Any,
) -> list[Contact]:
    """Put contacts on lists, with this choice about mailing (empty: none)."""
    people = [Contact(new_id(), address, "", NOW, attributes=attributes) for address in addresses]
    with database.write() as tx:
        contacts.add_contacts(tx, people)
        found = list(contacts.find_contacts(tx, [one.address for one in people]).values())
        for list_id in list_ids:
            lists.add_members(tx, list_id, [one.id for one in found], since=since, source="test")
        if consent:
            contacts.add_consents(tx, [ConsentRow(one.id, "mailing", consent, NOW, "test") for one in found])
    return sorted(found, key=lambda one: one.id)


def plan(list_ids: Iterable[UUID], **changes: Any) -> Plan:
    """A plan that can be sent, but for what is named."""
    values: dict[str, Any] = {
        "name": "May offers",
        "sender": "Shop <news@sender.example>",
        "subject": "Something new",
        "html": HTML,
        "lists": tuple(list_ids),
    }
    return Plan(**{**values, **changes})


def started(database: Database, what: Plan, *, now: datetime = NOW) -> Campaign:
    """Create a campaign, schedule it for now, and let it begin."""
    made = campaigns.create(database, what, account_id=None, now=now)
    campaigns.schedule(database, made.id, at=None, now=now)
    expansion.begin(database, made.id, now)
    return stored(database, made.id)


def stored(database: Database, campaign_id: UUID) -> Campaign:
    """Return a campaign as it is now."""
    with database.read() as tx:
        return campaigns.find(tx, campaign_id)


def recipients(database: Database, campaign: Campaign) -> list[str]:
    """Return to whom there are mails, in the order they were made."""
    query = select(messages.c.recipient).where(messages.c.submission_id == campaign.submission_id)
    with database.read() as tx:
        return list(tx.execute(query.order_by(messages.c.id)).scalars())


def subjects(database: Database, campaign: Campaign) -> dict[str, str]:
    """Return the subject of each of a campaign's mails, by recipient."""
    query = select(messages.c.recipient, messages.c.subject).where(messages.c.submission_id == campaign.submission_id)
    with database.read() as tx:
        return {row.recipient: row.subject for row in tx.execute(query)}


def expand(database: Database, *, now: datetime = NOW, until: Callable[[], bool] = lambda: False) -> int:
    """Take all campaigns as far as they go without anything being sent; return how many steps it took."""
    steps = 0
    while not until() and expansion.advance(database, now):
        steps += 1
    return steps
