"""What doors hand in: drafts, the limits that hold for them, and the receipt for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from resonanz.mail.address import Address
from resonanz.mail.structure import Structure
from resonanz.model import TrackingMode
from resonanz.sending.rules import Switch

SOURCES = ("dashboard", "api", "cli", "relay")
NOTICE, REPLY = "notice", "reply"  # a notice to a sender, and an answer that is passed on; no door may name these
OWN = frozenset({NOTICE, REPLY})


@dataclass(frozen=True, slots=True)
class Wish:
    """What the sender wants to be told of one recipient (NOTIFY), and ORCPT as the client wrote it (RFC 3461)."""

    failure: bool = True
    delay: bool = True
    success: bool = False
    original_recipient: str = ""


@dataclass(frozen=True, slots=True)
class ToBeTold:
    """That the sender wants to be told by mail what becomes of theirs. `wishes` stand in the order of the draft's
    recipients, none where nothing was said; a failed mail comes back `whole` or as its header."""

    whole: bool = False
    envelope_id: str = ""
    wishes: Sequence[Wish] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a door hands in.

    `sender` and each of `recipients` are mailboxes, with or without a display name; `from_name` replaces the sender's.
    With `raw` the mail's own headers are what recipients see, and `sender` and `recipients` are the envelope; what is
    empty of these is read from the mail's From, and To, Cc and Bcc. Without it the mail is composed from the other
    fields, each recipient alone in its To. The tracking modes are the most that is asked for:
    a contact's consent can only lower them. With `documents` all attachments of a raw mail become tracked documents:
    links stand in their place. A `bulk` mail says in each copy's headers that it is one and how to leave
    (`sending.bulk`). The same `idempotency_key` of the same account sends once. With `to_be_told` the sender gets
    notices by mail; with `null_path` the mail goes out without a return path. A door that has `vouched_for` the
    sender leaves it to the sender's address whose mail it is (`accounts.senders.account_for`).
    """

    account_id: UUID | None
    source: str
    sender: str
    recipients: Sequence[str]
    raw: bytes | None = None
    subject: str = ""
    text: str | None = None
    html: str | None = None
    reply_to: str | None = None
    from_name: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    track_opens: TrackingMode = TrackingMode.INDIVIDUAL
    track_clicks: TrackingMode = TrackingMode.INDIVIDUAL
    documents: bool = False
    bulk: bool = False
    idempotency_key: str | None = None
    to_be_told: ToBeTold | None = None
    null_path: bool = False
    vouched_for: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What one submission may hold at most. `size_bytes` counts the content once, not per recipient."""

    size_bytes: int = 25_000_000
    recipients: int = 1_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a draft. `repeated` is True when its idempotency key had been answered before."""

    submission_id: UUID
    messages: tuple[tuple[UUID, str], ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft in which everything is right: content in its stored form, addresses normalised and distinct. `authors`
    are the addresses in From; of a raw mail there are also its `structure`, and the `switch` from its header."""

    form: str
    body: bytes
    sender: Address
    authors: tuple[Address, ...]
    subject: str
    recipients: tuple[Address, ...]
    structure: Structure | None = None
    switch: Switch | None = None


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A draft that was checked, and when it came."""

    draft: Draft
    checked: Checked
    at: datetime
