"""Lists of contacts, and the suppression list."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from resonanz import model
from resonanz.api.access import Caller, Parts
from resonanz.api.contacts import Limit
from resonanz.api.people_shapes import (
    ListChange,
    ListIn,
    ListOut,
    ListsOut,
    MembersIn,
    MembersOut,
    SuppressionChangeOut,
    SuppressionDetail,
    SuppressionIn,
    SuppressionOut,
    SuppressionPage,
)
from resonanz.mail.address import parse_address
from resonanz.model import Conflict, NotFound
from resonanz.people import Reason, restore, suppress
from resonanz.people import lists as room
from resonanz.store import Tx, contacts, lists, suppressions
from resonanz.store.lists import MailingList
from resonanz.store.text import storable

router = APIRouter(tags=["Lists and suppression"])

Address = Annotated[str, Path(max_length=400)]


@router.get("/lists", response_model=ListsOut, summary="Every list")
def list_lists(parts: Parts, _caller: Caller) -> ListsOut:
    """Return every list with the number of its members."""
    with parts.database.read() as tx:
        return ListsOut(lists=[_out(one, members) for one, members in lists.list_lists(tx)])


@router.post("/lists", status_code=201, response_model=ListOut, summary="Create a list")
def post_list(wanted: ListIn, parts: Parts, _caller: Caller) -> ListOut:
    """Create a list."""
    with parts.database.write() as tx:
        made = room.create_list(
            tx, wanted.name, description=wanted.description, is_marketing=wanted.is_marketing, now=model.now()
        )
    return _out(made, 0)


@router.get("/lists/{list}", response_model=ListOut, summary="One list")
def show_list(list: UUID, parts: Parts, _caller: Caller) -> ListOut:
    """Return the list; who is on it is `GET /contacts?list=…`."""
    with parts.database.read() as tx:
        return _out(room.get_list(tx, list), lists.count_members(tx, list))


@router.patch("/lists/{list}", response_model=ListOut, summary="Change a list")
def patch_list(list: UUID, wanted: ListChange, parts: Parts, _caller: Caller) -> ListOut:
    """Change its name, description or purpose."""
    with parts.database.write() as tx:
        changed = room.change_list(
            tx, list, name=wanted.name, description=wanted.description, is_marketing=wanted.is_marketing
        )
        return _out(changed, lists.count_members(tx, list))


@router.delete("/lists/{list}", status_code=204, summary="Delete a list")
def delete_list(list: UUID, parts: Parts, _caller: Caller) -> None:
    """Delete a list; who is on it stays a contact."""
    with parts.database.write() as tx:
        room.delete_list(tx, list)


@router.post("/lists/{list}/contacts", response_model=MembersOut, summary="Put contacts on a list")
def post_members(list: UUID, wanted: MembersIn, parts: Parts, _caller: Caller) -> MembersOut:
    """Put contacts on a list. 404 when one is not known, and nobody is put on it then."""
    with parts.database.write() as tx:
        room.get_list(tx, list)
        ids = set(wanted.contacts)
        if len(contacts.get_contacts(tx, ids)) < len(ids):
            raise NotFound("one of these contacts is not known", where="contacts")
        added = lists.add_members(tx, list, ids, since=model.now(), source=storable(wanted.source) or "api")
    return MembersOut(added=added)


@router.delete("/lists/{list}/contacts/{contact}", status_code=204, summary="Take a contact off a list")
def delete_member(list: UUID, contact: UUID, parts: Parts, _caller: Caller) -> None:
    """Take a contact off a list."""
    with parts.database.write() as tx:
        if not lists.remove_members(tx, list, [contact]):
            raise NotFound("this contact is not on this list", where="contact")


def _out(one: MailingList, members: int) -> ListOut:
    return ListOut(
        id=one.id,
        name=one.name,
        description=one.description,
        is_marketing=one.is_marketing,
        members=members,
        created_at=one.created_at,
    )


# ── Suppression ─────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/suppressions", response_model=SuppressionPage, summary="Addresses that get no mail")
def list_suppressions(
    parts: Parts,
    _caller: Caller,
    limit: Limit = 50,
    after: Annotated[str, Query(max_length=400, description="Continue behind this address")] = "",
    search: Annotated[str, Query(max_length=200, description="Part of an address")] = "",
    reason: Annotated[Reason | None, Query(description="Only for this reason")] = None,
) -> SuppressionPage:
    """Return a page of the suppression list, by address."""
    with parts.database.read() as tx:
        rows = suppressions.list_suppressions(
            tx, limit=limit + 1, after=storable(after), search=search.strip(), reason=reason or ""
        )
    page = rows[:limit]
    return SuppressionPage(
        suppressions=[SuppressionOut.model_validate(row) for row in page],
        next=page[-1].address if len(rows) > limit else None,
    )


@router.post("/suppressions", status_code=201, response_model=SuppressionDetail, summary="Suppress an address")
def post_suppression(wanted: SuppressionIn, parts: Parts, caller: Caller) -> SuppressionDetail:
    """Put an address on the list: nothing is sent to it any more, also not what is queued. 409 when it is on it."""
    address = parse_address(wanted.address).normalised
    with parts.database.write() as tx:
        if not suppress(
            tx,
            address,
            Reason.MANUAL,
            now=model.now(),
            source="api",
            note=storable(wanted.note),
            actor=caller.address,
        ):
            raise Conflict("is on the list already; its first reason stays", where="address")
        return _suppression(tx, address)


@router.get("/suppressions/{address}", response_model=SuppressionDetail, summary="Whether an address is suppressed")
def show_suppression(address: Address, parts: Parts, _caller: Caller) -> SuppressionDetail:
    """Return whether an address is on the list, and how it came there and off it."""
    with parts.database.read() as tx:
        return _suppression(tx, parse_address(address).normalised)


@router.delete("/suppressions/{address}", status_code=204, summary="Lift a suppression")
def delete_suppression(
    address: Address,
    parts: Parts,
    caller: Caller,
    note: Annotated[str, Query(min_length=1, max_length=1_000, description="Why it may be written to again")],
) -> None:
    """Take an address off the list; who did it and why stays on record."""
    with parts.database.write() as tx:
        if not restore(
            tx,
            parse_address(address).normalised,
            now=model.now(),
            source="api",
            note=storable(note),
            actor=caller.address,
        ):
            raise NotFound("is not on the suppression list", where="address")


def _suppression(tx: Tx, address: str) -> SuppressionDetail:
    row = suppressions.find_suppression(tx, address)
    return SuppressionDetail(
        suppression=None if row is None else SuppressionOut.model_validate(row),
        history=[SuppressionChangeOut.model_validate(one) for one in suppressions.changes_of(tx, address)],
    )
