"""What of a draft can be checked without the database: its envelope, its fields, its size, and what a raw mail says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from resonanz.mail.address import Address
from resonanz.mail.structure import Structure, parse
from resonanz.model import InvalidInput, TooLarge, new_id
from resonanz.sending.addressees import check_mailboxes, read_authors, read_envelope
from resonanz.sending.copies import HIDDEN, compose_copy, header_id_for
from resonanz.sending.drafts import OWN, SOURCES, Checked, Draft, Limits
from resonanz.sending.fields import Fields
from resonanz.sending.rules import take_switch
from resonanz.store.text import storable

MAX_KEY_CHARACTERS = 128


def check(draft: Draft, limits: Limits, now: datetime) -> Checked:
    """Check what needs no database. Raises InvalidInput and TooLarge, as `sending.submit.submit` does."""
    if draft.source not in (*SOURCES, *OWN):
        raise InvalidInput(f"not one of {', '.join(SOURCES)}", where="source")
    key = draft.idempotency_key
    if key is not None and not (0 < len(key) <= MAX_KEY_CHARACTERS and key == storable(key)):
        raise InvalidInput(f"must have 1 to {MAX_KEY_CHARACTERS} characters", where="idempotency_key")
    if draft.raw is not None:
        return _check_raw(draft, draft.raw, limits)
    sender, recipients = _check_envelope(draft, limits)
    body = _check_composed(draft, sender, recipients, limits, now)
    return Checked("composed", body, sender, (sender,), draft.subject, recipients)


def _check_raw(draft: Draft, raw: bytes, limits: Limits) -> Checked:
    structure = _read_mail(raw, limits)
    raw, switch = take_switch(raw, structure)
    if switch is not None:
        structure = parse(raw)
    sender, recipients = _check_envelope(draft, limits, structure)
    authors = () if draft.account_id is None else tuple(read_authors(structure))
    return Checked("rfc822", raw, sender, authors, structure.header("Subject") or "", recipients, structure, switch)


def _check_envelope(
    draft: Draft, limits: Limits, structure: Structure | None = None
) -> tuple[Address, tuple[Address, ...]]:
    _check_number(len(draft.recipients), limits)
    sender, recipients = read_envelope(draft.sender, draft.recipients, structure)
    if not recipients:
        raise InvalidInput("no recipient", where="recipients")
    _check_number(len(recipients), limits)
    distinct: dict[str, Address] = {}
    for address in recipients:
        distinct.setdefault(address.normalised, address)
    return sender, tuple(distinct.values())


def _check_number(recipients: int, limits: Limits) -> None:
    if recipients > limits.recipients:
        raise TooLarge(
            f"{recipients} recipients, but {limits.recipients} are the limit",
            where="recipients",
            remedy="the limit is RESONANZ_MAX_RECIPIENTS",
        )


def _read_mail(raw: bytes, limits: Limits) -> Structure:
    _check_size(len(raw), limits)
    if not raw.strip():
        raise InvalidInput("the mail is empty", where="mail")
    if b"\0" in raw:
        raise InvalidInput("the mail holds a NUL byte", where=f"mail, offset {raw.index(0)}")
    structure = parse(raw)
    if not structure.headers:
        raise InvalidInput(
            "the mail has no header fields", where="mail", remedy="a mail begins with lines like `From: …`"
        )
    authors = structure.header_texts("From")
    if not any(authors):
        raise InvalidInput("the mail has no From field", where="mail", remedy="add `From: you@example.org`")
    if len(authors) > 1:  # RFC 5322 section 3.6; which of them a reader is shown cannot be told
        raise InvalidInput(f"the mail has {len(authors)} From fields", where="mail", remedy="keep one")
    return structure


def _check_composed(
    draft: Draft, sender: Address, recipients: Sequence[Address], limits: Limits, now: datetime
) -> bytes:
    _check_headers(draft.headers)
    if draft.reply_to:
        check_mailboxes(draft.reply_to, "reply_to")
    name = sender.name if draft.from_name is None else draft.from_name
    fields = Fields(
        sender=str(Address(name, sender.local, sender.domain)),
        subject=draft.subject,
        text=draft.text,
        html=draft.html,
        reply_to=draft.reply_to or None,
        headers=dict(draft.headers),
    )
    written = (draft.text or "", draft.html or "", draft.subject)
    _check_size(sum(len(text.encode("utf-8", "surrogatepass")) for text in written), limits)
    # Composing one copy now finds whatever would keep the worker from composing it later.
    compose_copy(fields, to=str(recipients[0]), header_id=header_id_for(new_id(), sender.domain), date=now)
    return fields.encode()


def _check_headers(headers: Mapping[str, str]) -> None:
    """Refuse fields that would tell what only the envelope may, or claim a history that a new mail does not have."""
    refused = []
    for name in headers:
        if name.lower() in HIDDEN:
            remedy = "name them among the recipients"
            refused.append(InvalidInput("would be seen by every recipient", where=name, remedy=remedy))
        elif name.lower().startswith("resent-"):  # RFC 5322 section 3.6.6
            refused.append(InvalidInput("is for mail that is passed on; this one is new", where=name))
    if refused:
        raise InvalidInput.together(refused)


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.size_bytes:
        raise TooLarge(
            f"the mail has {size} bytes, but {limits.size_bytes} are the limit",
            where="mail",
            remedy="the limit is RESONANZ_MAX_MESSAGE",
        )
