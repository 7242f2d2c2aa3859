"""Contacts and lists as rows: paging by key, members in portions, what deleting takes along."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from resonanz.model import new_id
from resonanz.store import Database, Tx, contacts, lists
from resonanz.store.contacts import Contact
from resonanz.store.lists import MailingList

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)


def people(tx: Tx, *names: str) -> list[Contact]:
    """Add a contact for each name, in the order of the names."""
    made = [Contact(new_id(), f"{name.lower()}@example.org", name, NOW, "de", {"town": "Ulm"}) for name in names]
    contacts.add_contacts(tx, made)
    return made


def a_list(tx: Tx, name: str) -> MailingList:
    """Add a list."""
    made = MailingList(new_id(), name, "", is_marketing=True, created_at=NOW)
    lists.add_list(tx, made)
    return made


def test_contacts_come_in_pages_newest_first(database: Database) -> None:
    """Page by page everybody comes once; a search finds parts of address and name, also within a list."""
    with database.write() as tx:
        made = people(tx, *[f"Person{number}" for number in range(25)])
        news = a_list(tx, "News")
        lists.add_members(tx, news.id, [one.id for one in made[::2]], since=NOW, source="test")
        seen: list[Contact] = []
        while page := contacts.list_contacts(tx, limit=10, before=seen[-1].id if seen else None):
            seen += page
        assert seen == made[::-1]
        assert contacts.list_contacts(tx, limit=9, search="PERSON24") == [made[24]]
        assert contacts.list_contacts(tx, limit=9, search="person%4") == []
        on_list = contacts.list_contacts(tx, limit=5, list_id=news.id)
        assert on_list == made[24::-2][:5]
        assert contacts.list_contacts(tx, limit=99, before=on_list[-1].id, list_id=news.id) == made[24::-2][5:]
        assert contacts.list_contacts(tx, limit=9, search="person3", list_id=news.id) == []
        assert contacts.count_contacts(tx) == 25


def test_members_of_several_lists_come_in_portions_each_once(database: Database) -> None:
    """Whatever the portions and however the lists overlap, everybody on any of them comes exactly once, in order."""
    with database.write() as tx:
        made = people(tx, *[f"Person{number}" for number in range(40)])
        one, two, empty = a_list(tx, "One"), a_list(tx, "Two"), a_list(tx, "Empty")
        lists.add_members(tx, one.id, [who.id for who in made[:25]], since=NOW, source="test")
        lists.add_members(tx, two.id, [who.id for who in made[20::3]], since=NOW, source="test")
        expected = made[:25] + made[26::3]
        for limit in (1, 7, 100):
            seen: list[Contact] = []
            while page := lists.members(
                tx, [one.id, two.id, empty.id], after=seen[-1].id if seen else None, limit=limit
            ):
                seen += page
            assert seen == expected
        assert lists.members(tx, [], limit=9) == []


def test_lists_have_one_name_each_and_know_their_members(database: Database) -> None:
    """Somebody is on a list once; a list that goes leaves its members; a contact that goes leaves its lists."""
    with database.write() as tx:
        alma, bruno = people(tx, "Alma", "Bruno")
        news, offers = a_list(tx, "News"), a_list(tx, "Offers")
        assert lists.add_members(tx, news.id, [alma.id, bruno.id], since=NOW, source="form") == 2
        assert lists.add_members(tx, news.id, [alma.id], since=NOW, source="import") == 0
        assert lists.add_members(tx, offers.id, [alma.id], since=NOW, source="import") == 1
        assert lists.list_lists(tx) == [(news, 2), (offers, 1)]
        assert lists.find_list(tx, "nEWS") == news
        assert [(m.list_name, m.source) for m in lists.memberships_of(tx, alma.id)] == [
            ("News", "form"),
            ("Offers", "import"),
        ]
        lists.save_list(tx, replace(offers, name="Deals", is_marketing=False))
        assert lists.get_list(tx, offers.id) == replace(offers, name="Deals", is_marketing=False)
        assert lists.remove_members(tx, news.id, [bruno.id]) == 1
        assert lists.remove_members(tx, news.id, [bruno.id]) == 0
        assert contacts.delete_contact(tx, alma.id)
        assert lists.count_members(tx, news.id) == 0
        assert lists.delete_list(tx, offers.id)
        assert not lists.delete_list(tx, offers.id)
        assert contacts.get_contact(tx, bruno.id) == bruno
        assert not lists.add_list(tx, replace(news, id=new_id()))


def test_contacts_are_changed_and_keep_their_address(database: Database) -> None:
    """Saving changes what is said of somebody; an address is changed by itself and belongs to one contact."""
    with database.write() as tx:
        alma, bruno = people(tx, "Alma", "Bruno")
        changed = replace(alma, name="Alma A.", language="", attributes={"age": 40.5, "vip": True}, changed_at=NOW)
        contacts.save_contacts(tx, [changed, bruno])
        assert contacts.find_contacts(tx, [alma.address, "nobody@example.org"]) == {alma.address: changed}
        assert contacts.change_address(tx, bruno.id, "b@example.org", NOW)
        assert contacts.find_contact(tx, "bruno@example.org") is None
        assert not contacts.change_address(tx, bruno.id, alma.address, NOW)
        assert contacts.find_contact(tx, "b@example.org") is not None
