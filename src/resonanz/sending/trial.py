"""Before a campaign is sent: whom it would reach, how it would look, what to mind, and a test mail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from resonanz.mail.address import parse_address
from resonanz.mail.readable import text_from_html
from resonanz.mail.tracking import CLIPPED_AT
from resonanz.model import InvalidInput, TrackingMode
from resonanz.sending.campaigns import Plan, faults, fields_of
from resonanz.sending.drafts import Draft
from resonanz.sending.expansion import next_portion
from resonanz.sending.placeholders import Template
from resonanz.sending.preheader import with_preheader
from resonanz.sending.sender_checks import complaint, domain_of, last_look
from resonanz.store import Database, Tx, contacts, lists
from resonanz.store.contacts import Contact

MARK = "[Test] "
MAX_TEST_ADDRESSES = 20
COUNTED_AT_A_TIME = 5_000

_HREF = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE | re.DOTALL)
_SOUND = re.compile(r"https?://[^\s/?#]+\S*|mailto:\S+|tel:\S+|#\S*|\{\{.*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Audience:
    """Contacts on some lists, each counted once, by whether they may be written to."""

    willing: int
    suppressed: int
    unwilling: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at before sending. What `blocks` keeps the campaign from being scheduled."""

    field: str
    what: str
    remedy: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """One contact's copy, before links are made and anything is tracked."""

    contact: str
    contact_id: UUID | None
    subject: str
    html: str
    text: str


def count_audience(database: Database, list_ids: Sequence[UUID], now: datetime) -> Audience:
    """Count whom a campaign to these lists would reach if it started now, by the very steps that make its mails.

    Each portion is a transaction of its own, so that counting a long list holds up nobody.
    """
    willing = suppressed = unwilling = 0
    last: UUID | None = None
    while True:
        with database.read() as tx:
            sifted, last = next_portion(tx, list_ids, after=last, limit=COUNTED_AT_A_TIME, joined_by=now)
        willing += len(sifted.willing)
        suppressed += sifted.suppressed
        unwilling += sifted.unwilling
        if last is None:
            return Audience(willing, suppressed, unwilling)


# ── What to mind ────────────────────────────────────────────────────────────────────────────────────────────────────


def findings(tx: Tx, plan: Plan, now: datetime) -> list[Finding]:
    """Return what is wrong with a plan, what keeps it from being sent first."""
    blocking = [Finding(one.where, one.what, one.remedy, blocks=True) for one in faults(tx, plan, now)]
    return [*blocking, *_unready(tx, plan), *_doubts(plan)]


def _unready(tx: Tx, plan: Plan) -> Iterator[Finding]:
    """Warn of a sender's domain that the last look at DNS found wanting. It stops nothing: DNS may be right by now, and
    another server may answer for the domain."""
    seen = last_look(tx, domain_of(plan.sender))
    if seen is not None and (what := complaint(seen)):
        remedy = f"publish what `resonanz doctor domain {seen.domain}` says, and check again"
        yield Finding("sender", what, remedy, blocks=False)


def _doubts(plan: Plan) -> Iterator[Finding]:
    if plan.html and not plan.text and not text_from_html(plan.html).strip():
        what = "who reads text alone finds nothing: the HTML holds no text to make it from"
        yield Finding("text", what, "write a text part", blocks=False)
    size = len(plan.html.encode("utf-8", "surrogatepass"))
    if size > CLIPPED_AT:
        what = f"Gmail cuts the mail off: its HTML has {size // 1000} KB, {CLIPPED_AT // 1000} are shown"
        yield Finding("html", what, "shorten it", blocks=False)
    if not any("unsubscribe_url" in text or "preferences_url" in text for text in (plan.html, plan.text)):
        what = "no link in it leads out; the headers carry one all the same"
        yield Finding("html", what, 'add <a href="{{ unsubscribe_url }}">Unsubscribe</a>', blocks=False)
    for href in dict.fromkeys(one or other for one, other in _HREF.findall(plan.html)):
        if not _SOUND.fullmatch(href.strip()):
            what = f"a link leads nowhere: `{href.strip()[:100]}`"
            yield Finding("html", what, "write it like https://example.org/page", blocks=False)


# ── How it looks ────────────────────────────────────────────────────────────────────────────────────────────────────


def preview(tx: Tx, plan: Plan, address: str) -> Preview:
    """Render the copy of the contact with this address; empty: of the first on the plan's lists. Raises InvalidInput
    for what cannot be rendered, and for an address that is no contact's."""
    contact = _contact(tx, plan, address)
    fields = Template(fields_of(plan)).render(contact)
    html, text = fields.html, fields.text
    return Preview(
        contact=contact.address if contact else "",
        contact_id=contact.id if contact else None,
        subject=fields.subject,
        html=with_preheader(html, fields.preheader) if html else "",
        text=text if text is not None else text_from_html(html or ""),
    )


def _contact(tx: Tx, plan: Plan, address: str) -> Contact | None:
    if address.strip():
        try:
            normalised = parse_address(address).normalised
        except InvalidInput as error:
            raise InvalidInput(error.what, where="contact", remedy=error.remedy) from None
        found = contacts.find_contact(tx, normalised)
        if found is None:
            raise InvalidInput("no contact has this address", where="contact", remedy="leave it empty for somebody")
        return found
    return next(iter(lists.members(tx, plan.lists, limit=1)), None)


# ── A test ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def trial_draft(tx: Tx, plan: Plan, to: Sequence[str], address: str, *, account_id: UUID | None, source: str) -> Draft:
    """Return the test mail for these addresses, filled for one contact (see `preview`): marked in the subject, not
    tracked, and a submission of its own that no campaign's results know of. Raises InvalidInput."""
    wanted = tuple(dict.fromkeys(each.strip() for each in to if each.strip()))
    if not 0 < len(wanted) <= MAX_TEST_ADDRESSES:
        raise InvalidInput(f"give 1 to {MAX_TEST_ADDRESSES} addresses", where="recipients")
    fields = Template(fields_of(plan)).render(_contact(tx, plan, address))
    html, text = fields.html, fields.text
    return Draft(
        account_id=account_id,
        source=source,
        sender=plan.sender,
        recipients=wanted,
        subject=MARK + fields.subject,
        text=text_from_html(html) if text is None and html is not None else text,
        html=with_preheader(html, fields.preheader) if html is not None else None,
        reply_to=plan.reply_to or None,
        track_opens=TrackingMode.OFF,
        track_clicks=TrackingMode.OFF,
        bulk=True,
    )
