"""A sent copy built once more, for readers who look at their mail in a browser.

What went out is not kept: content, message and keys make the same mail again. Only the pixel is left out, because
looking at the page is recorded as what it is.
"""

from __future__ import annotations

from dataclasses import replace

from resonanz.mail import Tracking, instrument, parse_address
from resonanz.model import InvalidInput, TrackingMode
from resonanz.people import still_allowed
from resonanz.sending.attachments import may_become_documents
from resonanz.sending.copies import header_id_for, make_copy
from resonanz.sending.domains import TrackingHosts
from resonanz.store import Database, Tx, contacts, messages
from resonanz.store.contacts import Contact
from resonanz.store.messages import Content, Message, Submission
from resonanz.tokens import Keys, Token, TokenKind, mint


def copy_again(database: Database, keys: Keys, edge_url: str, token: Token) -> bytes | None:
    """Return the mail that a (verified) view token stands for; None when there is none any more, or never was.

    An anonymous token stands for the content: nothing in that copy leads to, or names, one recipient.
    """
    with database.read() as tx:
        message = None if token.anonymous else messages.get_message(tx, token.id)
        if not token.anonymous and not _is_there(message):
            return None
        submission = messages.get_submission(tx, message.submission_id if message is not None else token.id)
        content = messages.get_content(tx, submission.content_id) if submission is not None else None
        if submission is None or content is None:
            return None
        clicks = _clicks(tx, message, submission)
        contact = contacts.get_contact(tx, message.contact_id) if message and message.contact_id else None
        to = _to(message, contact, content)
        base_url = TrackingHosts.load(tx, edge_url).for_sender(content.sender)
    tracking = Tracking(
        base_url=base_url,
        keys=keys,
        message=token.id,
        campaign=submission.id,
        opens=TrackingMode.OFF,
        clicks=clicks,
        browser_url=f"{base_url}/v/{mint(keys, token)}",
    )
    if token.anonymous:
        # Leaving and choosing need a name; the page behind this address says where to find it.
        nobody = f"{base_url}/p/{mint(keys, Token(TokenKind.PREFERENCES, submission.id, anonymous=True))}"
        tracking = replace(tracking, unsubscribe_url=nobody, preferences_url=nobody)
    return _build(content, submission, tracking, to, contact)


def _is_there(message: Message | None) -> bool:
    """A copy that was built, of a contact who is not erased."""
    return message is not None and bool(message.header_id) and message.contact_id is not None


def _clicks(tx: Tx, message: Message | None, submission: Submission) -> TrackingMode:
    """How the links are tracked: as in the mail, unless that was taken back since."""
    if message is None:
        return TrackingMode.OFF if submission.track_clicks is TrackingMode.OFF else TrackingMode.ANONYMOUS
    if message.track_clicks is TrackingMode.INDIVIDUAL and not still_allowed(tx, message)[1]:
        return TrackingMode.OFF
    return message.track_clicks


def _to(message: Message | None, contact: Contact | None, content: Content) -> str:
    if message is None or contact is None:
        return content.sender
    return str(replace(parse_address(message.recipient), name=contact.name))


def _build(
    content: Content, submission: Submission, tracking: Tracking, to: str, contact: Contact | None
) -> bytes | None:
    header_id = header_id_for(tracking.message, content.sender.rpartition("@")[2])
    try:
        copy = make_copy(content, to=to, header_id=header_id, date=submission.created_at, contact=contact)
    except InvalidInput:
        return None
    if submission.track_documents:
        tracking = replace(tracking, documents=may_become_documents(copy.message))
    return instrument(copy.message, tracking).message
