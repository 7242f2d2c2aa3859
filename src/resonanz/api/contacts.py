"""Contacts, what they allow, and what this instance wants to know of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from resonanz import model
from resonanz.api.access import Caller, Parts
from resonanz.api.people_shapes import (
    AttributeChange,
    AttributeIn,
    AttributeOut,
    AttributesOut,
    ConsentIn,
    ConsentOut,
    ConsentsOut,
    ContactChange,
    ContactIn,
    ContactMailOut,
    ContactOut,
    ContactPage,
    MembershipOut,
    MembershipsOut,
)
from resonanz.insight.contacts import history_of
from resonanz.insight.dossier import dossier
from resonanz.model import InvalidInput
from resonanz.people import attributes as attributes_room
from resonanz.people import choices_in_force, enter_choice
from resonanz.people.contacts import Details, add_contact, change_contact, get_contact
from resonanz.people.lists import get_list
from resonanz.sending.erasure import erase_contact
from resonanz.store import Tx, contacts, lists
from resonanz.store.histories import gateways_of

router = APIRouter(tags=["Contacts"])

Limit = Annotated[int, Query(ge=1, le=500)]
AttributeName = Annotated[str, Path(max_length=40)]


@router.get("/contacts", response_model=ContactPage, summary="Contacts, newest first")
def list_contacts(
    parts: Parts,
    _caller: Caller,
    limit: Limit = 50,
    before: Annotated[UUID | None, Query(description="Continue behind this contact: `next` of the page before")] = None,
    search: Annotated[str, Query(max_length=200, description="Part of an address or name")] = "",
    on_list: Annotated[UUID | None, Query(alias="list", description="Only who is on this list")] = None,
) -> ContactPage:
    """Return a page of contacts."""
    with parts.database.read() as tx:
        if on_list is not None:
            get_list(tx, on_list)
        rows = contacts.list_contacts(tx, limit=limit + 1, before=before, search=search.strip(), list_id=on_list)
        page = rows[:limit]
        gateways = gateways_of(tx, [row.id for row in page])
    return ContactPage(
        contacts=[ContactOut.of(row, gateways.get(row.id)) for row in page],
        next=page[-1].id if len(rows) > limit else None,
    )


@router.post("/contacts", status_code=201, response_model=ContactOut, summary="Add a contact")
def post_contact(wanted: ContactIn, parts: Parts, _caller: Caller) -> ContactOut:
    """Add a contact, and put them on lists. 409 when the address is known: change that contact then."""
    now = model.now()
    with parts.database.write() as tx:
        chosen = [get_list(tx, id) for id in dict.fromkeys(wanted.lists)]
        added = add_contact(tx, wanted.address, Details(wanted.name, wanted.language, wanted.attributes), now)
        for one in chosen:
            lists.add_members(tx, one.id, [added.id], since=now, source="api")
    return ContactOut.of(added)


@router.get("/contacts/{contact}", response_model=ContactOut, summary="One contact")
def show_contact(contact: UUID, parts: Parts, _caller: Caller) -> ContactOut:
    """Return who it is."""
    with parts.database.read() as tx:
        return ContactOut.of(get_contact(tx, contact), gateways_of(tx, [contact]).get(contact))


@router.patch("/contacts/{contact}", response_model=ContactOut, summary="Change a contact")
def patch_contact(contact: UUID, wanted: ContactChange, parts: Parts, _caller: Caller) -> ContactOut:
    """Change what is known of a contact."""
    details = Details(wanted.name, wanted.language, wanted.attributes)
    with parts.database.write() as tx:
        changed = change_contact(tx, contact, details, model.now(), address=wanted.address)
        return ContactOut.of(changed, gateways_of(tx, [contact]).get(contact))


@router.delete("/contacts/{contact}", status_code=204, summary="Erase a contact")
def delete_contact(
    contact: UUID,
    parts: Parts,
    caller: Caller,
    suppress: Annotated[bool, Query(description="Put the address on the suppression list first")] = False,
) -> None:
    """Erase a contact for good (GDPR article 17): their messages stay with a pseudonym, counts and states with them.

    An address on the suppression list stays there. 409 while a mail to them is being handed over.
    """
    erase_contact(
        parts.database,
        contact,
        parts.forget_mails,
        now=model.now(),
        source="api",
        actor=caller.address,
        suppressed=suppress,
    )


@router.get(
    "/contacts/{contact}/export",
    summary="Everything known of a contact",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
)
def export_contact(contact: UUID, parts: Parts, _caller: Caller) -> StreamingResponse:
    """Return one JSON document with all that is kept of a contact (GDPR articles 15 and 20)."""
    return StreamingResponse(dossier(parts.database, contact, model.now()), media_type="application/json")


@router.get("/contacts/{contact}/mail", response_model=ContactMailOut, summary="What came of a contact's mail")
def show_mail(contact: UUID, parts: Parts, _caller: Caller) -> ContactMailOut:
    """Return counts over all mail to a contact, and of how much of it something cannot be known, and why."""
    with parts.database.read() as tx:
        get_contact(tx, contact)
        return ContactMailOut.of(history_of(tx, contact, limit=0))


@router.get("/contacts/{contact}/lists", response_model=MembershipsOut, summary="The lists a contact is on")
def list_memberships(contact: UUID, parts: Parts, _caller: Caller) -> MembershipsOut:
    """Return the lists, with since when and how they came there."""
    with parts.database.read() as tx:
        get_contact(tx, contact)
        found = lists.memberships_of(tx, contact)
    return MembershipsOut(
        lists=[MembershipOut(list=one.list_id, name=one.list_name, since=one.since, source=one.source) for one in found]
    )


# ── What they allow ─────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/contacts/{contact}/consents", response_model=ConsentsOut, summary="What a contact allows")
def list_consents(contact: UUID, parts: Parts, _caller: Caller) -> ConsentsOut:
    """Return what is in force for each purpose, and every recorded choice."""
    with parts.database.read() as tx:
        get_contact(tx, contact)
        return _consents(tx, contact)


@router.post("/contacts/{contact}/consents", status_code=201, response_model=ConsentsOut, summary="Enter a choice")
def post_consent(contact: UUID, wanted: ConsentIn, parts: Parts, caller: Caller) -> ConsentsOut:
    """Enter what a contact chose. It is added; what was recorded before stays as the proof of what held then."""
    with parts.database.write() as tx:
        enter_choice(
            tx,
            get_contact(tx, contact).id,
            wanted.purpose,
            wanted.state,
            now=model.now(),
            chosen_at=wanted.occurred_at,
            source=wanted.source,
            text_version=wanted.text_version,
            actor=caller.address,
        )
        return _consents(tx, contact)


def _consents(tx: Tx, contact: UUID) -> ConsentsOut:
    return ConsentsOut(
        in_force=choices_in_force(tx, contact),
        history=[ConsentOut.of(row) for row in contacts.consent_history(tx, contact)],
    )


# ── What is to be known of them ─────────────────────────────────────────────────────────────────────────────────────


@router.get("/attributes", response_model=AttributesOut, summary="What is to be known of contacts")
def list_attributes(parts: Parts, _caller: Caller) -> AttributesOut:
    """Return every attribute that is defined."""
    with parts.database.read() as tx:
        return AttributesOut(attributes=[AttributeOut.of(one) for one in attributes_room.attributes_of(tx).values()])


@router.post("/attributes", status_code=201, response_model=AttributeOut, summary="Define an attribute")
def post_attribute(wanted: AttributeIn, parts: Parts, _caller: Caller) -> AttributeOut:
    """Define an attribute; campaigns can use it as a placeholder from now on."""
    with parts.database.write() as tx:
        return AttributeOut.of(
            attributes_room.define(
                tx,
                wanted.name,
                label=wanted.label,
                kind=wanted.kind,
                choices=tuple(wanted.choices),
                now=model.now(),
            )
        )


@router.patch("/attributes/{name}", response_model=AttributeOut, summary="Change an attribute")
def patch_attribute(name: AttributeName, wanted: AttributeChange, parts: Parts, _caller: Caller) -> AttributeOut:
    """Change how it is called or what there is to choose."""
    if wanted.label is None and wanted.choices is None:
        raise InvalidInput("says nothing to change", where="body")
    choices = None if wanted.choices is None else tuple(wanted.choices)
    with parts.database.write() as tx:
        return AttributeOut.of(attributes_room.change(tx, name, label=wanted.label, choices=choices))


@router.delete("/attributes/{name}", status_code=204, summary="Remove an attribute")
def delete_attribute(name: AttributeName, parts: Parts, _caller: Caller) -> None:
    """Remove it, with its value in every contact."""
    with parts.database.write() as tx:
        attributes_room.remove(tx, name)
