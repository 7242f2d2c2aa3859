"""Taking mail in: everything is checked first, then stored in one transaction, and only then is it acknowledged.

Every door hands in the same `Draft`; one message per recipient comes of it. A draft is either `raw`, the bytes of a
mail, or composed of fields. What is stored is the author's, untouched; each copy is built when it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from resonanz import ingest
from resonanz.accounts.senders import account_for, check_sender
from resonanz.mail.address import Address, parse_address
from resonanz.mail.structure import Structure, parse
from resonanz.model import (
    Conflict,
    Coverage,
    Event,
    EventKind,
    InvalidInput,
    MessageState,
    TooLarge,
    TrackingMode,
    new_id,
)
from resonanz.sending.addressees import check_mailboxes, read_authors, read_envelope
from resonanz.sending.copies import HIDDEN, compose_copy, header_id_for
from resonanz.sending.fields import Fields
from resonanz.sending.rule_book import copies_of_instance, rules_for
from resonanz.sending.rules import Copies, Decision, Rules, Switch, Track, decide, take_marker, take_switch
from resonanz.store import Database, Tx, contacts, queue
from resonanz.store import messages as rows
from resonanz.store.text import storable
from resonanz.store.wanted import Wanted, add_wanted

SOURCES = ("dashboard", "api", "cli", "relay")
NOTICE, REPLY = "notice", "reply"  # a notice to a sender, and an answer that is passed on; no door may name these
OWN = frozenset({NOTICE, REPLY})
MAX_KEY_CHARACTERS = 128
MAX_SUBJECT_STORED = 1_000  # characters shown in lists; the mail itself keeps its whole subject


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


def submit(database: Database, draft: Draft, *, limits: Limits, now: datetime) -> Receipt:
    """Check and store a draft. When it returns, the mail is on disk and will be sent.

    Raises InvalidInput (naming the place, such as `recipients[2]`; every bad address at once), TooLarge, Forbidden
    when the account may not send from the envelope's sender or an author in From, and Conflict for an idempotency key
    that was used for another mail, with nothing stored. Without an account any sender will do: that is the operator's
    own command line.
    """
    checked = check(draft, limits, now)
    try:
        with database.write() as tx:
            return store(tx, [HandedIn(draft, checked, now)])[0]
    except IntegrityError:
        # The race: another submission with the same key was committed after we had looked. Its receipt is ours.
        with database.read() as tx:
            repeated = _first_receipt(tx, draft, *_follow_rules(_RuleBook(tx), draft, checked))
        if repeated is None:
            raise
        return repeated


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A draft that was checked, and when it came."""

    draft: Draft
    checked: Checked
    at: datetime


def store(tx: Tx, mails: Sequence[HandedIn]) -> list[Receipt]:
    """Store drafts that were checked, or find that they were stored before; all of them, or none. What they have in
    common is asked once, and what they write is written together. Raises Forbidden and Conflict as `submit`."""
    mails = [_with_account(tx, mail) for mail in mails]
    _check_senders(tx, mails)
    book = _RuleBook(tx)
    judged = [(mail, *_follow_rules(book, mail.draft, mail.checked)) for mail in mails]
    repeated = [_first_receipt(tx, mail.draft, checked, decision) for mail, checked, decision in judged]
    new = [one for one, receipt in zip(judged, repeated, strict=True) if receipt is None]
    made = iter(_store(tx, new))
    return [receipt or next(made) for receipt in repeated]


def _with_account(tx: Tx, mail: HandedIn) -> HandedIn:
    """Find the account of a mail whose sender the door knows."""
    if not mail.draft.vouched_for:
        return mail
    return replace(mail, draft=replace(mail.draft, account_id=account_for(tx, mail.checked.sender)))


def _check_senders(tx: Tx, mails: Sequence[HandedIn]) -> None:
    wanted: dict[UUID, dict[str, Address]] = {}
    for mail in mails:
        if mail.draft.account_id is not None and not (mail.draft.vouched_for or mail.draft.source in OWN):
            theirs = wanted.setdefault(mail.draft.account_id, {})
            theirs |= {address.normalised: address for address in (mail.checked.sender, *mail.checked.authors)}
    for account_id, addresses in wanted.items():
        check_sender(tx, account_id, addresses.values())


# ── Checking ────────────────────────────────────────────────────────────────────────────────────────────────────────


def check(draft: Draft, limits: Limits, now: datetime) -> Checked:
    """Check what needs no database. Raises InvalidInput and TooLarge as `submit`."""
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


class _RuleBook:
    """The rules of accounts, each asked for once."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._known: dict[tuple[UUID, str], Rules] = {}
        self._copies: Copies | None = None

    def rules(self, account_id: UUID, domain: str) -> Rules:
        """Return an account's rules for mail from this domain."""
        key = account_id, domain
        if key not in self._known:
            self._known[key] = rules_for(self._tx, account_id, domain)
        return self._known[key]

    def shares(self, rules: Rules) -> bool:
        """Whether these rules, or else the instance, want one copy for several recipients."""
        if rules.copies is Copies.INSTANCE and self._copies is None:
            self._copies = copies_of_instance(self._tx)
        return (self._copies if rules.copies is Copies.INSTANCE else rules.copies) is Copies.SHARED


