"""Taking mail in: everything is checked first, then stored in one transaction, and only then is it acknowledged.

Every door hands in the same `Draft`; one message per recipient comes of it. A draft is either `raw`, the bytes of a
mail, or composed of fields. What is stored is the author's, untouched; each copy is built when it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from resonanz import ingest
from resonanz.accounts.senders import account_for, check_sender
from resonanz.mail.address import Address, parse_address
from resonanz.model import (
    Conflict,
    Coverage,
    Event,
    EventKind,
    MessageState,
    TrackingMode,
    new_id,
)
from resonanz.sending.checking import check
from resonanz.sending.drafts import OWN, Checked, Draft, HandedIn, Limits, Receipt, Wish
from resonanz.sending.rule_book import copies_of_instance, rules_for
from resonanz.sending.rules import Copies, Decision, Rules, Track, decide, take_marker
from resonanz.store import Database, Tx, contacts, queue
from resonanz.store import messages as rows
from resonanz.store.text import storable
from resonanz.store.wanted import Wanted, add_wanted

MAX_SUBJECT_STORED = 1_000  # characters shown in lists; the mail itself keeps its whole subject


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


# ── Storing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


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