def _follow_rules(book: _RuleBook, draft: Draft, checked: Checked) -> tuple[Checked, Decision]:
    """Hold a mail against its account's rules, which are for what mail programs hand in; the other doors ask for each
    mail. Returns the mail without the marker that they asked for."""
    rules, is_marked, shares = Rules(), False, False
    if draft.source == "relay" and draft.account_id is not None:
        rules = book.rules(draft.account_id, checked.sender.domain)
        shares = book.shares(rules)
        if rules.track is Track.MARKED and checked.structure is not None:
            body, subject = take_marker(checked.body, checked.structure, rules.marker)
            if subject is not None:
                is_marked, checked = True, replace(checked, body=body, subject=subject)
    asked = (draft.track_opens, draft.track_clicks)
    return checked, decide(rules, checked.switch, checked.recipients, asked, is_marked=is_marked, shares=shares)


# ── Storing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _store(tx: Tx, mails: Sequence[tuple[HandedIn, Checked, Decision]]) -> list[Receipt]:
    people = {to.normalised: storable(to.name) for _, checked, _ in mails for to in checked.recipients}
    contact_ids = contacts.ensure_contacts(tx, list(people.items()), mails[0][0].at) if mails else {}
    made = [_rows_of(mail, checked, decision, contact_ids) for mail, checked, decision in mails]
    messages = [message for one in made for message in one.messages]
    rows.add_contents(tx, [one.content for one in made])
    rows.add_submissions(tx, [one.submission for one in made])
    rows.add_messages(tx, messages)
    add_wanted(tx, [row for mail, one in zip(mails, made, strict=True) for row in _wanted(mail[0].draft, one.messages)])
    ingest.record_all(tx, [_queued(message) for message in messages])
    queue.enqueue_each(tx, {message.id: message.created_at for message in messages})
    return [
        Receipt(one.submission.id, tuple((message.id, message.recipient) for message in one.messages)) for one in made
    ]


@dataclass(frozen=True, slots=True)
class _Made:
    content: rows.Content
    submission: rows.Submission
    messages: list[rows.Message]


def _rows_of(mail: HandedIn, checked: Checked, decision: Decision, contact_ids: Mapping[str, UUID]) -> _Made:
    draft, now = mail.draft, mail.at
    content_id, submission_id = new_id(), new_id()
    subject = storable(checked.subject[:MAX_SUBJECT_STORED])
    content = rows.Content(content_id, checked.form, checked.body, checked.sender.spec, subject, now)
    submission = rows.Submission(
        id=submission_id,
        content_id=content_id,
        account_id=draft.account_id,
        source=draft.source,
        track_opens=decision.opens,
        track_clicks=decision.clicks,
        track_documents=draft.documents,
        recipients=len(checked.recipients),
        created_at=now,
        idempotency_key=draft.idempotency_key,
        bulk=draft.bulk,
        null_path=draft.null_path,
        replies=decision.replies,
        shared=decision.shared,
    )
    messages = [
        rows.Message(
            id=new_id(),
            submission_id=submission_id,
            contact_id=contact_ids[address.normalised],
            recipient=address.spec,
            sender=checked.sender.spec,
            subject=subject,
            header_id=None,
            created_at=now,
            track_opens=TrackingMode.OFF if address.normalised in decision.untracked else decision.opens,
            track_clicks=TrackingMode.OFF if address.normalised in decision.untracked else decision.clicks,
            coverage=Coverage.NOT_TRACKED,  # until it is built
            untracked_reason=decision.untracked.get(address.normalised, ""),
            state=MessageState.QUEUED,
            state_at=now,
        )
        for address in checked.recipients
    ]
    return _Made(content, submission, messages)


def _wanted(draft: Draft, made: Sequence[rows.Message]) -> list[Wanted]:
    """What the sender is to be told of; of a recipient named twice, what was said first."""
    told = draft.to_be_told
    if told is None:
        return []
    wishes: dict[str, Wish] = {}
    for text, wish in zip(draft.recipients, told.wishes, strict=False):
        wishes.setdefault(parse_address(text).normalised, wish)
    found = (
        [(one, wishes.get(parse_address(one.recipient).normalised, Wish())) for one in made]
        if wishes
        else [(one, Wish()) for one in made]
    )
    return [
        Wanted(
            one.id,
            one.created_at,
            on_failure=wish.failure,
            on_delay=wish.delay,
            on_success=wish.success,
            whole=told.whole,
            envelope_id=told.envelope_id,
            original_recipient=wish.original_recipient,
        )
        for one, wish in found
    ]


def _queued(message: rows.Message) -> Event:
    return Event(
        kind=EventKind.QUEUED,
        occurred_at=message.created_at,
        received_at=message.created_at,
        source="sending",
        message_id=message.id,
        submission_id=message.submission_id,
        recipient=message.recipient,
    )


def _first_receipt(tx: Tx, draft: Draft, checked: Checked, decision: Decision) -> Receipt | None:
    """Return what was answered to this key before. Raises Conflict when it was for another mail."""
    if draft.idempotency_key is None:
        return None
    first = rows.find_submission(tx, draft.account_id, draft.idempotency_key)
    if first is None:
        return None
    content = rows.get_content(tx, first.content_id)
    messages = rows.of_submission(tx, first.id, limit=first.recipients)
    same = (
        content is not None
        and (content.form, content.body, content.sender) == (checked.form, checked.body, checked.sender.spec)
        and (first.track_opens, first.track_clicks, first.track_documents, first.bulk)
        == (decision.opens, decision.clicks, draft.documents, draft.bulk)
        and {message.recipient for message in messages} == {address.spec for address in checked.recipients}
    )
    if not same:
        raise Conflict(
            "this key was used for another mail before", where="idempotency_key", remedy="use a new key for a new mail"
        )
    return Receipt(first.id, tuple((message.id, message.recipient) for message in messages), repeated=True)
